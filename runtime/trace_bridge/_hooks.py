"""Wraps methods of other libraries once the application has loaded them; the bridge itself loads none."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import wraps
from importlib import import_module
from inspect import iscoroutinefunction
from threading import local
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

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
    """Returns a function that at its first call loads the real one, and puts that in its own place."""

    def first(method: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        try:
            around = load()
        except Exception:  # noqa: BLE001 - the call is not the bridge's: with no file left to open, it may still be made
            return method(*args, **kwargs)
        if newest[0] is first:
            newest[0] = around
        return around(method, *args, **kwargs)

    return first


_waiting: dict[str, list[Callable[[], object]]] = {}


def when_imported(module: str, meet: Callable[[], object]) -> None:
    """Calls a function once a module is imported: now if it is, or else right after anything imports it.

    Where another thread is importing it, that is waited for: half a module has not yet what is to be met.
    What the function raises then does not reach the program that imports the module.

    Args:
        module: The module's name.
        meet: The function. It is called once.
    """
    if module in sys.modules:
        with suppress(Exception):  # what is wrong with it, its importer hears
            import_module(module)  # waits for another thread that is still importing it
    if module in sys.modules:
        meet()
        return
    _waiting.setdefault(module, []).append(meet)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)


class _Finder:
    """Asks the other finders for a module that something waits for, and wraps the loader that they give."""

    def __init__(self) -> None:
        self._thread = local()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns what the other finders find; None for modules that nothing waits for."""
        if name not in _waiting:
            return None
        asked: set[str] = vars(self._thread).setdefault("asked", set())
        # Finders of other libraries ask all finders too, and so this one again.
        if name in asked:
            return None
        asked.add(name)
        try:
            spec = _found_by_others(name, path, target)
        finally:
            asked.discard(name)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            loader: Any = _Loader(spec.loader)
            spec.loader = loader
        return spec


class _Loader:
    """A module's own loader, which calls what waits for the module once it has run."""

    def __init__(self, own: Any) -> None:
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own, name)

    def exec_module(self, module: ModuleType) -> None:
        """Runs the module, then calls what waits for it."""
        # Resources, source lines and pickles are looked up through the loader that a module names.
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        from ._safely import safely

        self._own.exec_module(module)
        for meet in _waiting.pop(module.__name__, ()):
            safely(meet)


def _found_by_others(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    for finder in list(sys.meta_path):
        find_spec = None if finder is _finder else getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = None if find_spec is None else find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


_finder: Any = _Finder()
