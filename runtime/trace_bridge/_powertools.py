"""Powertools for AWS Lambda, where the application loads it: its Logger shows the message's trace.

Its formatter writes `xray_trace_id` last, from Lambda's environment variable, over whatever the record holds; its
buffer keeps the lines of a whole invocation and makes records of them in the message that flushes it.
"""

import logging
import sys
from contextvars import ContextVar
from copy import copy
from functools import wraps
from typing import Any

from ._log_fields import XRAY_TRACE_ID, LogFields, current_log_fields, logged_with

_log = logging.getLogger("trace_bridge")
_LOGGER = "aws_lambda_powertools.logging.logger"
_FORMATTER = "aws_lambda_powertools.logging.formatter"
_BUFFER = "aws_lambda_powertools.logging.buffer.cache"
_MARK = "_trace_bridge"

_record_trace_id: ContextVar[str | None] = ContextVar("trace_bridge_record_trace_id", default=None)
"""The trace of the record that is being formatted."""


def follow_powertools() -> None:
    """Has Powertools' Logger, which is loaded, show the trace of a record's message."""
    try:
        _follow_formatter()
        if _BUFFER in sys.modules:
            _follow_buffer()
    except (AttributeError, KeyError) as error:
        _log.warning(
            "the Logger of this version of Powertools shows the invocation's trace instead of the message's, as it has "
            "no %s; the line's other fields are right",
            error,
        )


def _follow_formatter() -> None:
    formatter: Any = sys.modules[_FORMATTER].LambdaPowertoolsFormatter
    if hasattr(formatter.format, _MARK):
        return
    write, latest = formatter.format, vars(formatter)["_get_latest_trace_id"]

    @wraps(write)
    def format_with_own_trace(self: Any, record: logging.LogRecord) -> Any:
        trace_id = getattr(record, XRAY_TRACE_ID, None)
        token = _record_trace_id.set(trace_id if isinstance(trace_id, str) else None)
        try:
            return write(self, _behind_appended_keys(self, record))
        finally:
            _record_trace_id.reset(token)

    def trace_id_of_record(self: Any) -> Any:
        trace_id = _record_trace_id.get()
        # Logger(xray_trace_id=None) switches the key off.
        if trace_id is None or self.log_format.get(XRAY_TRACE_ID, "") is None:
            return latest.__get__(self, type(self))()
        return trace_id

    setattr(format_with_own_trace, _MARK, True)
    formatter.format = format_with_own_trace
    formatter._get_latest_trace_id = trace_id_of_record  # noqa: SLF001 - what subclasses that write otherwise ask too


def _behind_appended_keys(formatter: Any, record: logging.LogRecord) -> logging.LogRecord:
    """Returns the record without those of our fields that the application appends to all its lines itself.

    The formatter lets what a record holds take precedence over appended keys.
    """
    appended = dict(formatter.get_current_keys())
    if hasattr(formatter, "thread_safe_get_current_keys"):
        appended |= formatter.thread_safe_get_current_keys()
    fields, held = current_log_fields(), record.__dict__
    ours = [
        name
        for name, value in (*fields.own, *fields.datadog)
        if appended.get(name) is not None and held.get(name) is value
    ]
    if ours:
        record = copy(record)
        for name in ours:
            del record.__dict__[name]
    return record


def _follow_buffer() -> None:
    logger: Any = sys.modules[_LOGGER].Logger
    cache: Any = sys.modules[_BUFFER].LoggerBufferCache
    add, flush = cache.add, logger._create_and_flush_log_record  # noqa: SLF001 - makes a record of one buffered line
    if hasattr(add, _MARK):
        return

    @wraps(add)
    def add_with_fields(self: Any, key: str, item: Any) -> None:
        add(self, key, item)
        # Afterwards, so that it takes no room of the buffer's.
        if isinstance(item, dict):
            item[_MARK] = current_log_fields()

    @wraps(flush)
    def flush_with_fields(self: Any, log_line: dict[str, Any]) -> None:
        fields = log_line.get(_MARK)
        if not isinstance(fields, LogFields):
            flush(self, log_line)
            return
        with logged_with(fields):
            flush(self, log_line)

    setattr(add_with_fields, _MARK, True)
    cache.add = add_with_fields
    logger._create_and_flush_log_record = flush_with_fields  # noqa: SLF001 - as above
