"""A log handler of the application's that fails: the bridge's own lines fail no message."""

import logging
from collections.abc import Iterator
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
    """Counts the lines, and takes none."""

    lines = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += 1
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
    assert failing.lines == 3
    assert len(process.documents()) == 1
