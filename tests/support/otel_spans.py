"""Spans of OpenTelemetry's SDK: made here, or recorded by an application's own set-up."""

from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
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
        events=[Event(event, details, timestamp=1_696_954_761_000_001_000) for event, details in events],
        links=links,
        kind=kind,
        status=Status(status, message if status is StatusCode.ERROR else None),
        start_time=START,
        end_time=START + 215_000_000,
    )


class Spans:
    """An application's OpenTelemetry, whose spans stay in memory.

    Args:
        exporters: What the spans are handed to as well.
    """

    def __init__(self, *exporters: SpanExporter) -> None:
        self._memory = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        for exporter in (self._memory, *exporters):
            self.provider.add_span_processor(SimpleSpanProcessor(exporter))
        self.tracer = self.provider.get_tracer("application")

    def all(self) -> list[ReadableSpan]:
        """The spans that have ended, in the order of their ends."""
        return list(self._memory.get_finished_spans())

    def named(self, name: str) -> ReadableSpan:
        """The only span of a name."""
        (found,) = (span for span in self.all() if span.name == name)
        return found

    def close(self) -> None:
        """Shuts the provider down."""
        self.provider.shutdown()


def trace_id_of(span: ReadableSpan) -> str:
    """The span's trace id, as X-Ray writes it."""
    digits = f"{span.context.trace_id:032x}"
    return f"1-{digits[:8]}-{digits[8:]}"


def id_of(span: ReadableSpan) -> str:
    """The span's id."""
    return f"{span.context.span_id:016x}"


def parent_id_of(span: ReadableSpan) -> str | None:
    """The id of the span's parent."""
    return None if span.parent is None else f"{span.parent.span_id:016x}"
