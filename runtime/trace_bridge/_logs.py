"""Log records that know their message, whatever logger makes them."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from . import _state
from ._log_fields import chosen_log_fields, current_log_fields
from ._powertools import follow_powertools
from ._scope import inherited_scope
from ._threads import follow_threads

_MARK = "_trace_bridge"

_CallHandlers = Callable[[logging.Logger, logging.LogRecord], None]


def trace_logs() -> None:
    """Adds to every log record made inside a message what finds it again: its message, trace and segment.

    The attributes are those of `log_fields`; Lambda's JSON log format writes them as fields of the line, a format
    string that does not name them stays as it is. An attribute that is there already (`extra`) stays. Powertools'
    Logger shows the message's trace as `xray_trace_id` instead of the invocation's.
    `sqs_handler`, `poll` and `trace_bridge.auto` call it; beside `continue_trace`, and in an ingest function, call it
    once at import. Calling it again changes nothing.
    Off by `TRACE_BRIDGE_LOGS=off`, and with the bridge itself (`TRACE_BRIDGE_ENABLED=false`).
    """
    if _state.settings.logs == "off" or not _state.settings.enabled:
        return
    follow_threads()
    follow_powertools()
    # Where every record passes on its way to the handlers: records that a subclass or a factory of the application's
    # makes as well, and after `extra` was merged, which an attribute that is there before would break.
    logger: Any = logging.Logger
    logger.callHandlers = _adding_fields(_without_fields(logging.Logger.callHandlers))


def _without_fields(call_handlers: _CallHandlers) -> _CallHandlers:
    """Returns what the bridge put its own around, be it another copy of the bridge, imported before this one."""
    mark: tuple[_CallHandlers, _CallHandlers] | None = getattr(call_handlers, _MARK, None)
    # What another library puts around the bridge's may carry its attributes on.
    return mark[1] if mark is not None and mark[0] is call_handlers else call_handlers


def _adding_fields(call_handlers: _CallHandlers) -> _CallHandlers:
    @wraps(call_handlers)
    def call_handlers_with_fields(self: logging.Logger, record: logging.LogRecord) -> None:
        # A line without its fields is better than none.
        try:
            scope = inherited_scope()
            # Every line takes this way: of a message that is under way and has been logged about before.
            if (
                scope is not None
                and not (message := scope.message).end_time
                and (fields := message._log_fields) is not None  # noqa: SLF001 - see `log_fields_of`
                and not fields.datadog
                and chosen_log_fields() is None
            ):
                attributes = record.__dict__
                for name, value in fields.own:
                    if name not in attributes:
                        attributes[name] = value
            else:
                current_log_fields().add_to(record.__dict__)
        except Exception:  # noqa: BLE001, S110
            pass
        call_handlers(self, record)

    setattr(call_handlers_with_fields, _MARK, (call_handlers_with_fields, call_handlers))
    return call_handlers_with_fields
