"""Documents on their way: how many calls, what fits, and what happens when X-Ray does not answer."""

import json
import logging
import socket
import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from trace_bridge import Message, continue_trace, counters, sqs_handler, trace_batch

from tests.support import bridge
from tests.support.bridge import ApiEmitter
from tests.support.fake_endpoints import NoRoute
from tests.support.lambda_events import ACTIVE, OWN_TRACE, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.segment_validator import validate
from tests.support.timing import Stopwatch
from tests.support.waiting import wait_for


def _batch(count: int) -> dict[str, Any]:
    return event(*(record(number, trace=header(trace_id(number))) for number in range(1, count + 1)))


@sqs_handler
def handler(message: Message) -> None:
    message.json()


@pytest.mark.parametrize(("messages", "calls"), [(1, [1]), (10, [10]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])])
def test_a_batch_goes_out_in_as_few_calls_as_the_limit_allows(
    process: Process, messages: int, calls: list[int]
) -> None:
    bridge.set_linger_seconds(process.monkeypatch, 60.0)
    handler(_batch(messages), LambdaContext())
    sizes = [len(body["TraceSegmentDocuments"]) for body in process.services.of("/TraceSegments")]
    assert sorted(sizes, reverse=True) == calls
    assert counters().sent_api == len(process.documents()) == messages


def test_a_loop_of_ones_own_sends_at_the_end_of_each_block_or_of_the_batch(process: Process) -> None:
    context = LambdaContext()
    records = _batch(3)["Records"]
    for number, item in enumerate(records, 1):
        with continue_trace(item, context):
            pass
        assert len(process.services.of("/TraceSegments")) == number
    with trace_batch(context):
        for item in records:
            with continue_trace(item, context):
                pass
        assert len(process.services.of("/TraceSegments")) == 3
    assert len(process.services.of("/TraceSegments")) == 4


