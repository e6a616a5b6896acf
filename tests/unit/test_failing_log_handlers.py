"""A log handler of the application's that fails: the bridge's own lines fail no message."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from trace_bridge import continue_trace, trace_batch

from tests.support import bridge
from tests.support.lambda_events import LambdaContext, header, record
from tests.support.lambda_process import Process
from tests.support.log_lines import several
from tests.support.otel_spans import Spans
from tests.support.runners import RUNNERS
from tests.support.trace_headers import ROOT

REPORTING = ("sync", "async", "threads", "zero code")
"""The ways of running that say themselves which messages failed."""


class Failing(logging.Handler):
    """Notes the lines, and takes none."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        raise RuntimeError("the disk is full")


@pytest.fixture
def failing(process: Process) -> Iterator[Failing]:
    handler, log = Failing(), logging.getLogger("trace_bridge")
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


@pytest.fixture
def factory(process: Process) -> Iterator[None]:
    """A factory of log records that needs what only the application's own code has set."""
    user = ContextVar[str]("user")
    before = logging.getLogRecordFactory()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = before(*args, **kwargs)
        record.user = user.get()
        return record

    logging.setLogRecordFactory(make)
    try:
        yield
    finally:
        logging.setLogRecordFactory(before)


@pytest.mark.parametrize("runner", REPORTING)
@pytest.mark.parametrize("engine", ["xray", "otel"])
def test_a_failed_message_is_the_only_one_that_comes_back(
    process: Process, spans: Spans, failing: Failing, engine: str, runner: str
) -> None:
    process.set(engine=engine)
    done = list[int]()

    def work() -> None:
        done.append(1)
        if len(done) == 2:
            raise ValueError("no price")

    answer = RUNNERS[runner](process, work, several(1, 2, 3))
    spans.all()
    assert (len(answer["batchItemFailures"]), len(done)) == (1, 3)
    assert failing.lines


@pytest.mark.parametrize("runner", REPORTING)
def test_a_record_factory_that_fails_outside_of_the_application_costs_no_message_and_no_line(
    process: Process, factory: None, caplog: pytest.LogCaptureFixture, runner: str
) -> None:
    done = list[int]()

    def work() -> None:
        done.append(1)
        if len(done) == 2:
            raise ValueError("no price")

    answer = RUNNERS[runner](process, work, several(1, 2, 3))
    assert (len(answer["batchItemFailures"]), len(done)) == (1, 3)
    (line,) = [line for line in caplog.records if line.funcName == "_log_failure"]
    assert line.getMessage().endswith("failed: ValueError: no price")
    assert line.exc_info is not None


@pytest.mark.program
def test_a_logger_class_of_the_applications_handles_the_bridges_lines() -> None:
    script = """
import logging
class Own(logging.Logger):
    def handle(self, record):
        print("handled", record.getMessage())
logging.setLoggerClass(Own)
import trace_bridge
logging.getLogger("trace_bridge").warning("a line")
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "handled a line\n"


def test_a_segment_that_cannot_be_sent_fails_no_message(process: Process, failing: Failing) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError("no socket")

    bridge.break_emitter(process.monkeypatch, broken)
    assert RUNNERS["sync"](process, lambda: None, several(1)) == {"batchItemFailures": []}
    assert failing.lines


def test_what_is_dropped_from_a_segment_fails_no_message(process: Process, failing: Failing) -> None:
    odd: Any = object()
    with trace_batch(), continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        segment.put_annotation("no key!", "x").put_annotation("key", odd).add_link("no trace", "no segment")
    for dropped in ("annotation 'no key!'", "annotation 'key'", "segment 'no segment'"):
        assert any(dropped in line for line in failing.lines)
    assert len(process.documents()) == 1


@pytest.mark.parametrize("runner", REPORTING)
def test_a_failure_is_logged_also_where_the_application_has_disabled_the_loggers_there_are(
    process: Process, caplog: pytest.LogCaptureFixture, runner: str
) -> None:
    # As logging.config.dictConfig does by default.
    process.monkeypatch.setattr(logging.getLogger("trace_bridge"), "disabled", True)
    done = list[int]()

    def work() -> None:
        done.append(1)
        if len(done) == 2:
            raise ValueError("no price")

    RUNNERS[runner](process, work, several(1, 2, 3))
    assert "failed: ValueError: no price" in caplog.text
