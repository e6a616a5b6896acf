"""Beside the X-Ray SDK: what it does inside a message, and that nothing of it breaks."""

import asyncio
from contextvars import copy_context
from typing import Any

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.async_context import AsyncContext
from aws_xray_sdk.core.lambda_launcher import LambdaContext as LambdaSdkContext
from aws_xray_sdk.core.models.segment import Segment
from trace_bridge import Message, continue_trace, sqs_handler, trace_batch

from tests.support.lambda_events import ACTIVE, OWN_TRACE, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

ROOT = trace_id(3)
SAMPLED = record(trace=header(ROOT))


def _message(process: Process) -> dict[str, Any]:
    (document,) = process.documents_of(ROOT)
    return document


def test_what_the_sdk_records_inside_a_message_is_the_messages(process: Process) -> None:
    client = process.client("dynamodb")

    @xray_recorder.capture("priced")  # type: ignore[call-arg] # the SDK types its decorator as a context manager
    def price() -> None:
        xray_recorder.put_annotation("currency", "EUR")

    with continue_trace(SAMPLED, LambdaContext()) as segment:
        segment.put_annotation("mine", 1)
        xray_recorder.current_segment().put_annotation("theirs", 2)
        xray_recorder.current_segment().put_metadata("key", {"a": 1}, "shop")
        xray_recorder.current_segment().put_http_meta("url", "https://example.com")
        with xray_recorder.in_subsegment("outer") as outer:
            price()
            client.delete_item(TableName="inside", Key={"id": {"S": "1"}})
            assert outer is not None
            assert outer.trace_id == ROOT
        client.delete_item(TableName="outside", Key={"id": {"S": "1"}})
    document = _message(process)
    assert {"mine": 1, "theirs": 2}.items() <= document["annotations"].items()
    assert document["metadata"]["shop"] == {"key": {"a": 1}}
    assert document["metadata"]["trace_bridge"]["queue"]
    assert document["http"]["request"]["url"] == "https://example.com"
    direct, opened = document["subsegments"]
    assert direct["aws"]["table_name"] == "outside"
    assert [nested["name"] for nested in opened["subsegments"]] == ["priced", "dynamodb"]
    assert opened["subsegments"][0]["annotations"] == {"currency": "EUR"}


def test_open_subsegments_of_lambdas_own_trace_survive(process: Process) -> None:
    process.invoked(ACTIVE)
    process.trace_of_the_sdk = OWN_TRACE
    xray_recorder.emitter.set_daemon_address(process.daemon.address)
    process.monkeypatch.setattr(xray_recorder, "_context", LambdaSdkContext())
    xray_recorder.configure(streaming_threshold=0)
    with xray_recorder.in_subsegment("before") as before:
        with trace_batch(), continue_trace(SAMPLED, LambdaContext()):
            with xray_recorder.in_subsegment("inside"):
                pass
            assert xray_recorder.current_segment().trace_id == ROOT
        assert xray_recorder.current_subsegment() is before
        with xray_recorder.in_subsegment("after"):
            pass
    assert [nested["name"] for nested in _message(process)["subsegments"]] == ["inside"]
    own = [document for document in process.daemon.documents() if document["trace_id"] == OWN_TRACE]
    assert {"before", "after"} <= {document["name"] for document in own}


def test_a_subsegment_that_outlasts_its_message_ends_no_other(process: Process) -> None:
    process.invoked(ACTIVE)
    process.trace_of_the_sdk = OWN_TRACE
    xray_recorder.emitter.set_daemon_address(process.daemon.address)
    process.monkeypatch.setattr(xray_recorder, "_context", LambdaSdkContext())
    with xray_recorder.in_subsegment("before"):
        with continue_trace(SAMPLED, LambdaContext()):
            before = xray_recorder.context.inner.get_trace_entity()  # type: ignore[attr-defined]
            work = copy_context()
            work.run(xray_recorder.begin_subsegment, "late")
        work.run(xray_recorder.end_subsegment)
        assert xray_recorder.current_subsegment() is before


def test_what_is_left_open_is_closed(process: Process) -> None:
    with continue_trace(SAMPLED, LambdaContext()):
        xray_recorder.begin_subsegment("left")
        xray_recorder.begin_subsegment("open")
    (left,) = _message(process)["subsegments"]
    assert left["end_time"]
    assert left["subsegments"][0]["end_time"]


def test_an_exception_goes_on_unchanged_and_is_described_once(process: Process) -> None:
    error = RuntimeError("boom")
    with (
        pytest.raises(RuntimeError) as raised,
        continue_trace(SAMPLED, LambdaContext()),
        xray_recorder.in_subsegment("inner"),
    ):
        raise error
    assert raised.value is error
    document = _message(process)
    described = document["subsegments"][0]["cause"]["exceptions"][0]
    assert document["fault"]
    assert document["cause"] == described["id"]


def test_a_failed_call_is_described_once(process: Process) -> None:
    from botocore.exceptions import ClientError

    process.services.answer = lambda _path, _body: (400, {"__type": "ResourceNotFoundException", "message": "no table"})
    client = process.client("dynamodb")
    process.set(emitter="udp")
    with pytest.raises(ClientError), continue_trace(SAMPLED, LambdaContext()):
        client.delete_item(TableName="gone", Key={"id": {"S": "1"}})
    document = _message(process)
    (call,) = document["subsegments"]
    assert call["http"]["response"]["status"] == 400
    assert call["error"]
    assert "fault" not in call
    assert document["cause"] == call["cause"]["exceptions"][0]["id"]


