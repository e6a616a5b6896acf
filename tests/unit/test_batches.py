"""Batches: whose failure is whose, order, threads, time."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from trace_bridge import Message, TracedThreadPoolExecutor, continue_trace, counters, sqs_handler

from tests.support.bridge import current_scope
from tests.support.lambda_events import ACTIVE, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process


def _failed(answer: Any) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def _numbered(count: int, **more: Any) -> list[dict[str, Any]]:
    return [record(number, trace=header(trace_id(number)), **more) for number in range(1, count + 1)]


@pytest.mark.parametrize("workers", [1, 4])
def test_a_failure_is_that_messages_alone(process: Process, workers: int) -> None:
    @sqs_handler(max_workers=workers)
    def handler(message: Message) -> None:
        if message.json()["number"] == 2:
            raise KeyError("two")

    assert _failed(handler(event(*_numbered(3)), LambdaContext())) == ["message-2"]
    documents = {document["annotations"]["message_id"]: document for document in process.documents()}
    assert len(documents) == 3
    assert documents["message-2"]["fault"]
    assert documents["message-2"]["cause"]["exceptions"][0]["type"] == "KeyError"
    assert "fault" not in documents["message-1"]


async def _nothing() -> None:
    pass


def test_an_async_failure_is_that_messages_alone(process: Process) -> None:
    @sqs_handler
    async def handler(message: Message) -> None:
        await _nothing()
        if message.json()["number"] == 2:
            raise KeyError("two")

    assert _failed(handler(event(*_numbered(3)), LambdaContext())) == ["message-2"]
    assert len(process.documents()) == 3


def test_an_async_fifo_batch_keeps_its_order_and_its_time(process: Process) -> None:
    context = LambdaContext()
    ran = []

    @sqs_handler(max_workers=4, reserve_ms=500)
    async def handler(message: Message) -> None:
        ran.append(message.message_id)
        if message.message_id == "message-1":
            raise ValueError
        if message.message_id == "message-4":
            context.milliseconds = 400

    groups = {1: "a", 2: "a", 4: "b", 5: "b"}
    records = [record(n, trace=header(trace_id(n)), queue="orders.fifo", MessageGroupId=g) for n, g in groups.items()]
    assert _failed(handler(event(*records), context)) == ["message-1", "message-2", "message-5"]
    assert sorted(ran) == ["message-1", "message-4"]


@pytest.mark.parametrize("workers", [1, 4])
def test_behind_a_failure_of_a_group_nothing_of_it_runs(process: Process, workers: int) -> None:
    ran = []

    @sqs_handler(max_workers=workers)
    def handler(message: Message) -> None:
        ran.append(message.message_id)
        if message.message_id == "message-1":
            raise ValueError

    groups = {1: "a", 2: "b", 3: "a", 4: "b"}
    records = [record(n, trace=header(trace_id(n)), queue="orders.fifo", MessageGroupId=g) for n, g in groups.items()]
    assert _failed(handler(event(*records), LambdaContext())) == ["message-1", "message-3"]
    assert "message-3" not in ran
    assert [message for message in ran if message in ("message-2", "message-4")] == ["message-2", "message-4"]
    assert len(process.documents()) == 3


def test_messages_worked_on_at_once_do_not_mix(process: Process) -> None:
    together = threading.Barrier(4, timeout=10)
    client = process.client("dynamodb")

    @sqs_handler(max_workers=4)
    def handler(message: Message) -> None:
        together.wait()
        client.delete_item(TableName=message.message_id, Key={"id": {"S": "1"}})
        together.wait()

    assert _failed(handler(event(*_numbered(4)), LambdaContext())) == []
    for document in process.documents():
        (call,) = document["subsegments"]
        assert call["aws"]["table_name"] == document["annotations"]["message_id"]


def test_near_the_end_of_the_time_the_rest_is_returned(process: Process) -> None:
    context = LambdaContext()

    @sqs_handler(reserve_ms=500)
    def handler(message: Message) -> None:
        if message.message_id == "message-2":
            context.milliseconds = 400

    assert _failed(handler(event(*_numbered(4)), context)) == ["message-3", "message-4"]
    assert len(process.documents()) == 2


def test_a_record_that_lacks_everything_fails_by_itself(process: Process) -> None:
    @sqs_handler
    def handler(message: Message) -> None:
        message.json()

    broken: Any = [{"eventSource": "aws:sqs", "messageId": "empty"}, record(1, trace=header(trace_id()))]
    assert _failed(handler({"Records": broken}, LambdaContext())) == ["empty"]
    assert len(process.documents()) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("text", "the event is str"),
        ({"httpMethod": "GET"}, r"keys \['httpMethod'\]"),
        ({"Records": [{"eventSource": "aws:s3"}]}, "come from 'aws:s3'"),
        ({"Records": [{"EventSource": "aws:sns", "Sns": {}}]}, "come from 'aws:sns'"),
        ({"Records": [{"cf": {"request": {}}}]}, r"have the keys \['cf'\]"),
        ({"Records": ["text"]}, "hold str"),
    ],
)
def test_an_event_that_is_no_batch_is_told(process: Process, wrong: Any, message: str) -> None:
    @sqs_handler
    def handler(_message: Message) -> None: ...

    with pytest.raises(ValueError, match=message) as raised:
        handler(wrong, LambdaContext())
    assert "expected the event of an SQS event source mapping" in str(raised.value)


def test_a_traced_executor_stays_in_the_message_and_a_plain_thread_does_not(process: Process) -> None:
    seen: list[str | None] = []

    def look() -> None:
        scope = current_scope()
        seen.append(scope.message.trace_id if scope else None)

    @sqs_handler
    def handler(_message: Message) -> None:
        with TracedThreadPoolExecutor(1) as pool:
            pool.submit(look).result()
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    root = trace_id(9)
    handler(event(record(trace=header(root))), LambdaContext())
    assert seen == [root, None]


def test_every_message_is_counted(process: Process) -> None:
    @sqs_handler
    def handler(_message: Message) -> None: ...

    root = trace_id()
    kinds = [header(root), header(root, sampled="0"), header(root, sampled="?"), None, "nonsense"]
    handler(event(*(record(n, trace=kind) for n, kind in enumerate(kinds))), LambdaContext())
    counts = counters()
    assert (counts.continued, counts.unsampled, counts.undecided, counts.without_header) == (1, 1, 1, 2)
    assert (counts.sent_api, counts.lost) == (1, 0)


def test_a_clock_that_steps_back_ends_no_document_before_its_start(process: Process) -> None:
    process.invoked(ACTIVE)
    now = [time.time()]
    client = process.client("dynamodb")

    @sqs_handler
    def handler(_message: Message) -> None:
        client.delete_item(TableName="orders", Key={"id": {"S": "1"}})
        now[0] -= 60

    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(time, "time", lambda: now[0])
        assert _failed(handler(event(*_numbered(2)), LambdaContext())) == []
    documents = process.documents()
    assert len(documents) == 3, "the messages', and the links in Lambda's own trace"
    for document in [*documents, *(nested for parent in documents for nested in parent.get("subsegments", ()))]:
        assert document["end_time"] >= document["start_time"]


@pytest.mark.parametrize("ended", ["in the next message", "never", "at once"])
def test_a_generator_left_open_inside_a_message_disturbs_no_other(process: Process, ended: str) -> None:
    client, kept = process.client("dynamodb"), []

    def rows() -> Iterator[None]:
        with continue_trace(record(9, trace=header(trace_id(9))), LambdaContext()):
            yield

    @sqs_handler
    def handler(message: Message) -> None:
        if message.message_id == "message-1":
            kept.append(rows())
            next(kept[0])
            if ended == "at once":
                kept.clear()
        elif ended == "in the next message":
            kept.clear()
        client.delete_item(TableName=message.message_id, Key={"id": {"S": "1"}})

    assert _failed(handler(event(*_numbered(3)), LambdaContext())) == []
    kept.clear()
    for number in (2, 3):
        [document] = process.documents_of(trace_id(number))
        [call] = document["subsegments"]
        assert call["aws"]["table_name"] == f"message-{number}"
        assert "fault" not in document
