"""An X-Ray that refuses, throttles, hangs or cannot be reached costs no message and little time."""

import logging
import socket
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from trace_bridge import Message, counters, sqs_handler

from tests.support import bridge
from tests.support.bridge import ApiEmitter
from tests.support.fake_endpoints import NoRoute
from tests.support.lambda_events import ACTIVE, LambdaContext, batch_of, event, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.timing import Stopwatch

pytestmark = pytest.mark.waits


@pytest.fixture(autouse=True)
def uploads_wait_as_they_do(process: Process) -> None:
    """Has them wait a second, as outside of tests: these are about what that costs."""
    bridge.wait_for_uploads(process.monkeypatch, seconds=1)


@sqs_handler
def handler(message: Message) -> None:
    message.json()


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (403, {"__type": "AccessDeniedException", "message": "no"}),
        (500, {"message": "oops"}),
    ],
)
def test_an_xray_that_answers_errors_costs_one_call_and_no_message(
    process: Process, status: int, answer: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    process.services.answer = lambda _path, _body: (status, answer)
    assert handler(batch_of(120), LambdaContext()) == {"batchItemFailures": []}
    assert handler(batch_of(10), LambdaContext()) == {"batchItemFailures": []}
    assert len(process.services.of("/TraceSegments")) == 1
    assert counters().failed == 130
    assert "PutTraceSegments failed" in caplog.text


@pytest.mark.parametrize("hangs", [True, False])
def test_a_log_handler_that_makes_calls_itself_does_not_stop_a_batch(process: Process, hangs: bool) -> None:
    class Calling(logging.Handler):
        def emit(self, _: logging.LogRecord) -> None:
            # Recorded: the invocation has a trace of its own, whose documents take the same way.
            process.client("dynamodb").put_item(TableName="logs", Item={})

    process.set(emitter="api")
    process.invoked(ACTIVE)
    process.services.answer = lambda path, _body: (500 if path == "/TraceSegments" else 200, {})
    over = threading.Event()

    class Silent:
        def put_trace_segments(self, **_: list[str]) -> dict[str, Any]:
            over.wait()
            return {}

        def close(self) -> None: ...

    if hangs:
        bridge.emit_to_api(ApiEmitter(Silent))
    calling, log = Calling(), logging.getLogger("trace_bridge")
    log.addHandler(calling)
    batch = threading.Thread(target=handler, args=(batch_of(3), LambdaContext()), daemon=True)
    try:
        batch.start()
        batch.join(30)
        assert not batch.is_alive()
    finally:
        over.set()
        log.removeHandler(calling)
    assert counters().failed >= 3


@pytest.mark.parametrize("answer", [{"UnprocessedTraceSegments": ["?"]}, {"UnprocessedTraceSegments": 5}, ["?"], "?"])
def test_documents_behind_an_answer_that_makes_no_sense_are_counted_once(process: Process, answer: Any) -> None:
    class Client:
        def put_trace_segments(self, **_: list[str]) -> Any:
            return answer

        def close(self) -> None: ...

    bridge.emit_to_api(ApiEmitter(Client))
    assert handler(batch_of(3), LambdaContext()) == {"batchItemFailures": []}
    assert (counters().sent_api, counters().unprocessed, counters().failed) == (0, 0, 3)


def test_a_connection_closed_before_xray_throttles_loses_nothing(process: Process) -> None:
    refusals: list[Exception] = [
        ConnectionClosedError(endpoint_url="http://127.0.0.1"),
        ClientError({"Error": {"Code": "ThrottledException"}}, "PutTraceSegments"),
    ]

    class Client:
        def put_trace_segments(self, **_: list[str]) -> dict[str, Any]:
            if refusals:
                raise refusals.pop(0)
            return {}

        def close(self) -> None: ...

    bridge.emit_to_api(ApiEmitter(Client))
    handler(batch_of(3), LambdaContext())
    assert (counters().sent_api, counters().failed) == (3, 0)


def test_a_closed_port_costs_no_message(process: Process) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    process.monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{port}")
    process.new_emitter()
    stopwatch = Stopwatch()
    assert handler(batch_of(10), LambdaContext()) == {"batchItemFailures": []}
    assert stopwatch.seconds() < 2
    assert counters().failed == 10


@pytest.mark.parametrize(("milliseconds", "longest"), [(30_000, 2.0), (700, 0.7)])
def test_an_xray_that_hangs_costs_at_most_a_second_and_never_more_than_is_left(
    process: Process, milliseconds: int, longest: float
) -> None:
    process.services.hanging.clear()
    handle = sqs_handler(reserve_ms=0)(lambda message: message.json())
    taken = []
    for _ in range(4):
        stopwatch = Stopwatch()
        assert handle(batch_of(120), LambdaContext(milliseconds)) == {"batchItemFailures": []}
        taken.append(stopwatch.seconds())
    assert max(taken) < longest
    assert taken[-1] < 0.3
    # A call that timed out may have been repeated: neither copy is taken.
    process.services.answer = lambda *_: (503, {})
    process.services.hanging.set()


def test_an_xray_that_cannot_be_reached_costs_at_most_two_seconds_once(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = NoRoute()
    process.monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", nowhere.url)
    process.new_emitter()
    try:
        stopwatch = Stopwatch()
        assert handler(batch_of(120), LambdaContext()) == {"batchItemFailures": []}
        assert stopwatch.seconds() < 2
        stopwatch = Stopwatch()
        assert handler(batch_of(10), LambdaContext()) == {"batchItemFailures": []}
        assert stopwatch.seconds() < 0.5
        assert "no further attempt for 30 s" in caplog.text
        process.new_emitter()
    finally:
        nowhere.close()
    assert (counters().failed, counters().sent_api) == (130, 0)


def test_a_throttled_upload_is_tried_again_within_the_time_left(process: Process) -> None:
    answers = iter([(429, {"__type": "ThrottledException", "message": "slow"}), (429, {"message": "slow"})])
    process.services.answer = lambda _path, _body: next(answers, (200, {}))
    assert handler(batch_of(10), LambdaContext()) == {"batchItemFailures": []}
    assert (counters().sent_api, counters().failed) == (10, 0)
    assert len(process.services.of("/TraceSegments")) == 3


def test_an_xray_that_only_throttles_costs_a_few_seconds_once(process: Process) -> None:
    process.services.answer = lambda _path, _body: (429, {"message": "slow"})
    stopwatch = Stopwatch()
    assert handler(batch_of(10), LambdaContext()) == {"batchItemFailures": []}
    assert stopwatch.seconds() < 4
    calls = len(process.services.of("/TraceSegments"))
    handler(batch_of(10), LambdaContext())
    assert len(process.services.of("/TraceSegments")) == calls
    assert counters().failed == 20


def test_an_invocation_without_time_left_costs_later_messages_nothing(process: Process) -> None:
    process.services.hanging.clear()
    handle = sqs_handler(reserve_ms=0)(lambda message: message.json())
    handle(batch_of(3), LambdaContext(milliseconds=210))
    process.services.hanging.set()
    handle(event(*(record(number, trace=header(trace_id(number))) for number in range(4, 64))), LambdaContext())
    assert (len(process.documents()), counters().failed) == (63, 0)


def test_a_connection_lost_while_the_environment_was_frozen_is_no_failure_of_xray(process: Process) -> None:
    frozen, thawed = threading.Event(), threading.Event()

    class Client:
        def __init__(self) -> None:
            self.taken: list[str] = []

        def put_trace_segments(self, *, TraceSegmentDocuments: list[str]) -> dict[str, Any]:  # noqa: N803
            if not frozen.is_set():
                frozen.set()
                thawed.wait()
                raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
            self.taken += TraceSegmentDocuments
            return {}

        def close(self) -> None: ...

    client = Client()
    emitter = ApiEmitter(lambda: client)
    emitter.put("first")
    emitter.flush(0.05)
    assert frozen.is_set()
    emitter.put("second")
    thawed.set()
    emitter.flush(30.0)
    emitter.close()
    assert (sorted(client.taken), counters().failed) == (["first", "second"], 0)


def test_one_connection_that_fails_beside_others_that_do_not_loses_nothing(process: Process) -> None:
    class Client:
        calls = 0

        def put_trace_segments(self, **_: list[str]) -> dict[str, Any]:
            self.calls += 1
            if self.calls == 2:
                raise ReadTimeoutError(endpoint_url="http://127.0.0.1")
            return {}

        def close(self) -> None: ...

    emitter = ApiEmitter(Client)
    for document in ("first", "second"):
        emitter.put(document)
        emitter.flush()
    assert not emitter.backing_off
    emitter.close()
    assert (counters().sent_api, counters().failed) == (2, 0)


def test_after_backing_off_xray_is_tried_again(process: Process) -> None:
    clock = [1000.0]
    bridge.emit_to_api(ApiEmitter(clock=lambda: clock[0]))
    process.services.answer = lambda _path, _body: (500, {})
    handler(batch_of(1), LambdaContext())
    process.services.answer = lambda _path, _body: (200, {})
    for seconds, sent in ((29, 0), (31, 1)):
        clock[0] = 1000.0 + seconds
        handler(batch_of(1), LambdaContext())
        assert counters().sent_api == sent


def test_a_connection_that_was_closed_meanwhile_is_made_anew(process: Process) -> None:
    class Client:
        def __init__(self) -> None:
            self.calls = 0

        def put_trace_segments(self, **_: list[str]) -> dict[str, Any]:
            self.calls += 1
            if self.calls == 1:
                raise ConnectionClosedError(endpoint_url="http://127.0.0.1")
            return {}

        def close(self) -> None: ...

    client = Client()
    bridge.emit_to_api(ApiEmitter(lambda: client))
    handler(batch_of(1), LambdaContext())
    assert (client.calls, counters().sent_api, counters().lost) == (2, 1, 0)
