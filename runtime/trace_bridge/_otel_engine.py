"""The engine for OpenTelemetry: a message is a CONSUMER span of the application's own tracer provider.

The attributes are those of the messaging conventions, version 1.44:
https://github.com/open-telemetry/semantic-conventions/blob/v1.44.0/docs/messaging/messaging-spans.md
"""

from __future__ import annotations

import logging
import sys
import threading
from time import time
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context, get_current
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    NoOpTracer,
    NoOpTracerProvider,
    ProxyTracerProvider,
    Span,
    SpanContext,
    SpanKind,
    Tracer,
    TracerProvider,
    get_current_span,
    set_span_in_context,
)

from . import _state
from ._counts import count
from ._emitter import get_emitter
from ._forks import in_every_child
from ._message import attributes_of, message_id_of
from ._otel_flush import Flush
from ._otel_message import ATTEMPT, INVOCATION_ID, INVOKED_ARN, MESSAGE_ID, QUEUE_MS
from ._otel_place import in_context, otel_place
from ._otel_segment import NotRecordedSpan, OtelSegment, sender_context
from ._safely import safely
from ._scope import new_object

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from ._config import OtelRelation
    from ._emitter import Emitter
    from ._engine import Engine, Messages
    from ._invocation import Invocation
    from ._places import NotRecorded, SpanPlace
    from ._segment import MessageSegment, Recording

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"

_EXPORTER = "trace_bridge.otel"
"""The exporter's module: where it is loaded, documents of a batch are to leave together."""

_log = logging.getLogger("trace_bridge")
_CONSUMER = SpanKind.CONSUMER
_CONVENTIONAL: Mapping[str, str] = {
    "messaging.system": "aws_sqs",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
}


class OtelMessages:
    """Messages as spans.

    Args:
        invocation: The invocation.
        tracer: Begins the spans.
        relation: Whether the sender is the span's parent or a link.
        engine: Told when a message has ended.
    """

    __slots__ = ("_attributes", "_engine", "_invocation", "_name", "_queue", "_relation", "_tracer")

    unrecorded = None

    def __init__(self, invocation: Invocation, tracer: Tracer, relation: OtelRelation, engine: OtelEngine) -> None:
        self._invocation = invocation
        self._tracer = tracer
        self._relation = relation
        self._engine = engine
        self._queue: object = self
        self._name = ""
        self._attributes: dict[str, str | int] = {}

    def begin(
        self, record: Mapping[str, Any], recording: Recording, trace_id: str | None, parent_id: str | None
    ) -> MessageSegment:
        """Begins a span and makes it current; for a message that is not recorded, one that records nothing."""
        segment = new_object(OtelSegment)
        segment.invocation, segment.record, segment.recording = self._invocation, record, recording
        segment.trace_id, segment.parent_id = trace_id, parent_id
        if trace_id is None or recording == "none":
            return segment
        before = get_current()
        span: Span
        if recording == "recorded":
            sender = sender_context(trace_id, parent_id, sampled=True)
            begun: Span | None = None
            try:
                span = begun = self._begun(record, sender, before)
                if self._relation == "link":
                    segment.record_elsewhere(span.get_span_context())
            except Exception:  # noqa: BLE001 - a provider's failure must not fail a message; its trace goes on
                count("failed")
                if begun is not None:
                    safely(begun.end)
                span = NonRecordingSpan(sender)
            segment.start_time = time()
        else:
            span = NotRecordedSpan(trace_id, parent_id)
        segment.enter(span, before)
        return segment

    def announce(self, segment: MessageSegment) -> None:
        """Does nothing: OpenTelemetry's spans are exported once they have ended."""

    def end(self, segment: MessageSegment, error: BaseException | None) -> None:
        """Ends the span."""
        try:
            if error is not None:
                segment.add_exception(error)
        finally:
            segment.close()
            if isinstance(segment, OtelSegment) and segment.span is not None:
                segment.span.end()
        self._engine.ended(self._invocation)

    def leave(self, segment: MessageSegment) -> None:
        """Makes current again what was current before a message that is not recorded."""
        segment.end_time = time()
        if isinstance(segment, OtelSegment):
            segment.leave()

    def _begun(self, record: Mapping[str, Any], sender: SpanContext, before: Context) -> Span:
        queue, message_id, of_sqs = record.get("eventSourceARN"), record.get("messageId"), record.get("attributes")
        if queue != self._queue:
            self._describe(queue)
        if type(message_id) is not str or type(of_sqs) is not dict:
            # The calls are worth it for odd records alone.
            message_id, of_sqs = message_id_of(record), attributes_of(record)
        attributes = self._attributes.copy()
        if message_id:
            attributes[MESSAGE_ID] = message_id
        try:
            attributes[ATTEMPT] = int(of_sqs["ApproximateReceiveCount"])
            waited = int(of_sqs["ApproximateFirstReceiveTimestamp"]) - int(of_sqs["SentTimestamp"])
            attributes[QUEUE_MS] = max(0, waited)
        except (KeyError, TypeError, ValueError, OverflowError):
            pass
        if self._relation == "parent":
            parent = set_span_in_context(NonRecordingSpan(sender), before)
            return self._tracer.start_span(self._name, parent, _CONSUMER, attributes)
        header = self._invocation.header
        ambient = None
        if (
            header is not None
            and header.parent is not None
            and not trace.get_current_span().get_span_context().is_valid
        ):
            ambient = in_context(header)
        return self._tracer.start_span(self._name, ambient, _CONSUMER, attributes, [Link(sender)])

    def _describe(self, queue: object) -> None:
        """Writes what the spans of a queue's messages have in common, once."""
        self._queue = queue
        invocation, name = self._invocation, queue.rpartition(":")[2] if isinstance(queue, str) else ""
        self._name = f"process {name}" if name else "process"
        attributes = {
            **_CONVENTIONAL,
            "messaging.destination.name": name,
            INVOCATION_ID: invocation.request_id,
            INVOKED_ARN: invocation.function_arn,
        }
        self._attributes = {key: value for key, value in attributes.items() if value}

    def close(self) -> None:
        """Does nothing: OpenTelemetry counts its spans itself."""