def test_a_call_that_is_never_answered_still_tells_its_table(process: Process) -> None:
    from botocore.exceptions import ConnectionClosedError

    client = process.own_client("dynamodb")

    def cut(**_: object) -> None:
        raise ConnectionClosedError(endpoint_url="http://127.0.0.1")

    client.meta.events.register("before-send", cut)
    process.set(emitter="udp")
    with pytest.raises(ConnectionClosedError), continue_trace(SAMPLED, LambdaContext()):
        client.delete_item(TableName="orders", Key={"id": {"S": "1"}})
    (call,) = _message(process)["subsegments"]
    assert call["fault"]
    assert call["aws"]["table_name"] == "orders"


def test_an_unsampled_message_hands_on_its_real_trace(process: Process) -> None:
    with continue_trace(record(trace=header(ROOT, sampled="0")), LambdaContext()):
        assert xray_recorder.current_segment().trace_id == ROOT
        assert not xray_recorder.is_sampled()
        with xray_recorder.in_subsegment("dropped"):
            pass
    assert process.documents() == []


def test_tasks_of_one_loop_do_not_mix(process: Process) -> None:
    async def one(number: int, turn: asyncio.Barrier) -> None:
        with continue_trace(record(number, trace=header(trace_id(number))), LambdaContext()):
            await turn.wait()
            async with xray_recorder.in_subsegment_async(f"task-{number}"):
                await turn.wait()

    async def everything() -> None:
        turn = asyncio.Barrier(3)
        await asyncio.gather(*(one(number, turn) for number in (1, 2, 3)))

    with trace_batch():
        asyncio.run(everything())
    for document in process.documents():
        assert document["trace_id"].endswith(document["subsegments"][0]["name"][-1])


def test_an_entity_can_be_carried_into_a_thread(process: Process) -> None:
    import threading

    with continue_trace(SAMPLED, LambdaContext()), xray_recorder.in_subsegment("parent") as parent:
        assert parent is not None

        def work() -> None:
            xray_recorder.set_trace_entity(parent)
            with xray_recorder.in_subsegment("threaded"):
                pass

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert _message(process)["subsegments"][0]["subsegments"][0]["name"] == "threaded"


def test_a_context_configured_later_is_routed_too(process: Process) -> None:
    before = xray_recorder.context
    loop = asyncio.new_event_loop()
    try:
        xray_recorder.configure(context=AsyncContext(loop=loop))
        with continue_trace(SAMPLED, LambdaContext()), xray_recorder.in_subsegment("seen"):
            pass
    finally:
        xray_recorder.configure(context=before)
        loop.close()
    assert _message(process)["subsegments"][0]["name"] == "seen"


def test_a_segment_of_the_handlers_own_does_not_end_the_messages(process: Process) -> None:
    with continue_trace(SAMPLED, LambdaContext()) as segment:
        mine = xray_recorder.begin_segment("mine", traceid=ROOT, sampling=True)
        assert xray_recorder.current_segment() is mine
        xray_recorder.end_segment()
        assert xray_recorder.current_segment().id == segment.id
        assert not xray_recorder.context.end_subsegment()
        xray_recorder.clear_trace_entities()
        xray_recorder.end_segment()
    assert _message(process)["id"] == segment.id


def test_an_entity_of_another_trace_is_the_handlers_own_affair(process: Process) -> None:
    with continue_trace(SAMPLED, LambdaContext()) as segment:
        ours = xray_recorder.current_segment()
        mine = Segment("mine", traceid=trace_id(8))
        xray_recorder.set_trace_entity(mine)
        assert xray_recorder.current_segment() is mine
        xray_recorder.clear_trace_entities()
        assert xray_recorder.current_segment().id == segment.id
        xray_recorder.set_trace_entity(ours)
        assert xray_recorder.get_trace_entity().id == segment.id
    assert "subsegments" not in _message(process)


def test_fields_of_the_sdk_stand_beside_the_bridges(process: Process) -> None:
    with continue_trace(SAMPLED, LambdaContext()):
        segment = xray_recorder.current_segment()
        segment.set_aws({"operation": "Order", "xray": {"auto_instrumentation": False}})
        segment.put_metadata("theirs", 1, "trace_bridge")
        segment.set_user("Ann")
    document = _message(process)
    assert document["aws"]["operation"] == "Order"
    assert document["aws"]["request_id"]
    assert document["aws"]["xray"]["auto_instrumentation"] is False
    assert document["aws"]["xray"]["sdk"] == "trace-bridge"
    assert {"theirs", "queue"} <= document["metadata"]["trace_bridge"].keys()
    assert document["user"] == "Ann"


def test_behind_a_message_inside_another_the_outer_one_goes_on(process: Process) -> None:
    inner = trace_id(8)
    with continue_trace(SAMPLED, LambdaContext()):
        with continue_trace(record(trace=header(inner)), LambdaContext()):
            assert xray_recorder.current_segment().trace_id == inner
        assert xray_recorder.current_segment().trace_id == ROOT
        with xray_recorder.in_subsegment("outer"):
            pass
    assert [nested["name"] for nested in _message(process)["subsegments"]] == ["outer"]


def test_warm_starts_leak_nothing(process: Process) -> None:
    @sqs_handler
    def handler(_message: Message) -> None:
        xray_recorder.begin_subsegment("leak")

    for number in range(3):
        handler(event(record(number, trace=header(trace_id(number + 1)))), LambdaContext())
    assert [len(document["subsegments"]) for document in process.documents()] == [1, 1, 1]
