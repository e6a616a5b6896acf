"""Functions put around methods of other libraries' classes."""

from __future__ import annotations

from functools import wraps
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Around = Callable[..., Any]

_MARK = "_trace_bridge"


def put_around(owner: Any, name: str, load: Callable[[], Around]) -> None:
    """Has a function called in place of a method; it gets the method and the method's arguments.

    Done once a class. Where the bridge itself is imported anew, its newest copy is called.

    Args:
        owner: The class.
        name: The method, `def` or `async def`.
        load: Gives the function, of the same kind; called at the first call, as a hook may never be needed.
    """
    method = getattr(owner, name)
    known: object = getattr(method, _MARK, None)
    if isinstance(known, list):  # a test's stand-in for the method has every attribute
        known[0] = _loaded_by(load, known)
        return
    newest: list[Around] = []
    newest.append(_loaded_by(load, newest))

    if iscoroutinefunction(method):

        @wraps(method, updated=())  # what others noted on the method is not ours to repeat
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            return await newest[0](method, *args, **kwargs)

        call: Any = call_async
    else:

        @wraps(method, updated=())
        def call_sync(*args: Any, **kwargs: Any) -> Any:
            return newest[0](method, *args, **kwargs)

        call = call_sync
    setattr(call, _MARK, newest)
    setattr(owner, name, call)


def _loaded_by(load: Callable[[], Around], newest: list[Around]) -> Around:
    """Returns what is called until the function is loaded, and then leaves its place to it."""

    def first(*args: Any, **kwargs: Any) -> Any:
        around = load()
        if newest[0] is first:
            newest[0] = around
        return around(*args, **kwargs)

    return first
