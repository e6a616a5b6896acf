"""Functions and blocks out of the ordinary: recorded as well as can be, and never in the way of the handler."""

import gc
import json
import tracemalloc
from collections.abc import Generator
from contextvars import copy_context
from typing import Any, NoReturn

import pytest
from trace_bridge import capture, subsegment

from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans
from tests.support.sampled_message import recorded_message, run_in_message, tree


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

    run_in_message(work)
    assert list(tree(recorded_message(process))) == [shown]


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
        run_in_message(work)
    assert recorded_message(process)["subsegments"][0]["fault"]


def test_work_that_outlasts_its_subsegment_is_recorded_above_it(process: Process) -> None:
    client = process.client("dynamodb")

    def work() -> None:
        with subsegment("short"):
            late = copy_context()
        late.run(client.list_tables)
        late.run(capture("late")(lambda: None))

    run_in_message(work)
    assert tree(recorded_message(process)) == {"short": {}, "dynamodb": {}, "late": {}}


def test_what_is_left_open_ends_with_its_message(process: Process) -> None:
    def work() -> None:
        subsegment("left").__enter__()
        subsegment("open").__enter__()

    run_in_message(work)
    document = recorded_message(process)
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

    run_in_message(work)
    assert tree(recorded_message(process)) == {"first": {"second": {}}, "after": {}}


def test_a_function_that_calls_itself_hundreds_of_times_is_recorded_in_full(process: Process) -> None:
    @capture
    def count(left: int) -> int:
        return 0 if left == 0 else 1 + count(left - 1)

    process.set(emitter="api")
    run_in_message(lambda: count(300))

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

    run_in_message(work)
    (own,) = recorded_message(process)["subsegments"]
    assert "fault" not in own
    assert "end_time" in own


def test_a_name_of_any_length_is_recorded_and_not_kept(process: Process) -> None:
    def work() -> None:
        for number in range(100):
            with subsegment(f"{number} {'x' * 1_000_000}"):
                pass

    tracemalloc.start()
    try:
        run_in_message(work)
        gc.collect()  # when the interpreter does so by itself differs from version to version
        assert tracemalloc.get_traced_memory()[0] < 10_000_000
    finally:
        tracemalloc.stop()


class _Unreadable(dict[str, int]):
    def items(self) -> NoReturn:
        raise RuntimeError("dictionary changed size during iteration")


class _NeverRead(list[float]):
    def __iter__(self) -> NoReturn:
        raise RuntimeError


@pytest.mark.parametrize("engine", ["xray", "otel"])
@pytest.mark.parametrize(
    ("value", "shown"),
    [(_Unreadable(a=1), {"a": 1}), ({"b": _NeverRead([float("nan")])}, {"b": "(_NeverRead)"})],
    ids=["once", "ever"],
)
def test_what_cannot_be_read_costs_nothing_else(
    process: Process, spans: Spans, engine: str, value: object, shown: object
) -> None:
    process.set(engine=engine)

    def work() -> None:
        with subsegment("odd") as odd:
            odd.put_metadata("value", value)

    run_in_message(work)
    if engine == "xray":
        written = recorded_message(process)["subsegments"][0]["metadata"]["default"]
    else:
        attributes: Any = spans.named("odd").attributes
        written = json.loads(attributes["aws.xray.metadata.default"])
    assert written == {"value": shown}


def test_what_is_put_on_it_may_be_anything(process: Process) -> None:
    loop: dict[str, object] = {}
    loop["self"] = loop

    def work() -> None:
        with subsegment("odd") as odd:
            odd.put_metadata("cycle", loop).put_metadata("nan", float("nan")).put_annotation("list", [])  # type: ignore[arg-type]
            odd.put_metadata(["no key"], 1).put_metadata("key", 1, ["no namespace"])  # type: ignore[arg-type]
            odd.add_exception("no exception")  # type: ignore[arg-type]

    run_in_message(work)
    odd = recorded_message(process)["subsegments"][0]
    assert odd["metadata"]["default"]["['no key']"] == odd["metadata"]["['no namespace']"]["key"] == 1
    assert odd["cause"]["exceptions"][0]["message"] == "no exception"
    assert "annotations" not in odd
