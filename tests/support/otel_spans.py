"""Spans of OpenTelemetry's SDK, as its processors hand them to an exporter."""

from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

TRACE = 0x6B04D6C2_AAAAAAAAAAAAAAAAAAAAAAAA
TRACE_ID = "1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa"
SPAN, PARENT = 0xC0DEC0DEC0DEC0DE, 0xFEEDFEEDFEEDFEED
START = 1_795_000_000_250_000_000


def context(span: int = SPAN, trace: int = TRACE, *, remote: bool = False) -> SpanContext:
    """Returns the context of a sampled span."""
    return SpanContext(trace, span, is_remote=remote, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def ended_span(
    name: str = "/test",
    kind: SpanKind = SpanKind.INTERNAL,
    *,
    attributes: dict[str, Any] | None = None,
    resource: dict[str, Any] | None = None,
    parent: SpanContext | None = None,
    status: StatusCode = StatusCode.UNSET,
    message: str | None = None,
    events: tuple[tuple[str, dict[str, Any]], ...] = (),
    links: tuple[Link, ...] = (),
) -> ReadableSpan:
    """Returns a span that lasted 215 ms."""
    return ReadableSpan(
        name,
        context(),
        parent=parent,
        resource=Resource(resource or {}),
        attributes=attributes or {},
        events=[Event(event, told, timestamp=1_696_954_761_000_001_000) for event, told in events],
        links=links,
        kind=kind,
        status=Status(status, message if status is StatusCode.ERROR else None),
        start_time=START,
        end_time=START + 215_000_000,
    )
