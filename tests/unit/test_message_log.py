"""A log line for each message: what stands on standard output, however messages are run and recorded."""

import asyncio
import json
import logging
import os
import re
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from trace_bridge import BatchFailedError, Message, continue_trace, log_fields, sqs_handler

from tests.support.lambda_events import ACTIVE, OWN_TRACE, LambdaContext, batch_of, event, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.log_lines import expected, several
from tests.support.otel_spans import Spans
from tests.support.runners import RUNNERS
from tests.support.trace_headers import HEADERS, ROOT

ENGINES: dict[str, dict[str, Any]] = {
    "X-Ray": {"engine": "xray"},
    "OpenTelemetry": {"engine": "otel"},
    "OpenTelemetry, linked": {"engine": "otel", "otel_relation": "link"},
}
IDS = ("message_id", "xray_trace_id", "message_trace_id", "segment_id", "lambda_xray_trace_id")
Line = dict[str, Any]


@pytest.fixture(autouse=True)
def on(process: Process) -> None:
    process.set(message_log=True)


def lines(output: pytest.CaptureFixture[str]) -> dict[str, Line]:
    """The lines, by their message; each is one JSON object, and there is but one for each message."""
    written = [json.loads(line) for line in output.readouterr().out.splitlines()]
    found = {str(line["message_id"]): line for line in written}
    assert len(found) == len(written)
    return found


