"""Log records that know their message, whatever logger makes them."""

from __future__ import annotations

import logging
from functools import wraps
from typing import TYPE_CHECKING, Any

from . import _state
from ._hooks import when_imported
from ._instrument import follow_threads

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._log_fields import LogFields
    from ._scope import Scope

    _CallHandlers = Callable[[logging.Logger, logging.LogRecord], None]

_MARK = "_trace_bridge"
_POWERTOOLS_LOGGER = "aws_lambda_powertools.logging.logger"


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
    when_imported(_POWERTOOLS_LOGGER, _follow_powertools)
    # Where every record passes on its way to the handlers: records that a subclass or a factory of the application's
    # makes as well, and after `extra` was merged, which an attribute that is there before would break.
    logger: Any = logging.Logger
    logger.callHandlers = _adding_fields(_without_fields(logging.Logger.callHandlers))


def _nothing() -> None:
    """Stands for what is not imported yet."""


def _follow_powertools() -> None:
    from ._powertools import follow_powertools

    follow_powertools()


def _without_fields(call_handlers: _CallHandlers) -> _CallHandlers:
    """Returns what the bridge put its own around, be it another copy of the bridge, imported before this one."""
    mark: tuple[_CallHandlers, _CallHandlers] | None = getattr(call_handlers, _MARK, None)
    # What another library puts around the bridge's may carry its attributes on.
    return mark[1] if mark is not None and mark[0] is call_handlers else call_handlers


def _adding_fields(call_handlers: _CallHandlers) -> _CallHandlers:
    # Imported with the first record.
    inherited_scope: Callable[[], Scope | None] = _nothing
    chosen: Callable[[], object] = _nothing
    current: Callable[[], LogFields] | None = None

    @wraps(call_handlers)
    def call_handlers_with_fields(self: logging.Logger, record: logging.LogRecord) -> None:
        nonlocal chosen, current, inherited_scope
        # A line without its fields is better than none.
        try:
            scope = inherited_scope()
            # Every line takes this way: of a message that is under way and has been logged about before.
            if (
                scope is not None
                and (fields := (message := scope.message)._own_log_fields) is not None  # noqa: SLF001 - see there
                and not message.end_time
                and chosen() is None
            ):
                add = record.__dict__.setdefault
                for name, value in fields:
                    add(name, value)
            else:
                if current is None:
                    from . import _log_fields, _scope

                    inherited_scope, chosen = _scope.inherited_scope, _log_fields.chosen_log_fields
                    current = _log_fields.current_log_fields
                current().add_to(record.__dict__)
        except Exception:  # noqa: BLE001, S110
            pass
        call_handlers(self, record)

    setattr(call_handlers_with_fields, _MARK, (call_handlers_with_fields, call_handlers))
    return call_handlers_with_fields
