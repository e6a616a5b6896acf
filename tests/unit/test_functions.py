"""Functions of the handler's own: `subsegment` and `capture`, inside messages and outside."""

import asyncio
import inspect
import os
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

import pytest
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.lambda_launcher import LambdaContext as LambdaSdkContext
from trace_bridge import (
    Message,
    TracedThreadPoolExecutor,
    capture,
    continue_trace,
    instrument,
    sqs_handler,
    subsegment,
    trace_batch,
)

from tests.support.lambda_events import (
    ACTIVE,
    OWN_PARENT,
    OWN_TRACE,
    PASS_THROUGH,
    UNSAMPLED,
    LambdaContext,
    event,
    header,
    record,
    trace_id,
)
from tests.support.lambda_process import Process
from tests.support.segment_validator import entities

ROOT = trace_id(9)
SAMPLED = record(trace=header(ROOT))
LIST = "DynamoDB_20120810.ListTables"


def _tree(entity: dict[str, Any]) -> dict[str, Any]:
    """The names of what hangs below an entity, nested."""
    return {below["name"]: _tree(below) for below in entity.get("subsegments", [])}


def _message(process: Process) -> dict[str, Any]:
    (document,) = process.documents_of(ROOT)
    return document


def _run(work: Callable[[], object]) -> None:
    with trace_batch(), continue_trace(SAMPLED, LambdaContext()):
        work()


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
    document = _message(process)
    assert _tree(document) == {"order": {"price": {"dynamodb": {}}, "stock": {}}, "dynamodb": {}}
    price_, stock_ = document["subsegments"][0]["subsegments"]
    assert stock_["annotations"] == {"sku": "a-1"}
    assert stock_["metadata"] == {"default": {"shelf": {"row": 3}}}
    first, second = process.services.headers(LIST)
    assert f"Parent={price_['subsegments'][0]['id']};" in str(first)
    assert f"Parent={document['subsegments'][1]['id']};" in str(second)


def test_a_captured_function_is_what_it_was(process: Process) -> None:
    @capture("named")
    def add(left: int, *, right: int = 1) -> int:
        """Adds."""
        return left + right

    @capture()
    async def double(value: int) -> int:
        return 2 * value

    class Counter:
        @capture(name="method")
        def count(self) -> int:
            return 3

        @classmethod
        @capture
        def made(cls) -> str:
            return cls.__name__

    assert (add.__name__, add.__doc__) == ("add", "Adds.")
    assert inspect.iscoroutinefunction(double)
    found: list[object] = []
    _run(lambda: found.extend([add(1, right=2), asyncio.run(double(4)), Counter().count(), Counter.made()]))
    assert found == [3, 8, 3, "Counter"]
    assert list(_tree(_message(process))) == ["named", "double", "method", "made"]


def test_callable_objects_and_partials_are_captured(process: Process) -> None:
    class Work:
        async def __call__(self) -> int:
            return 1

    work, power = capture(Work()), capture(partial(pow, 2))
    found: list[object] = []
    _run(lambda: found.extend([asyncio.run(work()), power(5)]))
    assert found == [1, 32]
    assert list(_tree(_message(process))) == ["Work", "partial"]


def _generator() -> Iterator[int]:
    yield 1


async def _async_generator() -> AsyncIterator[int]:
    yield 1


class _Lazy:
    def __call__(self) -> Iterator[int]:
        yield 1


@pytest.mark.parametrize(
    ("decorated", "why"),
    [
        (_generator, "_generator is a generator function"),
        (_async_generator, "_async_generator is a generator function"),
        (_Lazy(), "is a generator function"),
        (classmethod(print), "put @capture below @classmethod"),
        (staticmethod(print), "put @capture below @staticmethod"),
        (int, "int is a class"),
        (3, "capture got int"),
    ],
)
def test_what_cannot_be_captured_is_refused_where_it_is_decorated(decorated: Any, why: str) -> None:
    with pytest.raises(TypeError, match=why):
        capture(decorated)
    if callable(decorated):
        with pytest.raises(TypeError):
            capture("name")(decorated)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "subsegment"),
        ("<>", "subsegment"),
        ("price: <b>ü</b>", "price: bü/b"),
        ("x" * 300, "x" * 200),
        (None, "None"),
        (7, "7"),
    ],
)
def test_a_name_is_cleaned_and_never_refused(process: Process, name: Any, shown: str) -> None:
    def work() -> None:
        with subsegment(name):
            pass

    _run(work)
    assert list(_tree(_message(process))) == [shown]


def test_an_exception_goes_on_unchanged_and_is_described_where_it_was_raised(process: Process) -> None:
    error = LookupError("no such order")

    @capture
    async def inner() -> None:
        raise error

    async def outer() -> None:
        async with subsegment("outer"):
            await inner()

    with pytest.raises(LookupError) as raised:
        _run(lambda: asyncio.run(outer()))
    assert raised.value is error
    document = _message(process)
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

    _run(work)
    document = _message(process)
    assert document["subsegments"][0]["cause"]["exceptions"][0]["type"] == "ValueError"
    assert "fault" not in document