def ids(line: Line) -> Line:
    return {name: line[name] for name in IDS if name in line}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("kind", HEADERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:aws_lambda_powertools")
def test_each_message_has_a_line(
    process: Process, spans: Spans, capsys: pytest.CaptureFixture[str], kind: str, runner: str, engine: str
) -> None:
    process.set(**ENGINES[engine])
    if runner == "poll":
        process.invoked(None)
    logged: dict[str, dict[str, str]] = {}

    def work() -> None:
        fields = log_fields()
        logged[fields["message_id"]] = fields

    RUNNERS[runner](process, work, event(record(trace=HEADERS[kind][0]), record(2)))
    spans.all()
    found = lines(capsys)
    assert {name: ids(line) for name, line in found.items()} == logged
    for name, line in found.items():
        assert re.fullmatch(rf"message {name} done in {line['duration_ms']} ms", line["message"])
        assert (line["outcome"], line["attempt"], line["queue_ms"]) == ("done", 1, 250)
        assert "error_type" not in line
        assert line.get("requestId") == (None if runner == "poll" else LambdaContext().aws_request_id)


def test_a_line_is_what_lambda_takes_for_a_log_line_in_json(
    process: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    before = time.time()
    sqs_handler(lambda _message: None)(several(1), LambdaContext())
    line = lines(capsys)["message-1"]
    written = datetime.fromisoformat(line.pop("timestamp"))
    assert written.tzinfo == UTC
    assert before - 1 <= written.timestamp() <= time.time()
    duration = line.pop("duration_ms")
    assert 0 <= duration < 30_000
    assert line == {
        "level": "INFO",
        "message": f"message message-1 done in {duration} ms",
        "logger": "trace_bridge.messages",
        "requestId": LambdaContext().aws_request_id,
        **expected(process, 1),
        "attempt": 1,
        "queue_ms": 250,
        "outcome": "done",
    }


def test_the_numbers_are_those_of_the_segment(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    again = record(trace=header(ROOT), ApproximateReceiveCount="3", ApproximateFirstReceiveTimestamp="1795478000777")
    with continue_trace(again, LambdaContext()):
        clock = time.perf_counter
        process.monkeypatch.setattr(time, "perf_counter", lambda: clock() + 0.25)
    line = lines(capsys)["message-1"]
    (segment,) = process.documents()
    assert (line["attempt"], line["queue_ms"]) == (3, 777)
    assert segment["annotations"] == {"message_id": "message-1", "attempt": 3, "queue_ms": 777}
    assert line["duration_ms"] >= 250
    assert line["segment_id"] == segment["id"]


def test_clocks_that_disagree_give_no_negative_time(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    skewed = record(trace=header(ROOT), SentTimestamp="1795478000500", ApproximateFirstReceiveTimestamp="1795478000000")
    now = time.time
    with process.monkeypatch.context() as patched, continue_trace(skewed, LambdaContext()):
        patched.setattr(time, "time", lambda: now() - 3600)
    line = lines(capsys)["message-1"]
    assert line["queue_ms"] == 0
    assert line["duration_ms"] >= 0


@pytest.mark.parametrize("attributes", [{}, {"ApproximateReceiveCount": "x"}, None])
def test_what_sqs_does_not_say_is_left_out(
    process: Process, capsys: pytest.CaptureFixture[str], attributes: dict[str, str] | None
) -> None:
    with continue_trace({"MessageId": "m", "Attributes": attributes}):
        pass
    line = lines(capsys)["m"]
    assert "attempt" not in line
    assert "queue_ms" not in line


@pytest.mark.parametrize("engine", ["xray", "otel"])
@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize("sampled", ["1", "0"])
def test_a_failure_is_named_without_its_text(
    process: Process, spans: Spans, capsys: pytest.CaptureFixture[str], kind: str, engine: str, sampled: str
) -> None:
    process.set(engine=engine)

    def fail(message: Message) -> None:
        if message.message_id == "message-2":
            raise LookupError("a secret")

    async def fail_later(message: Message) -> None:
        await asyncio.sleep(0)
        fail(message)

    handler = sqs_handler(max_workers=2)(fail_later) if kind == "async def" else sqs_handler(fail)
    batch = event(*(record(n, trace=header(trace_id(n), sampled=sampled)) for n in (1, 2, 3)))
    assert handler(batch, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    spans.all()
    found = lines(capsys)
    outcomes = {name: (line["outcome"], line.get("error_type")) for name, line in found.items()}
    failed = found["message-2"]
    assert outcomes == {
        "message-1": ("done", None),
        "message-2": ("failed", "LookupError"),
        "message-3": ("done", None),
    }
    assert failed["message"] == f"message message-2 failed after {failed['duration_ms']} ms: LookupError"
    assert failed["level"] == "INFO"
    assert not {"errorType", "errorMessage"} & failed.keys()
    assert "a secret" not in json.dumps(failed)


def test_what_was_never_begun_has_no_line(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    @sqs_handler
    def handler(_message: Message) -> None:
        raise ValueError

    batch = several(1, 2, 3)
    for item in batch["Records"]:
        item["eventSourceARN"] += ".fifo"
        item["attributes"]["MessageGroupId"] = "all"
    with pytest.raises(BatchFailedError):
        handler(batch, LambdaContext())
    assert list(lines(capsys)) == ["message-1"]


def test_messages_side_by_side_each_have_a_whole_line(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    together = threading.Barrier(8, timeout=30)
    sqs_handler(max_workers=8)(lambda _message: together.wait() and None)(batch_of(64), LambdaContext())
    assert {name: line["xray_trace_id"] for name, line in lines(capsys).items()} == {
        f"message-{number}": trace_id(number) for number in range(1, 65)
    }


def test_a_message_inside_another_has_its_own_line(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        continue_trace(record(1, trace=header(trace_id(1))), LambdaContext()),
        continue_trace(record(2, trace=header(trace_id(2))), LambdaContext()),
    ):
        pass
    assert {name: line["xray_trace_id"] for name, line in lines(capsys).items()} == {
        "message-1": trace_id(1),
        "message-2": trace_id(2),
    }


def test_datadogs_ids_where_they_are_asked_for(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    process.set(logs="datadog")
    with continue_trace(record(trace=header("1-5e61292c-cc1229a4dfbeae1043928548")), LambdaContext()) as segment:
        pass
    line = lines(capsys)["message-1"]
    assert (line["dd.trace_id"], line["dd.span_id"]) == ("6899143064054564168", str(int(segment.id, 16)))


def test_the_line_has_its_ids_where_log_records_get_none(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    process.set(logs="off")
    sqs_handler(lambda _message: None)(several(1), LambdaContext())
    assert ids(lines(capsys)["message-1"]) == expected(process, 1)


@pytest.mark.parametrize("runner", ["sync", "async", "own loop", "zero code"])
@pytest.mark.parametrize("settings", [{"message_log": False}, {"enabled": False}], ids=["off", "bridge off"])
def test_off_writes_nothing(
    process: Process, capsys: pytest.CaptureFixture[str], settings: dict[str, bool], runner: str
) -> None:
    process.set(**settings)
    RUNNERS[runner](process, lambda: None, several(1, 2))
    assert capsys.readouterr().out == ""


class Broken:
    """A standard output that cannot be written to."""

    def write(self, _text: str) -> None:
        raise OSError(28, "No space left on device")


class Refusing(logging.Handler):
    """A handler of log records that fails."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError("no more records")


@pytest.mark.parametrize("output", [None, Broken(), object()], ids=["none", "full", "no stream"])
@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:aws_lambda_powertools")
def test_no_message_fails_for_want_of_its_line(process: Process, runner: str, output: object) -> None:
    if runner == "poll":
        process.invoked(None)
    root, refusing, done = logging.getLogger(), Refusing(), list[int]()
    level = root.level
    root.addHandler(refusing)
    root.setLevel(logging.ERROR)
    try:
        with process.monkeypatch.context() as patched:
            patched.setattr(sys, "stdout", output)
            answer = RUNNERS[runner](process, lambda: done.append(1), several(1, 2))
    finally:
        root.removeHandler(refusing)
        root.setLevel(level)
    assert (answer, len(done)) == ({"batchItemFailures": []}, 2)
    assert len(process.documents()) == 2


def test_a_record_that_the_handler_empties_has_a_line_all_the_same(
    process: Process, capsys: pytest.CaptureFixture[str]
) -> None:
    @sqs_handler
    def handler(message: Message) -> None:
        assert isinstance(message.record, dict)
        message.record.clear()

    assert handler(several(1), LambdaContext()) == {"batchItemFailures": []}
    line = json.loads(capsys.readouterr().out)
    assert (line["message"].split(" done")[0], line["xray_trace_id"]) == ("message (no id)", trace_id(1))


def test_in_lambdas_own_trace_too(process: Process, capsys: pytest.CaptureFixture[str]) -> None:
    process.invoked(ACTIVE)
    with continue_trace(record(trace=header(OWN_TRACE)), LambdaContext()) as segment:
        pass
    assert ids(lines(capsys)["message-1"]) == {
        "message_id": "message-1",
        "xray_trace_id": OWN_TRACE,
        "segment_id": segment.id,
        "lambda_xray_trace_id": OWN_TRACE,
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_process_does_not_log_its_parents_message(process: Process, capfd: pytest.CaptureFixture[str]) -> None:
    tracing = continue_trace(record(trace=header(ROOT)), LambdaContext())
    tracing.__enter__()
    child = os.fork()
    if not child:
        try:
            tracing.__exit__(None, None, None)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    tracing.__exit__(None, None, None)
    assert list(lines(capfd)) == ["message-1"]
