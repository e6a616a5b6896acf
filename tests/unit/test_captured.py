"""What `capture` takes, what it leaves as it is, and what it refuses."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest
from trace_bridge import capture

from tests.support.lambda_process import Process
from tests.support.sampled_message import recorded_message, run_in_message, tree


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
    run_in_message(lambda: found.extend([add(1, right=2), asyncio.run(double(4)), Counter().count(), Counter.made()]))
    assert found == [3, 8, 3, "Counter"]
    assert list(tree(recorded_message(process))) == ["named", "double", "method", "made"]


def test_callable_objects_and_partials_are_captured(process: Process) -> None:
    class Work:
        async def __call__(self) -> int:
            return 1

    work, power = capture(Work()), capture(partial(pow, 2))
    found: list[object] = []
    run_in_message(lambda: found.extend([asyncio.run(work()), power(5)]))
    assert found == [1, 32]
    assert list(tree(recorded_message(process))) == ["Work", "partial"]


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
