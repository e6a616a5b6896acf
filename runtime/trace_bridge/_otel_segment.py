"""A message as a span of OpenTelemetry."""

from __future__ import annotations

import traceback
from time import time
from typing import TYPE_CHECKING, Self

from opentelemetry.context import Context, attach
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from ._annotations import checked_annotation, checked_link
from ._errors import without_secrets
from ._header import format_header
from ._json import encode, text_of
from ._otel_message import no_parent, xray_trace_id
from ._safely import safely
from ._scope import inherited_scope
from ._segment import MessageSegment

if TYPE_CHECKING:
    from ._links import QueueWait

ANNOTATIONS = "aws.xray.annotations"
METADATA = "aws.xray.metadata."
"""The attributes that tell an exporter to X-Ray what to index, and what to keep in a namespace of its own."""

ERROR_TYPE = "error.type"
"""What a span that failed has by all the conventions."""

_TRACEBACK = "Traceback (most recent call last):\n"
_SAMPLED, _NOT_SAMPLED = TraceFlags(TraceFlags.SAMPLED), TraceFlags(TraceFlags.DEFAULT)


def sender_context(trace_id: str, parent_id: str | None, *, sampled: bool) -> SpanContext:
    """Returns the context of whatever sent a message, or called.

    Where the header names no parent, the trace's own last digits stand for it: OpenTelemetry cannot continue a trace
    without one.

    Args:
        trace_id: X-Ray's trace id.
        parent_id: Id of the segment or subsegment; None where the header names none.
        sampled: Whether it is recorded.
    """
    trace_number = int(trace_id[2:10] + trace_id[11:], 16)
    span_number = no_parent(trace_number) if parent_id is None else int(parent_id, 16)
    # By position, as that takes half the time: it is remote.
    return SpanContext(trace_number, span_number, True, _SAMPLED if sampled else _NOT_SAMPLED)


def header_of(context: SpanContext, lineage: str | None) -> str:
    """Returns the trace header of a span.

    Args:
        context: The span's.
        lineage: Lambda's hop counter; None outside of Lambda.
    """
    return format_header(
        xray_trace_id(context.trace_id), f"{context.span_id:016x}", context.trace_flags.sampled, lineage
    )


class NotRecordedSpan(NonRecordingSpan):
    """A span that records nothing, and tells everything below it to record nothing.

    Args:
        trace_id: X-Ray's trace id.
        parent_id: Id of the sender's segment or subsegment; None where the header names none.
    """

    _sender: SpanContext | None = None

    def __init__(self, trace_id: str, parent_id: str | None) -> None:
        self._trace_id = trace_id
        self._parent_id = parent_id

    def get_span_context(self) -> SpanContext:
        """Returns the sender's context, made when somebody asks: most handlers have no OpenTelemetry of their own."""
        if self._sender is None:
            self._sender = sender_context(self._trace_id, self._parent_id, sampled=False)
        return self._sender

    def __repr__(self) -> str:
        return f"NotRecordedSpan({self.get_span_context()!r})"


