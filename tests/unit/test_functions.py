"""Functions of the handler's own inside messages: `subsegment` and `capture`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from aws_xray_sdk.core import xray_recorder
from trace_bridge import Message, TracedThreadPoolExecutor, capture, continue_trace, sqs_handler, subsegment

from tests.support.lambda_events import LambdaContext, event, header, record
from tests.support.lambda_process import Process
from tests.support.sampled_message import ROOT, SAMPLED, recorded_message, run_in_message, tree
from tests.support.segment_validator import entities

LIST = "DynamoDB_20120810.ListTables"


def test_what_runs_inside_is_recorded_below(process: Process) -> None:
    client = process.client("dynamodb")

    @capture
    def price() -> None:
        client.list_tables()

    @sqs_handler
    def handler(_message: Message) -> None:
        with subsegment("order"):
            price()
            with subsegment("stock") as stock:
                stock.put_annotation("sku", "a-1").put_metadata("shelf", {"row": 3}).put_annotation("no-key", 1)
        client.list_tables()

    handler(event(SAMPLED), LambdaContext())
    document = recorded_message(process)
    assert tree(document) == {"order": {"price": {"dynamodb": {}}, "stock": {}}, "dynamodb": {}}
    price_, stock_ = document["subsegments"][0]["subsegments"]
    assert stock_["annotations"] == {"sku": "a-1"}
    assert stock_["metadata"] == {"default": {"shelf": {"row": 3}}}
    first, second = process.services.headers(LIST)
    assert f"Parent={price_['subsegments'][0]['id']};" in str(first)
    assert f"Parent={document['subsegments'][1]['id']};" in str(second)


def test_an_exception_goes_on_unchanged_and_is_described_where_it_was_raised(process: Process) -> None:
    error = LookupError("no such order")

    @capture
    async def inner() -> None:
        raise error

    async def outer() -> None:
        async with subsegment("outer"):
            await inner()

    with pytest.raises(LookupError) as raised:
        run_in_message(lambda: asyncio.run(outer()))
    assert raised.value is error
    document = recorded_message(process)
    outer_, inner_ = (entity for entity in entities(document) if entity["name"] in {"outer", "inner"})
    described = inner_["cause"]["exceptions"][0]
    assert (described["type"], described["message"]) == ("LookupError", "no such order")
    assert document["cause"] == outer_["cause"] == described["id"]
    assert inner_["fault"]
    assert outer_["fault"]


def test_an_exception_that_is_handled_can_be_put_on_it(process: Process) -> None:
    def work() -> None:
        with subsegment("tried") as tried:
            try:
                int("x")
            except ValueError as error:
                tried.add_exception(error)

    run_in_message(work)
    document = recorded_message(process)
    assert document["subsegments"][0]["cause"]["exceptions"][0]["type"] == "ValueError"
    assert "fault" not in document


@pytest.mark.parametrize("sent", [header(ROOT, sampled="0"), f"Root={ROOT}", None])
def test_in_a_message_that_is_not_recorded_nothing_is(process: Process, sent: str | None) -> None:
    client = process.client("dynamodb")
    with continue_trace(record(trace=sent), LambdaContext()), subsegment("unseen") as unseen:
        client.list_tables()
        unseen.put_annotation("a", 1).put_metadata("b", 2).add_exception(ValueError())
    assert process.documents() == []


def test_threads_and_tasks_stay_below_what_they_were_begun_in(process: Process) -> None:
    client = process.client("dynamodb")

    async def task(number: int, turn: asyncio.Barrier) -> None:
        async with subsegment(f"task-{number}"):
            await turn.wait()
            await asyncio.to_thread(client.list_tables)
            await turn.wait()

    async def everything() -> None:
        turn = asyncio.Barrier(2)
        await asyncio.gather(task(1, turn), task(2, turn))

    def work() -> None:
        with subsegment("pool"), TracedThreadPoolExecutor(2) as pool:
            for future in [pool.submit(capture(name)(client.list_tables)) for name in ("one", "two")]:
                future.result()
        with subsegment("loop"):
            asyncio.run(everything())

    run_in_message(work)
    assert tree(recorded_message(process)) == {
        "pool": {"one": {"dynamodb": {}}, "two": {"dynamodb": {}}},
        "loop": {"task-1": {"dynamodb": {}}, "task-2": {"dynamodb": {}}},
    }


def test_a_plain_thread_belongs_to_no_message(process: Process) -> None:
    def work() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(capture("elsewhere")(lambda: None)).result()

    run_in_message(work)
    assert tree(recorded_message(process)) == {}


def test_the_sdks_subsegments_and_these_nest_as_they_are_entered(process: Process) -> None:
    client = process.client("dynamodb")

    def work() -> None:
        with subsegment("ours"), xray_recorder.in_subsegment("theirs") as theirs, subsegment("inner") as inner:
            assert theirs is not None
            assert xray_recorder.current_subsegment().id == inner.id  # type: ignore[union-attr,attr-defined]
            xray_recorder.current_subsegment().put_annotation("by_sdk", 1)  # type: ignore[union-attr]
            inner.put_annotation("by_bridge", 2)
            xray_recorder.end_subsegment()  # ends nothing: the block is still open
            client.list_tables()
            with xray_recorder.in_subsegment("deep"):
                pass
        with xray_recorder.in_subsegment("after"):
            pass

    run_in_message(work)
    document = recorded_message(process)
    assert tree(document) == {"ours": {"theirs": {"inner": {"dynamodb": {}, "deep": {}}}}, "after": {}}
    inner = document["subsegments"][0]["subsegments"][0]["subsegments"][0]
    assert inner["annotations"] == {"by_bridge": 2, "by_sdk": 1}


def test_an_entity_of_the_sdk_that_stands_for_one_can_be_carried_into_a_thread(process: Process) -> None:
    def work() -> None:
        with subsegment("parent"), ThreadPoolExecutor(1) as pool:
            entity = xray_recorder.get_trace_entity()

            def elsewhere() -> None:
                xray_recorder.set_trace_entity(entity)
                with subsegment("threaded"), xray_recorder.in_subsegment("theirs"):
                    pass

            pool.submit(elsewhere).result()

    run_in_message(work)
    assert tree(recorded_message(process)) == {"parent": {"threaded": {"theirs": {}}}}
