"""Threads of other libraries' making that stay in their message.

Only the message is carried into the thread: its other context variables are what they are without the bridge.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

from ._scope import current_scope, enter_scope, inherited_scope

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    from ._scope import Scope

    _P = ParamSpec("_P")
    _T = TypeVar("_T")


def run_in_executor(
    schedule: Callable[..., Any], loop: Any, executor: Any, func: Callable[..., object], *args: object
) -> Any:
    """Runs a function as `loop.run_in_executor` does, in the message it was given from."""
    scope = current_scope()
    chosen = loop._default_executor if executor is None else executor  # noqa: SLF001 - there is no other way to it
    if scope is not None and _is_thread_pool(chosen) and not iscoroutinefunction(func):
        func = partial(_within, scope, func)
    return schedule(loop, executor, func, *args)


def submit_transfer(submit: Callable[..., Any], executor: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
    """Submits a task of boto3's transfers of S3, to be run in the message it was submitted from."""
    scope = current_scope()
    return submit(executor, task if scope is None else _Followed(scope, task), *args, **kwargs)


def _within(scope: Scope, function: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    before = inherited_scope()
    enter_scope(scope)
    try:
        return function(*args, **kwargs)
    finally:
        enter_scope(before)


def _is_thread_pool(executor: object) -> bool:
    """Returns whether an executor runs its work in threads of this process; None is asyncio's own executor."""
    if executor is None:
        return True
    # Interpreters have pools of their own kind, which get nothing of this one.
    return isinstance(executor, ThreadPoolExecutor) and type(executor).__name__ != "InterpreterPoolExecutor"


class _Followed:
    """A task of s3transfer, run in the message it was submitted from."""

    def __init__(self, scope: Scope, task: Any) -> None:
        self._scope = scope
        self._task = task

    def __call__(self, *args: Any) -> Any:
        return _within(self._scope, self._task, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)
