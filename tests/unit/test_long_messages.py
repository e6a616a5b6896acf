"""Messages that make very many calls, and consumers that take very many messages: what is kept of them is bounded."""

import gc
import weakref
from collections.abc import Callable, Iterator
from contextvars import copy_context
from typing import Any

import pytest
from aws_xray_sdk.core import xray_recorder
from trace_bridge import Message, continue_trace, counters, sqs_handler, subsegment

from tests.support import bridge
from tests.support.child_process import in_a_child
from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans
from tests.support.sampled_message import ROOT, SAMPLED

_LIST_TABLES = "DynamoDB_20120810.ListTables"


def _own() -> None:
    with subsegment("row") as row:
        row.put_annotation("number", 1)


def _of_the_sdk() -> None:
    bridge.join_sdk()
    with xray_recorder.in_subsegment("row"):
        pass


def _call_in_one(process: Process) -> None:
    with subsegment("row"):
        process.client("dynamodb").list_tables()


@pytest.mark.parametrize("step", [_own, _of_the_sdk], ids=["own", "SDK"])
@pytest.mark.parametrize("sampled", ["0", "1"])
def test_a_message_records_its_first_steps_and_says_so_once(
    process: Process, step: Callable[[], None], sampled: str, caplog: pytest.LogCaptureFixture
) -> None:
    more, is_sampled = 10, sampled == "1"
    client = process.client("dynamodb")

    @sqs_handler
    def handler(_message: Message) -> None:
        for _ in range(bridge.MAX_STEPS + more):
            step()
        client.list_tables()

    batch = event(record(trace=header(ROOT, sampled=sampled)))
    assert handler(batch, LambdaContext()) == {"batchItemFailures": []}
    documents = process.documents_of(ROOT)
    assert len(documents) == (bridge.MAX_STEPS + 1 if is_sampled else 0)
    said = [entry.message for entry in caplog.records if entry.name == "trace_bridge"]
    full = f"message message-1 has more than {bridge.MAX_STEPS} calls and subsegments; further ones are not recorded"
    assert said == [full] * is_sampled
    # What is called goes on in the message's trace.
    (carried,) = process.services.headers(_LIST_TABLES)
    parents = [document["id"] for document in documents if document["name"] == "worker"] or ["0123456789abcdef"]
    assert carried is not None
    assert carried.startswith(f"Root={ROOT};Parent={parents[0]};Sampled={sampled}")
    assert counters().lost == 0


def test_steps_below_steps_count_too(process: Process) -> None:
    process.monkeypatch.setattr(bridge.MessageSegment, "room", 5)

    @sqs_handler
    def handler(_message: Message) -> None:
        for _ in range(4):
            _call_in_one(process)

    handler(event(SAMPLED), LambdaContext())
    (document,) = process.documents_of(ROOT)
    assert [len(row.get("subsegments", [])) for row in document["subsegments"]] == [1, 1, 0]
    assert len(process.services.headers(_LIST_TABLES)) == 4


@pytest.mark.parametrize("sampled", ["0", "1"])
def test_what_the_sdk_calls_beyond_the_first_steps_goes_on_in_the_trace(process: Process, sampled: str) -> None:
    process.monkeypatch.setattr(bridge.MessageSegment, "room", 1)
    bridge.join_sdk()
    ids = []

    @sqs_handler
    def handler(_message: Message) -> None:
        for _ in range(2):
            with xray_recorder.in_subsegment("row") as row:
                assert row is not None
                ids.append(row.id)

    handler(event(record(trace=header(ROOT, sampled=sampled))), LambdaContext())
    segments = [document["id"] for document in process.documents_of(ROOT) if document["name"] == "worker"]
    assert ids[1] == (segments[0] if sampled == "1" else "0123456789abcdef")


def test_a_forked_process_sends_the_first_steps_alone(process: Process) -> None:
    process.monkeypatch.setattr(bridge.MessageSegment, "room", 1)
    bridge.join_sdk()

    def work() -> None:
        _of_the_sdk()
        _of_the_sdk()

    sqs_handler(lambda _message: in_a_child(work))(event(SAMPLED), LambdaContext())
    assert [document["name"] for document in process.documents_of(ROOT)] == ["row", "worker"]


@pytest.mark.parametrize("engine", ["xray", "otel"])
@pytest.mark.parametrize("shape", ["Lambda", "boto3"])
def test_a_consumer_whose_blocks_are_left_in_another_context_keeps_no_message(
    process: Process, spans: Spans, engine: str, shape: str
) -> None:
    process.set(engine=engine)

    def messages() -> Iterator[weakref.ref[Any]]:
        for number in range(1, 6):
            message = record(number, trace=header(trace_id(number)))
            if shape == "boto3":
                message = {"MessageId": message["messageId"], "Attributes": message["attributes"]}
            block = continue_trace(message, LambdaContext())
            yield weakref.ref(block.__enter__())
            copy_context().run(block.__exit__, None, None, None)

    def consume() -> None:
        taken = list(messages())
        gc.collect()
        assert [segment() is None for segment in taken] == [True] * 4 + [False]

    copy_context().run(consume)
