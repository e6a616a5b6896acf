"""Threads that stay in their message."""

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar

from ._imports import when_imported
from ._scope import Scope, current_scope, enter_scope, inherited_scope

_P = ParamSpec("_P")
_T = TypeVar("_T")
_LOOPS = "asyncio.base_events"
_TRANSFERS = "s3transfer.futures"
_MARK = "_trace_bridge"


class TracedThreadPoolExecutor(ThreadPoolExecutor):
    """A `ThreadPoolExecutor` whose tasks run in the context they were submitted from.

    A task submitted while a message is worked on is recorded in that message's trace. A plain thread starts in an empty
    context: what it does lands in the invocation's own trace, never in another message's.
    """

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Schedules a call, as `ThreadPoolExecutor.submit` does."""
        return super().submit(partial(copy_context().run, fn, *args, **kwargs))


def follow_threads() -> None:
    """Keeps in its message what is run in threads by `loop.run_in_executor` and by boto3's transfers of S3.

    The message alone goes along: other context variables are what they are in the thread without the bridge.
    """
    when_imported(_LOOPS, _follow_loops)
    when_imported(_TRANSFERS, _follow_transfers)


def _within(scope: Scope, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    before = inherited_scope()
    enter_scope(scope)
    try:
        return function(*args, **kwargs)
    finally:
        enter_scope(before)


def _follow_loops() -> None:
    loop: Any = sys.modules[_LOOPS].BaseEventLoop
    schedule = loop.run_in_executor
    if hasattr(schedule, _MARK):
        return

    @wraps(schedule)
    def run_in_executor(self: Any, executor: Any, func: Callable[..., object], *args: object) -> Any:
        scope = current_scope()
        chosen = self._default_executor if executor is None else executor
        if scope is not None and _is_thread_pool(chosen) and not iscoroutinefunction(func):
            func = partial(_within, scope, func)
        return schedule(self, executor, func, *args)

    setattr(run_in_executor, _MARK, True)
    loop.run_in_executor = run_in_executor


def _is_thread_pool(executor: object) -> bool:
    """Returns whether an executor runs its work in threads of this process; None is asyncio's own executor."""
    if executor is None:
        return True
    # Interpreters have pools of their own kind, which get nothing of this one.
    return isinstance(executor, ThreadPoolExecutor) and type(executor).__name__ != "InterpreterPoolExecutor"


def _follow_transfers() -> None:
    executor: Any = sys.modules[_TRANSFERS].BoundedExecutor
    submit = executor.submit
    if hasattr(submit, _MARK):
        return

    @wraps(submit)
    def submit_in_message(self: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        scope = current_scope()
        return submit(self, task if scope is None else _Followed(scope, task), *args, **kwargs)

    setattr(submit_in_message, _MARK, True)
    executor.submit = submit_in_message


class _Followed:
    """A task of s3transfer, run in the message it was submitted from."""

    def __init__(self, scope: Scope, task: Any) -> None:
        self._scope = scope
        self._task = task

    def __call__(self, *args: Any) -> Any:
        return _within(self._scope, self._task, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)
