"""A span of OpenTelemetry, as it comes by OTLP.

Source: OpenTelemetry Protocol 1, opentelemetry/proto/trace/v1/trace.proto.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Attributes = Mapping[str, Any]
"""Attributes by their names; values as JSON has them."""

Kind = Literal["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
StatusCode = Literal["UNSET", "OK", "ERROR"]

# SpanFlags in trace.proto: whether the parent's place is known, and whether it is in another process.
_HAS_IS_REMOTE = 0x100
_IS_REMOTE = 0x200


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of a span.

    Attributes:
        time: Nanoseconds since 1970.
    """

    name: str
    time: int
    attributes: Attributes


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link to another span; its ids as hexadecimal digits."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(frozen=True, kw_only=True)
class Span:
    """One span, with what it shares with others of its resource and scope.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        parent_span_id: 16 hexadecimal digits; `None` for a root.
        flags: The trace flags, and whether the parent is in another process.
        start: Nanoseconds since 1970.
        end: Nanoseconds since 1970.
        message: The status's description.
        resource: The resource's attributes.
        size: Bytes of the span in OTLP's binary encoding.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    flags: int
    name: str
    kind: Kind
    start: int
    end: int
    attributes: Attributes
    events: tuple[Event, ...]
    links: tuple[Link, ...]
    status: StatusCode
    message: str
    resource: Attributes
    scope_name: str
    scope_version: str
    size: int

    @property
    def parent_is_remote(self) -> bool:
        """Whether the flags say that the parent is in another process."""
        return self.flags & _HAS_IS_REMOTE != 0 and self.flags & _IS_REMOTE != 0


def xray_trace_id(trace_id: str) -> str:
    """Writes a trace id of 32 digits the way X-Ray does: `1-<8 digits>-<24 digits>`."""
    return f"1-{trace_id[:8]}-{trace_id[8:]}"


def w3c_trace_id(trace_id: str) -> str:
    """Writes a trace id of X-Ray's as 32 digits."""
    return trace_id.removeprefix("1-").replace("-", "")
