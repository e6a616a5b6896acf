"""An executor whose threads stay in the message that gave them their work."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class TracedThreadPoolExecutor(ThreadPoolExecutor):
    """A `ThreadPoolExecutor` whose tasks run in the context they were submitted from.

    A task submitted while a message is worked on is recorded in that message's trace. A plain thread starts in an empty
    context: what it does lands in the invocation's own trace, never in another message's.
    """

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Schedules a call, as `ThreadPoolExecutor.submit` does."""
        return super().submit(partial(copy_context().run, fn, *args, **kwargs))
