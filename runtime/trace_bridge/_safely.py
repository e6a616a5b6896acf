"""Describing what happens without ever changing it."""

import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

_log = logging.getLogger("trace_bridge")
_P = ParamSpec("_P")
_T = TypeVar("_T")


def safely(describe: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
    """Calls a function; None, and a line for those who look for it, where it raises.

    A value that cannot be described must not become the handler's exception, nor take the place of one.
    """
    try:
        return describe(*args, **kwargs)
    except Exception:  # noqa: BLE001 - whatever a value of the application's can raise
        _log.debug("a call could not be described; the call itself is not affected", exc_info=True)
        return None
