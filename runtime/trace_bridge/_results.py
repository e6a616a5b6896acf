"""What a handler returned, waited for: a message is done when its work is, not when it was begun."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from inspect import isasyncgen, iscoroutinefunction, isgenerator
from inspect import isawaitable as is_awaitable
from itertools import islice
from typing import Any

from ._failures import UnfinishedResultError

__all__ = ["finish", "finish_async", "is_async", "is_awaitable"]

_Run = Callable[[Awaitable[object]], object]


def is_async(function: object) -> bool:
    """Returns whether a call of the function gives a coroutine: `async def`, or an object whose `__call__` is."""
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(type(function), "__call__", None))  # noqa: B004


def finish(result: object, run: _Run) -> object:
    """Waits for what a handler returned: an awaitable, or the future of an executor.

    Args:
        result: What the handler returned.
        run: Runs an awaitable to its end.

    Returns:
        What there is in the end.

    Raises:
        UnfinishedResultError: What the handler returned would have to be run by somebody, and cannot be awaited.
        BaseException: Whatever the work raises, as it is.
    """
    while True:
        if is_awaitable(result):
            result = run(result)
        elif isinstance(result, Future):
            result = result.result()
        else:
            _refuse_unfinished(result)
            return result


async def finish_async(result: object) -> object:
    """Does the same as `finish`, inside a running loop."""
    while True:
        if is_awaitable(result):
            result = await result
        elif isinstance(result, Future):
            from asyncio import wrap_future

            result = await wrap_future(result)
        else:
            _refuse_unfinished(result)
            return result


def _refuse_unfinished(result: Any) -> None:
    if isgenerator(result) or isasyncgen(result) or isinstance(result, map | filter):
        kind = type(result).__name__
        raise UnfinishedResultError(
            f"the handler returned a {kind.replace('_', ' ')}, whose code runs only while it is iterated over; iterate "
            "over it inside the handler"
        )
    # Not of a class of the application's, which may do anything when it is read; a long one by its beginning alone.
    if type(result) in (list, tuple, set) and any(map(is_awaitable, islice(result, 1_000))):
        for awaitable in result:
            # A coroutine that is dropped warns of itself.
            close = getattr(awaitable, "close", None)
            if close is not None:
                close()
        raise UnfinishedResultError(
            f"the handler returned a {type(result).__name__} of awaitables, which nobody awaits; make it an async def "
            "that awaits them"
        )
