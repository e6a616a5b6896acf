"""Describing what happens without ever changing it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    _P = ParamSpec("_P")
    _T = TypeVar("_T")

_log = logging.getLogger("trace_bridge")


def safely(describe: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T | None:
    """Calls a function; None, and a line for those who look for it, where it raises.

    A value that cannot be described must not become the handler's exception, nor take the place of one.
    """
    try:
        return describe(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever a value of the application's can raise
        # Without its traceback, which would include the application's own exception.
        _log.debug("something could not be described: %s; what is described is not affected", type(error).__name__)
        return None
