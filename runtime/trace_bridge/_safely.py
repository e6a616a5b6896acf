"""Describing what happens without ever changing it: neither what is described nor a line about it fails a message."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ParamSpec, TypeVar

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


def log_safely() -> None:
    """Has no line of the bridge's own fail a message, whatever the application's log handlers and factory raise."""
    kind = type(_log)  # the application's own, where it has set one

    def handle(record: logging.LogRecord) -> None:
        with suppress(Exception):
            kind.handle(_log, record)

    def make_record(*values: Any, **named: Any) -> logging.LogRecord:
        try:
            return kind.makeRecord(_log, *values, **named)
        except Exception:  # noqa: BLE001 - a factory may need what there is in the application's own code alone
            return _plain_record(*values, **named)

    _log.handle = handle  # type: ignore[method-assign]
    _log.makeRecord = make_record  # type: ignore[method-assign]


def _plain_record(
    name: str,
    level: int,
    fn: str,
    lno: int,
    msg: object,
    args: Any,
    exc_info: Any,
    func: str | None = None,
    extra: object = None,  # noqa: ARG001 - the bridge's lines have none
    sinfo: str | None = None,
) -> logging.LogRecord:
    """Returns what `Logger.makeRecord` does where there is no factory of the application's."""
    return logging.LogRecord(name, level, fn, lno, msg, args, exc_info, func, sinfo)
