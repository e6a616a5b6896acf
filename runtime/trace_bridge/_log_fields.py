"""The fields of a log line: the message it is about, and the trace that its work is recorded on."""

from __future__ import annotations

import os
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from . import _state
from ._environment import LAMBDA_TRACE_HEADER
from ._header import TraceHeader
from ._message import message_id_of
from ._scope import current_scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._config import Settings
    from ._segment import MessageSegment

MESSAGE_ID = "message_id"
MESSAGE_TRACE_ID = "message_trace_id"
XRAY_TRACE_ID = "xray_trace_id"
SEGMENT_ID = "segment_id"
LAMBDA_XRAY_TRACE_ID = "lambda_xray_trace_id"
DATADOG_TRACE_ID = "dd.trace_id"
DATADOG_SPAN_ID = "dd.span_id"

_DATADOG_TRACE_BITS = 0x7FFF_FFFF_FFFF_FFFF


class LogFields(NamedTuple):
    """The fields of all the lines of one message, or of one invocation.

    Attributes:
        own: The bridge's, names and values.
        datadog: Datadog's; empty unless they are asked for.
    """

    own: tuple[tuple[str, str], ...] = ()
    datadog: tuple[tuple[str, str], ...] = ()

    def add_to(self, attributes: dict[str, object]) -> None:
        """Adds the fields to the attributes of a record; what is there already stays.

        Datadog's two ids belong together: where one of them is there, neither is added.
        """
        for name, value in self.own:
            if name not in attributes:
                attributes[name] = value
        if self.datadog and DATADOG_TRACE_ID not in attributes and DATADOG_SPAN_ID not in attributes:
            attributes.update(self.datadog)


_NONE = LogFields()

_chosen: ContextVar[LogFields | None] = ContextVar("trace_bridge_log_fields", default=None)

chosen_log_fields = _chosen.get
"""Returns the fields of lines about another message than the one under way; None for lines about that one."""


def log_fields() -> dict[str, str]:
    """Returns the fields that `trace_logs` adds to a log line, for what does not log by `logging`.

    Inside a message: `message_id`, `xray_trace_id`, `segment_id` (where the message is recorded) and, in Lambda,
    `lambda_xray_trace_id`; `message_trace_id` is the sender's trace where a span of OpenTelemetry only links to it
    (`TRACE_BRIDGE_OTEL_RELATION=link`). Outside of messages, in a Lambda invocation: `xray_trace_id` and
    `lambda_xray_trace_id`, both the invocation's own trace. With `TRACE_BRIDGE_LOGS=datadog`, `dd.trace_id` and
    `dd.span_id` as well.

    Returns:
        A new dict; empty where there is no trace and no message, and with `TRACE_BRIDGE_LOGS=off`.
    """
    fields = current_log_fields()
    return dict((*fields.own, *fields.datadog))


def current_log_fields() -> LogFields:
    """Returns the fields of a line logged by the running code."""
    chosen = chosen_log_fields()
    if chosen is not None:
        return chosen
    scope = current_scope()
    return _outside() if scope is None else log_fields_of(scope.message)


@contextmanager
def logged_with(fields: LogFields | None) -> Iterator[None]:
    """Has the lines logged inside the block carry given fields, whatever message is under way; None changes nothing."""
    token = _chosen.set(fields)
    try:
        yield
    finally:
        _chosen.reset(token)


def log_fields_of(message: MessageSegment) -> LogFields:
    """Returns the fields of the lines of a message, made once."""
    fields = message._log_fields  # noqa: SLF001 - kept there, as each message is logged about more than once
    if fields is None:
        fields = message._log_fields = _NONE if _is_off() else ids_of(message)  # noqa: SLF001
        if not fields.datadog:
            message._own_log_fields = fields.own  # noqa: SLF001
    return fields


def ids_of(message: MessageSegment) -> LogFields:
    """Returns what finds a message again, whether log records are given it or not."""
    lambda_trace_id = message.invocation.trace_id
    return _made(
        message_id=message_id_of(message.record),
        trace_id=lambda_trace_id if message.recording == "none" else message.trace_id,
        segment_id=message.id,
        lambda_trace_id=lambda_trace_id,
        span_id=message.id,
        message_trace_id=message.message_trace_id,
    )


_outside_of: tuple[str, Settings, LogFields] | None = None
"""A header of Lambda's own, and the fields of the lines logged outside of messages under it."""


def _outside() -> LogFields:
    """Returns the fields of lines logged outside of messages: those of the invocation, whose trace the work is in."""
    global _outside_of
    text = os.environ.get(LAMBDA_TRACE_HEADER)
    if text is None:
        return _NONE
    known = _outside_of
    if known is None or known[0] != text or known[1] is not _state.settings:
        header = TraceHeader.parse(text)
        root, parent = (header.root, header.parent or "") if header is not None else (None, "")
        made = _NONE if _is_off() else _made(trace_id=root, lambda_trace_id=root, span_id=parent)
        known = (text, _state.settings, made)
        _outside_of = known
    return known[2]


def _is_off() -> bool:
    return _state.settings.logs == "off" or not _state.settings.enabled


def _made(
    *,
    message_id: str = "",
    trace_id: str | None,
    segment_id: str = "",
    lambda_trace_id: str | None,
    span_id: str,
    message_trace_id: str | None = None,
) -> LogFields:
    own = []
    if message_id:
        own.append((MESSAGE_ID, message_id))
    if trace_id:
        own.append((XRAY_TRACE_ID, trace_id))
    if message_trace_id:
        own.append((MESSAGE_TRACE_ID, message_trace_id))
    if segment_id:
        own.append((SEGMENT_ID, segment_id))
    if lambda_trace_id:
        own.append((LAMBDA_XRAY_TRACE_ID, lambda_trace_id))
    datadog = datadog_ids(trace_id, span_id) if _state.settings.logs == "datadog" else {}
    return LogFields(tuple(own), tuple(datadog.items()))


def datadog_ids(trace_id: str | None, span_id: str) -> dict[str, str]:
    """Returns the ids under which Datadog's X-Ray integration shows a segment.

    The trace's is the last 63 bits of the X-Ray id, the span's the segment's id, both in decimal digits.
    https://github.com/DataDog/datadog-lambda-python, `datadog_lambda/tracing.py`

    Args:
        trace_id: The X-Ray trace; None where there is none.
        span_id: The segment; empty where there is none.
    """
    ids: dict[str, str] = {}
    if trace_id is not None:
        ids[DATADOG_TRACE_ID] = str(int(trace_id[-16:], 16) & _DATADOG_TRACE_BITS)
        if span_id:
            ids[DATADOG_SPAN_ID] = str(int(span_id, 16))
    return ids