def test_what_xray_refuses_is_counted_and_told(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    refused = {"Id": "1", "ErrorCode": "InvalidSegment", "Message": "too odd"}
    process.services.answer = lambda _path, _body: (200, {"UnprocessedTraceSegments": [refused]})
    handler(_batch(3), LambdaContext())
    assert (counters().sent_api, counters().unprocessed) == (2, 1)
    assert "InvalidSegment: too odd" in caplog.text
    assert "lost trace documents" in caplog.text


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
    assert handler(_batch(120), LambdaContext()) == {"batchItemFailures": []}
    assert handler(_batch(10), LambdaContext()) == {"batchItemFailures": []}
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
    batch = threading.Thread(target=handler, args=(_batch(3), LambdaContext()), daemon=True)
    try:
        batch.start()
        batch.join(30)
        assert not batch.is_alive()
    finally:
        over.set()
        log.removeHandler(calling)
    assert counters().failed >= 3


def test_a_thread_that_cannot_be_started_costs_no_message_and_no_later_document(process: Process) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    process.set(emitter="api")
    with process.monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        assert handler(_batch(3), LambdaContext(milliseconds=400)) == {"batchItemFailures": []}
    handler(_batch(3), LambdaContext())
    assert (len(process.documents()), counters().failed) == (6, 0)


def test_no_socket_for_the_daemon_costs_no_message(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    def refused(*_: object) -> None:
        raise OSError(24, "Too many open files")

    process.invoked(ACTIVE)
    process.new_emitter()
    with process.monkeypatch.context() as patched:
        patched.setattr("trace_bridge._emitter.UdpEmitter", refused)
        assert handler(_batch(3), LambdaContext()) == {"batchItemFailures": []}
    assert "no socket for the X-Ray daemon" in caplog.text
    assert {document["trace_id"] for document in process.documents()} >= {trace_id(number) for number in (1, 2, 3)}


@pytest.mark.parametrize("answer", [{"UnprocessedTraceSegments": ["?"]}, {"UnprocessedTraceSegments": 5}, ["?"], "?"])
def test_documents_behind_an_answer_that_makes_no_sense_are_counted_once(process: Process, answer: Any) -> None:
    class Client:
        def put_trace_segments(self, **_: list[str]) -> Any:
            return answer

        def close(self) -> None: ...

    bridge.emit_to_api(ApiEmitter(Client))
    assert handler(_batch(3), LambdaContext()) == {"batchItemFailures": []}
    assert (counters().sent_api, counters().unprocessed, counters().failed) == (0, 0, 3)


def test_a_connection_closed_before_xray_throttles_loses_nothing(process: Process) -> None:
    told: list[Exception] = [
        ConnectionClosedError(endpoint_url="http://127.0.0.1"),
        ClientError({"Error": {"Code": "ThrottledException"}}, "PutTraceSegments"),
    ]

    class Client:
        def put_trace_segments(self, **_: list[str]) -> dict[str, Any]:
            if told:
                raise told.pop(0)
            return {}

        def close(self) -> None: ...

    bridge.emit_to_api(ApiEmitter(Client))
    handler(_batch(3), LambdaContext())
    assert (counters().sent_api, counters().failed) == (3, 0)


def test_a_closed_port_costs_no_message(process: Process) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    process.monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{port}")
    process.new_emitter()
    stopwatch = Stopwatch()
    assert handler(_batch(10), LambdaContext()) == {"batchItemFailures": []}
    assert stopwatch.seconds() < 2
    assert counters().failed == 10


def test_a_daemon_that_begins_late_gets_the_first_document_sent_to_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as absent:
        absent.bind(("127.0.0.1", 0))
        address = absent.getsockname()
    emitter = bridge.UdpEmitter(address)
    assert emitter.send('{"id":"1"}')  # nobody listens, as the next call of the socket is told
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(address)
        daemon.settimeout(5)
        assert emitter.send('{"id":"2"}')
        assert daemon.recv(65536).endswith(b'{"id":"2"}')
    emitter.close()


def test_what_the_system_refuses_to_send_is_said_to_be_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.bind(("127.0.0.1", 0))
        emitter = bridge.UdpEmitter(daemon.getsockname())
        assert not emitter.send("x" * 70_000)  # more than a datagram holds
        assert emitter.send('{"id":"1"}')
        emitter.close()


@pytest.mark.parametrize(("milliseconds", "longest"), [(30_000, 2.0), (700, 0.7)])
def test_an_xray_that_hangs_costs_at_most_a_second_and_never_more_than_is_left(
    process: Process, milliseconds: int, longest: float
) -> None:
    process.services.hanging.clear()
    handle = sqs_handler(reserve_ms=0)(lambda message: message.json())
    taken = []
    for _ in range(4):
        stopwatch = Stopwatch()
        assert handle(_batch(120), LambdaContext(milliseconds)) == {"batchItemFailures": []}
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
        assert handler(_batch(120), LambdaContext()) == {"batchItemFailures": []}
        assert stopwatch.seconds() < 2
        stopwatch = Stopwatch()
        assert handler(_batch(10), LambdaContext()) == {"batchItemFailures": []}
        assert stopwatch.seconds() < 0.5
        assert "no further attempt for 30 s" in caplog.text
        process.new_emitter()
    finally:
        nowhere.close()
    assert (counters().failed, counters().sent_api) == (130, 0)


def test_a_throttled_upload_is_tried_again_within_the_time_left(process: Process) -> None:
    answers = iter([(429, {"__type": "ThrottledException", "message": "slow"}), (429, {"message": "slow"})])
    process.services.answer = lambda _path, _body: next(answers, (200, {}))
    assert handler(_batch(10), LambdaContext()) == {"batchItemFailures": []}
    assert (counters().sent_api, counters().failed) == (10, 0)
    assert len(process.services.of("/TraceSegments")) == 3


def test_an_xray_that_only_throttles_costs_a_few_seconds_once(process: Process) -> None:
    process.services.answer = lambda _path, _body: (429, {"message": "slow"})
    stopwatch = Stopwatch()
    assert handler(_batch(10), LambdaContext()) == {"batchItemFailures": []}
    assert stopwatch.seconds() < 4
    calls = len(process.services.of("/TraceSegments"))
    handler(_batch(10), LambdaContext())
    assert len(process.services.of("/TraceSegments")) == calls
    assert counters().failed == 20


def test_an_invocation_without_time_left_costs_later_messages_nothing(process: Process) -> None:
    process.services.hanging.clear()
    handle = sqs_handler(reserve_ms=0)(lambda message: message.json())
    handle(_batch(3), LambdaContext(milliseconds=210))
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


def test_several_uploads_are_under_way_at_once(process: Process) -> None:
    lock, eight_at_once, under_way = threading.Lock(), threading.Event(), 0

    def answer(_path: str, _body: Any) -> tuple[int, dict[str, Any]]:
        nonlocal under_way
        if not counters().sent_api:
            return 200, {}  # the first call goes alone, to see whether X-Ray answers
        with lock:
            under_way += 1
            if under_way == 8:
                eight_at_once.set()
        eight_at_once.wait(timeout=0.7)  # less than a call may take
        with lock:
            under_way -= 1
        return 200, {}

    process.services.answer = answer
    handler(_batch(450), LambdaContext())
    assert (counters().sent_api, counters().failed) == (450, 0)
    assert eight_at_once.is_set()


def test_what_is_finished_leaves_before_the_rest_of_the_batch_is(process: Process) -> None:
    @sqs_handler
    def slow(message: Message) -> None:
        if message.message_id == "message-2":
            wait_for(lambda: process.services.documents(), what="the first message's segment")

    assert slow(_batch(2), LambdaContext()) == {"batchItemFailures": []}


def test_a_message_that_never_ends_is_seen_in_its_trace(process: Process) -> None:
    process.set(in_progress=True)

    @sqs_handler
    def endless(message: Message) -> None:
        (begun,) = wait_for(lambda: process.services.documents(), what="the message's document")
        assert begun["in_progress"]
        assert begun["trace_id"] == message.trace_id

    assert endless(_batch(1), LambdaContext()) == {"batchItemFailures": []}


def test_what_announces_a_message_never_arrives_behind_its_segment(process: Process) -> None:
    process.set(in_progress=True)
    handler(_batch(60), LambdaContext())
    process.services.hanging.clear()
    late = threading.Timer(0.2, process.services.hanging.set)
    late.start()
    handler(event(*(record(number, trace=header(trace_id(number))) for number in range(61, 70))), LambdaContext())
    late.join()
    assert len(process.documents()) == 2 * 69


def test_after_backing_off_xray_is_tried_again(process: Process) -> None:
    clock = [1000.0]
    bridge.emit_to_api(ApiEmitter(clock=lambda: clock[0]))
    process.services.answer = lambda _path, _body: (500, {})
    handler(_batch(1), LambdaContext())
    process.services.answer = lambda _path, _body: (200, {})
    for seconds, sent in ((29, 0), (31, 1)):
        clock[0] = 1000.0 + seconds
        handler(_batch(1), LambdaContext())
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
    handler(_batch(1), LambdaContext())
    assert (client.calls, counters().sent_api, counters().lost) == (2, 1, 0)


def test_no_region_costs_no_message(process: Process) -> None:
    process.monkeypatch.delenv("AWS_REGION")
    process.monkeypatch.delenv("AWS_DEFAULT_REGION")
    process.new_emitter()
    assert handler(_batch(2), LambdaContext()) == {"batchItemFailures": []}
    assert counters().failed + counters().sent_api == 2


def test_ten_thousand_messages_arrive_though_the_daemon_stalls(process: Process) -> None:
    process.invoked(ACTIVE)
    batch = _batch(10_000)
    process.daemon.reading.clear()
    stall = threading.Timer(0.2, process.daemon.reading.set)
    stall.start()
    stopwatch = Stopwatch()
    handler(batch, LambdaContext())
    assert stopwatch.seconds() < 5
    stall.join()
    assert counters().lost == 0
    arrived = {document["trace_id"] for document in process.daemon.documents() + process.services.documents()}
    assert len(arrived - {OWN_TRACE}) == 10_000


def test_the_emitter_can_be_chosen(process: Process) -> None:
    process.set(emitter="udp")
    handler(_batch(2), LambdaContext())
    assert len(process.daemon.documents()) == 2
    process.invoked(ACTIVE)
    process.set(emitter="api")
    handler(_batch(2), LambdaContext())
    assert len([document for document in process.services.documents() if document["trace_id"] != OWN_TRACE]) == 2


def test_a_message_under_way_can_be_seen(process: Process) -> None:
    process.set(in_progress=True)
    with trace_batch(), continue_trace(record(trace=header(trace_id())), LambdaContext()):
        pass
    begun, done = process.documents()
    assert begun["in_progress"]
    assert begun["id"] == done["id"]
    assert "end_time" in done


def test_a_segment_too_large_gives_up_its_calls_first(process: Process) -> None:
    client = process.client("dynamodb")
    with trace_batch(), continue_trace(record(trace=header(trace_id())), LambdaContext()) as segment:
        segment.put_metadata("kept", "x" * 30_000)
        for number in range(40):
            client.delete_item(TableName=f"table-{number}-{'y' * 1000}", Key={"id": {"S": "1"}})
    whole, *parts = process.documents()
    assert whole["metadata"]["default"]["kept"]
    assert len(parts) == counters().split == 40
    assert {part["parent_id"] for part in parts} == {whole["id"]}
    assert {part["trace_id"] for part in parts} == {whole["trace_id"]}


def _large(**more: Any) -> dict[str, Any]:
    return {"id": "a" * 16, "trace_id": trace_id(), "name": "n", "start_time": 1.0, "end_time": 2.0, **more}


def test_what_is_too_large_is_trimmed_in_order() -> None:
    frames = [{"path": "p" * 1000, "line": 1, "label": "f"}] * 50
    exception = {"id": "b" * 16, "type": "E", "message": "m" * 1000, "stack": frames}
    cause = {"working_directory": "/", "exceptions": [exception]}
    big = "x" * 70_000
    annotations = {"message_id": "m", **{f"k{number}": "v" * 1000 for number in range(70)}}

    def cut(**more: Any) -> dict[str, Any]:
        (written,) = bridge.fit(json.dumps(_large(**more)))
        assert len(written) <= bridge.MAX_DOCUMENT_BYTES
        document: dict[str, Any] = json.loads(written)
        return document

    stackless = cut(cause=cause, metadata={"d": {"k": "x" * 30_000}})
    assert "stack" not in stackless["cause"]["exceptions"][0]
    assert "metadata" in stackless
    bare = cut(metadata={"d": {"k": big}}, annotations={"message_id": "m"})
    assert "metadata" not in bare
    assert bare["annotations"]
    assert "sql" not in cut(sql={"sanitized_query": big}, aws={"operation": "X", "table_name": big})
    assert (
        len(cut(cause={**cause, "exceptions": [{**exception, "message": big}]})["cause"]["exceptions"][0]["message"])
        == 200
    )
    assert cut(annotations=annotations)["annotations"] == {"message_id": "m"}


@pytest.mark.parametrize(("size", "kept"), [(64_000, True), (64_001, False), (69_000, False)])
def test_a_document_has_at_most_64_kb(size: int, kept: bool) -> None:
    without = json.dumps(_large(metadata={"d": {"k": ""}}), separators=(",", ":"))
    document = without.replace('"k":""', f'"k":"{"x" * (size - len(without))}"')
    assert len(document) == size
    (written,) = bridge.fit(document)
    assert len(written) <= 64_000
    assert ("metadata" in json.loads(written)) == kept


def test_what_cannot_be_trimmed_is_dropped_and_counted(process: Process) -> None:
    assert bridge.fit(json.dumps(_large(user="u" * 70_000))) == []
    assert counters().oversized == 1


def test_odd_values_do_not_cost_the_segment(process: Process) -> None:
    class Unspeakable:
        def __str__(self) -> str:
            raise RuntimeError

    circle: list[object] = []
    circle.append(circle)
    with continue_trace(record(trace=header(trace_id())), LambdaContext()) as segment:
        segment.put_annotation("no spaces", 1).put_annotation("nan", float("nan")).put_annotation("good", True)
        segment.put_annotation("thing", object())  # type: ignore[arg-type]
        segment.put_metadata("nan", float("nan")).put_metadata("odd", Unspeakable()).put_metadata("circle", circle)
        segment.put_metadata("keys", {(1, 2): {"a", "b"}})
        segment.put_metadata(["no key"], 1).put_metadata("key", 1, {"no": "namespace"})  # type: ignore[arg-type]
        segment.add_exception("no exception")  # type: ignore[arg-type]
    (document,) = process.documents()
    validate(document)
    assert document["annotations"]["good"] is True
    assert set(document["annotations"]) == {"message_id", "attempt", "queue_ms", "good"}
    assert document["metadata"]["default"]["nan"] == "nan"
    assert document["metadata"]["default"]["['no key']"] == 1
    assert document["cause"]["exceptions"][0]["message"] == "no exception"
