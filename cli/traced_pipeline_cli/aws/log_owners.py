"""Tells which traces a log line belongs to, and which message's segment in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..json_text import read_json
from ..traces.model import Segment, Trace

_STARTS = re.compile(r"START RequestId: (\S+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """What a log line belongs to.

    Attributes:
        trace_ids: The traces; empty where it belongs to none of those asked for.
        segment_id: The segment of the message that it was logged for; None for a line of a whole invocation, or one
            that does not say.
    """

    trace_ids: tuple[str, ...] = ()
    segment_id: str | None = None


_NOBODY = Owner()


@dataclass
class LineOwners:
    """Finds the owners of one function's log lines, in the order they were logged.

    A line that the bridge gave its fields (`segment_id`, `xray_trace_id`) belongs to that message alone. Any other
    belongs to the traces whose id, or the request id of one of whose invocations, it holds; or in whose invocation it
    was logged, by its place in the log stream.
    """

    _traces_by_id: dict[str, dict[str, None]] = field(default_factory=dict)
    _trace_by_segment: dict[str, str] = field(default_factory=dict)
    _request_by_stream: dict[str, str] = field(default_factory=dict)

    def add(self, segment: Segment, trace: Trace) -> None:
        """Adds a segment of the function, whose lines are wanted."""
        for known in (trace.id, segment.aws.get("request_id")):
            if isinstance(known, str) and known:
                self._traces_by_id.setdefault(known, {})[trace.id] = None
        # A message below Lambda's own segment is a subsegment.
        self._trace_by_segment |= dict.fromkeys((span.id for span in segment.walk()), trace.id)

    def of(self, message: str, stream: str) -> Owner:
        """Returns what a line belongs to.

        Args:
            message: The line.
            stream: The log stream it stands in.
        """
        fields = _fields(message)
        if started := _started(message, fields):
            self._request_by_stream[stream] = started
        if (owner := self._by_fields(fields)) is not None:
            return owner
        traces = {trace: None for known, of in self._traces_by_id.items() if known in message for trace in of}
        if not traces:
            traces = self._traces_by_id.get(self._request_by_stream.get(stream, ""), {})
        return Owner(trace_ids=tuple(traces))

    def _by_fields(self, fields: Mapping[str, object]) -> Owner | None:
        """Returns the owner that a line's own fields name; None where the bridge did not write them for a message."""
        segment_id, trace_id = _text(fields, "segment_id"), _text(fields, "xray_trace_id")
        if segment_id in self._trace_by_segment:
            return Owner(trace_ids=(self._trace_by_segment[segment_id],), segment_id=segment_id)
        is_of_a_message = _text(fields, "message_id") and _text(fields, "lambda_xray_trace_id")
        if not trace_id or not (segment_id or is_of_a_message):
            return None
        return Owner(trace_ids=tuple(self._traces_by_id[trace_id])) if trace_id in self._traces_by_id else _NOBODY


def _fields(message: str) -> Mapping[str, object]:
    """Returns the fields of a line in JSON; none for other lines."""
    parsed = read_json(message) if message.startswith("{") else None
    return parsed if isinstance(parsed, dict) else {}


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _started(message: str, fields: Mapping[str, object]) -> str | None:
    """Returns the request id of an invocation that begins with this line, in Lambda's text or JSON format.

    See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html.
    """
    if match := _STARTS.match(message):
        return match.group(1)
    record = fields.get("record") if fields.get("type") == "platform.start" else None
    request = record.get("requestId") if isinstance(record, dict) else None
    return request if isinstance(request, str) else None