def test_an_exception_whose_text_cannot_be_read_costs_nothing(process: Process) -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

        def __getattr__(self, name: str) -> object:
            raise KeyError(name)

    def work() -> None:
        with subsegment("odd"):
            raise OddError

    with pytest.raises(OddError):
        _run(work)
    assert _message(process)["subsegments"][0]["fault"]


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

    _run(work)
    tree = _tree(_message(process))
    assert tree == {
        "pool": {"one": {"dynamodb": {}}, "two": {"dynamodb": {}}},
        "loop": {"task-1": {"dynamodb": {}}, "task-2": {"dynamodb": {}}},
    }


def test_a_plain_thread_belongs_to_no_message(process: Process) -> None:
    def work() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(capture("elsewhere")(lambda: None)).result()

    _run(work)
    assert _tree(_message(process)) == {}


def test_work_that_outlasts_its_subsegment_is_recorded_above_it(process: Process) -> None:
    client = process.client("dynamodb")

    def work() -> None:
        with subsegment("short"):
            late = copy_context()
        late.run(client.list_tables)
        late.run(capture("late")(lambda: None))

    _run(work)
    assert _tree(_message(process)) == {"short": {}, "dynamodb": {}, "late": {}}


def test_what_is_left_open_ends_with_its_message(process: Process) -> None:
    def work() -> None:
        subsegment("left").__enter__()
        subsegment("open").__enter__()

    _run(work)
    document = _message(process)
    left = document["subsegments"][0]
    assert left["end_time"] == left["subsegments"][0]["end_time"] == document["end_time"]


def test_blocks_left_in_the_wrong_order_break_nothing(process: Process) -> None:
    def work() -> None:
        first, second = subsegment("first"), subsegment("second")
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        second.__exit__(None, None, None)
        with subsegment("after"):
            pass

    _run(work)
    assert _tree(_message(process)) == {"first": {"second": {}}, "after": {}}


def test_of_the_invocation_itself_each_is_a_document_of_lambdas_own_trace(process: Process) -> None:
    process.invoked(ACTIVE)
    client = process.client("dynamodb")
    with subsegment("outer") as outer:
        outer.put_annotation("order", 7)
        with subsegment("inner"):
            client.list_tables()
    client.list_tables()
    call, inner, outer_, after = process.documents()
    assert [document["type"] for document in (call, inner, outer_, after)] == ["subsegment"] * 4
    assert {document["trace_id"] for document in (call, inner, outer_, after)} == {OWN_TRACE}
    assert (inner["name"], outer_["name"], outer_["annotations"]) == ("inner", "outer", {"order": 7})
    assert (call["parent_id"], inner["parent_id"]) == (inner["id"], outer_["id"])
    assert outer_["parent_id"] == after["parent_id"] == OWN_PARENT
    assert process.services.headers(LIST) == [
        f"Root={OWN_TRACE};Parent={call['id']};Sampled=1;Lineage=061379e8:0",
        f"Root={OWN_TRACE};Parent={after['id']};Sampled=1;Lineage=061379e8:0",
    ]


def test_an_exception_of_the_invocation_itself_is_described(process: Process) -> None:
    process.invoked(ACTIVE)
    with pytest.raises(ValueError), subsegment("outer"):
        raise ValueError
    (document,) = process.documents()
    assert document["cause"]["exceptions"][0]["type"] == "ValueError"


def test_each_invocation_has_its_own_parent(process: Process) -> None:
    process.invoked(ACTIVE)
    kept = subsegment("kept")
    kept.__enter__()
    process.senders.add("2" * 16)
    other = trace_id(77)
    process.monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={other};Parent={'2' * 16};Sampled=1")
    with subsegment("next"):
        pass
    kept.__exit__(None, None, None)
    next_, kept_ = process.documents()
    assert (next_["trace_id"], next_["parent_id"]) == (other, "2" * 16)
    assert (kept_["trace_id"], kept_["parent_id"]) == (OWN_TRACE, OWN_PARENT)


@pytest.mark.parametrize("own", [UNSAMPLED, PASS_THROUGH, "no header", None])
def test_where_lambda_records_nothing_neither_does_a_subsegment(process: Process, own: str | None) -> None:
    process.invoked(own)
    with subsegment("unseen") as unseen:
        unseen.put_annotation("a", 1)
        _tables = process.client("dynamodb").list_tables()
    assert process.documents() == []


