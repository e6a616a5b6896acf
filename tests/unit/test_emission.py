"""Documents on their way: in how many calls, by which way, and when."""

import socket
import threading
from typing import Any

import pytest
from trace_bridge import Message, continue_trace, counters, sqs_handler, trace_batch

from tests.support import bridge
from tests.support.lambda_events import ACTIVE, OWN_TRACE, LambdaContext, batch_of, event, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.timing import Stopwatch
from tests.support.waiting import wait_for


@sqs_handler
def handler(message: Message) -> None:
    message.json()


@pytest.mark.parametrize(("messages", "calls"), [(1, [1]), (10, [10]), (50, [50]), (51, [50, 1]), (120, [50, 50, 20])])
def test_a_batch_goes_out_in_as_few_calls_as_the_limit_allows(
    process: Process, messages: int, calls: list[int]
) -> None:
    bridge.set_linger_seconds(process.monkeypatch, 60.0)
    handler(batch_of(messages), LambdaContext())
    sizes = [len(body["TraceSegmentDocuments"]) for body in process.services.of("/TraceSegments")]
    assert sorted(sizes, reverse=True) == calls
    assert counters().sent_api == len(process.documents()) == messages


def test_a_loop_of_ones_own_sends_at_the_end_of_each_block_or_of_the_batch(process: Process) -> None:
    context = LambdaContext()
    records = batch_of(3)["Records"]
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
    handler(batch_of(3), LambdaContext())
    assert (counters().sent_api, counters().unprocessed) == (2, 1)
    assert "InvalidSegment: too odd" in caplog.text
    assert "lost trace documents" in caplog.text


def test_a_thread_that_cannot_be_started_costs_no_message_and_no_later_document(process: Process) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    process.set(emitter="api")
    with process.monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        stopwatch = Stopwatch()
        assert handler(batch_of(3), LambdaContext()) == {"batchItemFailures": []}
        assert stopwatch.seconds() < 1
    handler(batch_of(3), LambdaContext())
    assert (len(process.documents()), counters().failed) == (6, 0)


def test_no_socket_for_the_daemon_costs_no_message(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    def refused(*_: object) -> None:
        raise OSError(24, "Too many open files")

    process.invoked(ACTIVE)
    process.new_emitter()
    with process.monkeypatch.context() as patched:
        patched.setattr("trace_bridge._udp.UdpEmitter", refused)
        assert handler(batch_of(3), LambdaContext()) == {"batchItemFailures": []}
    assert "no socket for the X-Ray daemon" in caplog.text
    assert {document["trace_id"] for document in process.documents()} >= {trace_id(number) for number in (1, 2, 3)}


def test_a_daemon_that_begins_late_gets_the_first_document_sent_to_it() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as absent:
        absent.bind(("127.0.0.1", 0))
        address = absent.getsockname()
    emitter = bridge.UdpEmitter(address)
    assert emitter.send('{"id":"1"}')  # nobody listens, as the next call of the socket reports
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
    handler(batch_of(450), LambdaContext())
    assert (counters().sent_api, counters().failed) == (450, 0)
    assert eight_at_once.is_set()


def test_what_is_finished_leaves_before_the_rest_of_the_batch_is(process: Process) -> None:
    @sqs_handler
    def slow(message: Message) -> None:
        if message.message_id == "message-2":
            wait_for(lambda: process.services.documents(), what="the first message's segment")

    assert slow(batch_of(2), LambdaContext()) == {"batchItemFailures": []}


def test_a_message_that_never_ends_is_seen_in_its_trace(process: Process) -> None:
    process.set(in_progress=True)

    @sqs_handler
    def endless(message: Message) -> None:
        (begun,) = wait_for(lambda: process.services.documents(), what="the message's document")
        assert begun["in_progress"]
        assert begun["trace_id"] == message.trace_id

    assert endless(batch_of(1), LambdaContext()) == {"batchItemFailures": []}


def test_what_announces_a_message_never_arrives_behind_its_segment(process: Process) -> None:
    process.set(in_progress=True)
    handler(batch_of(60), LambdaContext())
    process.services.hanging.clear()
    late = threading.Timer(0.2, process.services.hanging.set)
    late.start()
    handler(event(*(record(number, trace=header(trace_id(number))) for number in range(61, 70))), LambdaContext())
    late.join()
    assert len(process.documents()) == 2 * 69


def test_no_region_costs_no_message(process: Process) -> None:
    process.monkeypatch.delenv("AWS_REGION")
    process.monkeypatch.delenv("AWS_DEFAULT_REGION")
    process.new_emitter()
    assert handler(batch_of(2), LambdaContext()) == {"batchItemFailures": []}
    assert counters().failed + counters().sent_api == 2


@pytest.mark.waits
def test_ten_thousand_messages_arrive_though_the_daemon_stalls(process: Process) -> None:
    process.invoked(ACTIVE)
    batch = batch_of(10_000)
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
    handler(batch_of(2), LambdaContext())
    assert len(process.daemon.documents()) == 2
    process.invoked(ACTIVE)
    process.set(emitter="api")
    handler(batch_of(2), LambdaContext())
    assert len([document for document in process.services.documents() if document["trace_id"] != OWN_TRACE]) == 2


def test_a_message_under_way_can_be_seen(process: Process) -> None:
    process.set(in_progress=True)
    with trace_batch(), continue_trace(record(trace=header(trace_id())), LambdaContext()):
        pass
    begun, done = process.documents()
    assert begun["in_progress"]
    assert begun["id"] == done["id"]
    assert "end_time" in done