class OtelSegment(MessageSegment):
    """One message's part of its trace, as a span.

    Attributes:
        span: The span; one that records nothing where the message is not recorded, None where it is in no trace.
    """

    span: Span | None = None
    subsegments = ()  # type: ignore[assignment] # what is below a span is not kept in it
    _before: Context | None = None
    _outer: MessageSegment | None = None
    _described: tuple[BaseException, str] | None = None

    @property
    def id(self) -> str:  # type: ignore[override] # made when somebody asks, as for a log line
        """Id of the span, 16 hex digits; empty when the message is not recorded."""
        if self.recording != "recorded" or self.span is None:
            return ""
        context = self.span.get_span_context()
        # Nothing records: the span is the sender's, or one that a sampler of the application's own has left out.
        return "" if context.is_remote or not context.trace_flags.sampled else f"{context.span_id:016x}"

    def record_elsewhere(self, context: SpanContext) -> None:
        """Takes note that the work is recorded on another trace than the sender's, which the span links to."""
        recorded_on = xray_trace_id(context.trace_id)
        if recorded_on != self.trace_id:
            self.message_trace_id, self.trace_id, self.parent_id = self.trace_id, recorded_on, None

    def enter(self, span: Span, before: Context) -> None:
        """Makes a span the message's, and OpenTelemetry's current one.

        Args:
            span: The span.
            before: What is current.
        """
        self.span, self._before = span, before
        scope = inherited_scope()
        if scope is not None:
            self._outer = scope.message
            self._forget_ended()
        attach(set_span_in_context(span, before))

    def leave(self) -> None:
        """Makes current again what was current before; not where a later message inside is still under way."""
        scope = inherited_scope()
        if scope is None and self._outer is None:
            if self._before is not None:
                attach(self._before)
            return
        while scope is not None:
            if scope.message is self:
                return
            scope = scope.outer
        self._forget_ended()
        if self._before is not None:
            # Not by the token: a block may be left in another context than it was entered in, and in any order.
            attach(self._before)

    def _forget_ended(self) -> None:
        """Keeps of the messages around it none that is over."""
        while isinstance(outer := self._outer, OtelSegment) and outer.end_time and outer._before is not None:  # noqa: SLF001
            self._before, self._outer = outer._before, outer._outer  # noqa: SLF001 - of this class

    def put_annotation(self, key: str, value: str | float | bool) -> Self:
        """Sets an attribute of the span, which an exporter to X-Ray indexes."""
        checked = checked_annotation(key, value)
        if checked is not None and self.recording == "recorded" and self.span is not None:
            self._annotations = {**self._annotations, key: checked}
            self.span.set_attribute(key, checked)
            self.span.set_attribute(ANNOTATIONS, list(self._annotations))
        return self

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> Self:
        """Sets an attribute of the span: the namespace, as JSON."""
        super().put_metadata(key, value, namespace)
        if self.recording == "recorded" and self.span is not None:
            group = text_of(namespace)
            self.span.set_attribute(f"{METADATA}{group}", encode(self._metadata[group]))
        return self

    def add_link(self, trace_id: str, segment_id: str) -> Self:
        """Links the span to a segment, or a span, of another trace."""
        link = checked_link(trace_id, segment_id)
        if link is not None and self.recording == "recorded" and self.span is not None:
            self.span.add_link(sender_context(link["trace_id"], link["segment_id"], sampled=True))
        return self

    def add_exception(self, error: BaseException) -> None:
        """Records an exception as an event of the span and marks the span as failed."""
        if self.recording == "recorded" and self.span is not None:
            record_failure(self.span, error, self.text_of(error))

    def call_described(self, error: BaseException, text: str) -> None:
        """Remembers what a call's span says of an exception, for the spans around it to say the same."""
        self._described = (error, text)

    def text_of(self, error: BaseException) -> str | None:
        """Returns what a call's span says of an exception; None where none does."""
        return self._described[1] if self._described is not None and self._described[0] is error else None

    def insert_queue_wait(self, wait: QueueWait) -> None:
        """Does nothing: the wait in the queue is a document of the engine for X-Ray."""

    def header_text(self, parent_id: str | None = None) -> str | None:  # noqa: ARG002 - the current span is the parent
        """Returns the trace header for whatever is called or sent: that of OpenTelemetry's current span."""
        if self.recording != "recorded" or self.span is None:
            return super().header_text()
        context = get_current_span().get_span_context()
        if not context.is_valid:
            context = self.span.get_span_context()
        return header_of(context, self.invocation.lineage)

    def close(self) -> None:
        """Leaves the message; the span is ended by whoever began it."""
        self.end_time = max(self.start_time, time())  # a clock may step back
        self.leave()


def record_failure(span: Span, error: BaseException, text: str | None = None) -> None:
    """Records an exception as OpenTelemetry itself does, by an event and the status, and its type by an attribute.

    Args:
        span: The span.
        error: The exception.
        text: What is recorded instead of its own text and those of what it was raised from; None for these, without
            the credentials and queries of URLs.
    """
    kind = type(error).__name__
    span.set_attribute(ERROR_TYPE, type(error).__qualname__)
    if text is None:
        # A handler may pass what is no exception, or has no text.
        text = safely(lambda: without_secrets(str(error)))
        # As Python prints it, with the exceptions that this one was raised from.
        trace = safely(lambda: without_secrets("".join(traceback.format_exception(error))))
    else:
        trace = f"{_TRACEBACK}{''.join(traceback.format_tb(error.__traceback__))}{kind}: {text}\n"
    if text is not None and trace is not None:
        safely(span.record_exception, error, {"exception.message": text, "exception.stacktrace": trace})
    span.set_status(Status(StatusCode.ERROR, kind if text is None else f"{kind}: {text}"))