@pytest.mark.parametrize("variables", [{}, {"AWS_XRAY_SDK_ENABLED": "false", "_X_AMZN_TRACE_ID": ACTIVE}])
def test_a_process_without_a_trace_records_nothing_and_imports_nothing_for_it(variables: dict[str, str]) -> None:
    program = """
import sys
from trace_bridge import capture, subsegment
@capture
def work(): return 1
with subsegment("a") as a:
    a.put_annotation("b", work())
print([name for name in ("aws_xray_sdk", "botocore", "asyncio") if name in sys.modules])
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "_X_AMZN"))}
    ran = subprocess.run([sys.executable, "-c", program], env=environment | variables, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")


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

    _run(work)
    document = _message(process)
    assert _tree(document) == {"ours": {"theirs": {"inner": {"dynamodb": {}, "deep": {}}}}, "after": {}}
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

    _run(work)
    assert _tree(_message(process)) == {"parent": {"threaded": {"theirs": {}}}}


def test_below_what_the_sdk_has_open_outside_of_messages_the_sdk_records(process: Process) -> None:
    process.invoked(ACTIVE)
    process.trace_of_the_sdk = OWN_TRACE
    xray_recorder.emitter.set_daemon_address(process.daemon.address)
    process.monkeypatch.setattr(xray_recorder, "_context", LambdaSdkContext())
    xray_recorder.configure(streaming_threshold=0)
    instrument()
    error = RuntimeError()
    try:
        with pytest.raises(RuntimeError), xray_recorder.in_subsegment("theirs"), subsegment("ours") as ours:
            ours.put_annotation("a", 1).put_metadata("b", 2)
            process.client("dynamodb").list_tables()
            raise error
    finally:
        xray_recorder.clear_trace_entities()
    found = {entity["name"]: entity for document in process.daemon.documents() for entity in entities(document)}
    ours_ = found["ours"]
    assert (ours_["annotations"], ours_["metadata"]) == ({"a": 1}, {"default": {"b": 2}})
    assert ours_["parent_id"] == found["theirs"]["id"]
    assert found["dynamodb"]["parent_id"] == ours_["id"]
    assert ours_["fault"]


def test_a_forked_process_sends_what_it_began_and_leaves_alone_what_its_parent_began(process: Process) -> None:
    def work() -> None:
        outer = subsegment("of the parent")
        outer.__enter__()
        child = os.fork()
        if child == 0:
            with subsegment("of the child"):
                pass
            outer.__exit__(None, None, None)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        outer.__exit__(None, None, None)

    _run(work)
    documents = {document["name"]: document for document in process.documents_of(ROOT)}
    assert set(documents) == {"worker", "of the child"}
    (own,) = documents["worker"]["subsegments"]
    assert documents["of the child"]["parent_id"] == own["id"]


def test_what_the_invocation_began_before_a_fork_is_sent_once(process: Process) -> None:
    process.invoked(ACTIVE)
    outer = subsegment("of the parent")
    outer.__enter__()
    child = os.fork()
    outer.__exit__(None, None, None)
    if child == 0:
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert [document["name"] for document in process.documents()] == ["of the parent"]


def test_a_function_that_calls_itself_hundreds_of_times_is_recorded_in_full(process: Process) -> None:
    @capture
    def count(left: int) -> int:
        return 0 if left == 0 else 1 + count(left - 1)

    process.set(emitter="api")
    _run(lambda: count(300))

    def below(entity: dict[str, Any]) -> int:
        return sum(1 + below(child) for child in entity.get("subsegments", []))

    documents = process.documents()
    assert sum(map(below, documents)) + sum(document["name"] == "count" for document in documents) == 301


def test_a_generator_that_is_left_early_has_not_failed(process: Process) -> None:
    def rows() -> Generator[int, None, None]:
        with subsegment("rows"):
            yield from range(10)

    def work() -> None:
        left = rows()
        next(left)
        left.close()

    _run(work)
    (own,) = _message(process)["subsegments"]
    assert "fault" not in own
    assert "end_time" in own


def test_a_name_of_any_length_is_recorded_and_not_kept(process: Process) -> None:
    def work() -> None:
        for number in range(100):
            with subsegment(f"{number} {'x' * 1_000_000}"):
                pass

    tracemalloc.start()
    try:
        _run(work)
        assert tracemalloc.get_traced_memory()[0] < 10_000_000
    finally:
        tracemalloc.stop()


def test_what_is_put_on_it_may_be_anything(process: Process) -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop

    def work() -> None:
        with subsegment("odd") as odd:
            odd.put_metadata("cycle", loop).put_metadata("nan", float("nan")).put_annotation("list", [])  # type: ignore[arg-type]
            odd.put_metadata(["no key"], 1).put_metadata("key", 1, ["no namespace"])  # type: ignore[arg-type]
            odd.add_exception("no exception")  # type: ignore[arg-type]

    _run(work)
    odd = _message(process)["subsegments"][0]
    assert odd["metadata"]["default"]["['no key']"] == odd["metadata"]["['no namespace']"]["key"] == 1
    assert odd["cause"]["exceptions"][0]["message"] == "no exception"
    assert "annotations" not in odd