class _PassesOn(NoOpTracer):
    """Records nothing and passes on the trace it finds, as older versions of the API do not."""

    def start_span(self, name: str, context: Context | None = None, *_: Any, **__: Any) -> Span:  # noqa: ARG002
        """Returns what stands for the span that the new one would have been below."""
        return NonRecordingSpan(get_current_span(context).get_span_context())


class OtelEngine:
    """Spans of the application's own tracer provider, exported by whatever it has set up."""

    _holds: int
    _emitters: list[Emitter]
    _lock: AbstractContextManager[bool]

    def __init__(self) -> None:
        self._provider: object = None
        self._tracer: Tracer = _PassesOn()
        self._flush = Flush()
        self._has_spans = False
        self._begin_anew()
        in_every_child(self._begin_anew)

    def messages(self, invocation: Invocation) -> Messages:
        """Returns what records messages of an invocation."""
        tracer = self._current_tracer()
        # Without a span that could link to the sender, its trace goes on.
        relation = "parent" if isinstance(tracer, _PassesOn) else _state.settings.otel_relation
        return OtelMessages(invocation, tracer, relation, self)

    def place(self) -> SpanPlace | NotRecorded:
        """Returns where the running code is recorded: below the current span, else below Lambda's own segment."""
        return otel_place(self._current_tracer())

    def hold(self) -> None:
        """Begins a batch, after which spans are flushed together."""
        with self._lock:
            self._holds += 1
            if _EXPORTER in sys.modules:
                self._emitters.append(get_emitter())
                self._emitters[-1].hold()

    def flush(self, invocation: Invocation, began: float) -> None:  # noqa: ARG002 - what was begun when is in the spans
        """Has the provider export what it keeps, within the time the invocation has left."""
        with self._lock:
            self._holds = max(0, self._holds - 1)
            emitter = self._emitters.pop() if self._emitters else None
        try:
            if not self._holds:
                self._flush_spans(invocation)
        finally:
            if emitter is not None:
                emitter.release(invocation)

    def ended(self, invocation: Invocation) -> None:
        """Flushes where no batch is under way; only in Lambda, which stops the environment after the invocation."""
        self._has_spans = True
        if not self._holds:
            self._flush_spans(invocation)

    def _begin_anew(self) -> None:
        """Forgets, in a forked process, the parent's batches and a lock that a thread of the parent's may hold."""
        self._holds = 0
        self._emitters = []
        self._lock = threading.RLock()

    def _flush_spans(self, invocation: Invocation) -> None:
        if self._has_spans:
            self._has_spans = False
            self._flush(self._provider, invocation)

    def _current_tracer(self) -> Tracer:
        """Returns the tracer of the application's provider, which it may set up at any time."""
        provider = _application_provider()
        if provider is not self._provider:
            self._tracer = _tracer_of(provider)
            self._provider = provider
        return self._tracer


def _tracer_of(provider: TracerProvider) -> Tracer:
    if not has_sdk():
        _log.warning("nothing is recorded: the application has set up no tracer provider of OpenTelemetry")
        return _PassesOn()
    try:
        tracer = provider.get_tracer("trace_bridge", _state.VERSION, schema_url=SCHEMA_URL)
    except Exception:  # noqa: BLE001 - a provider's failure must not fail a message
        _log.exception("nothing is recorded: the application's tracer provider of OpenTelemetry gives no tracer")
        return _PassesOn()
    # The SDK's provider gives the API's tracer, too, where `OTEL_SDK_DISABLED` is set.
    return _PassesOn() if isinstance(tracer, NoOpTracer) else tracer


def has_sdk() -> bool:
    """Returns whether the application has set up a tracer provider that records."""
    return not isinstance(_application_provider(), ProxyTracerProvider | NoOpTracerProvider)


def _application_provider() -> TracerProvider:
    """Returns the application's tracer provider, which its API may load by name from the environment."""
    try:
        return trace.get_tracer_provider()
    except Exception:  # noqa: BLE001 - the API has logged it, and must not try again for each message
        trace.set_tracer_provider(NoOpTracerProvider())
        return trace.get_tracer_provider()


OTEL: Engine = OtelEngine()
