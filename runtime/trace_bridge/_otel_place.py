"""AWS and HTTP calls, and functions of the handler's own, as spans below OpenTelemetry's current one.

The attributes are those of the conventions for HTTP and AWS SDK spans, version 1.44, but for Region and parameters of
AWS calls, which have the names that the collector's exporter to X-Ray reads.
https://github.com/open-telemetry/semantic-conventions/blob/v1.44.0/docs/http/http-spans.md#http-client-span
https://github.com/open-telemetry/semantic-conventions/blob/v1.44.0/docs/cloud-providers/aws-sdk.md
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, Span, SpanKind, Status, StatusCode, Tracer

from ._annotations import checked_annotation
from ._environment import LAMBDA_TRACE_HEADER
from ._header import TraceHeader
from ._invocation import Invocation, latest_invocation
from ._json import encode, text_of, with_metadata
from ._otel_segment import ANNOTATIONS, ERROR_TYPE, METADATA, OtelSegment, header_of, record_failure, sender_context
from ._places import NotRecorded, SpanSubsegment
from ._safely import safely
from ._scope import current_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ._segment import Child, MessageSegment


def otel_place(tracer: Tracer) -> OtelPlace | NotRecorded:
    """Returns where the running code is recorded.

    Args:
        tracer: Begins the spans.
    """
    scope = current_scope()
    message = None if scope is None or scope.message.recording == "none" else scope.message
    if message is not None and message.recording != "recorded":
        return NotRecorded(message.header_text(), in_message=True)
    if message is not None:
        return OtelPlace(tracer, message, None)
    if trace.get_current_span().get_span_context().is_valid:
        return OtelPlace(tracer, None, None)
    header = TraceHeader.parse(os.environ.get(LAMBDA_TRACE_HEADER))
    if header is None:
        return NotRecorded()
    if header.parent is None or not header.sampled:
        return NotRecorded(header.format())
    return OtelPlace(tracer, None, in_context(header))


def in_context(header: TraceHeader) -> Context:
    """Returns the current context, with what sent a header as its span."""
    sent = sender_context(header.root, header.parent, sampled=bool(header.sampled))
    return trace.set_span_in_context(NonRecordingSpan(sent))


class OtelPlace:
    """Below a span.

    Args:
        tracer: Begins the spans.
        message: The message under way; None outside of messages.
        parent: The context to begin spans in; None for the current one.
    """

    __slots__ = ("_entered", "_error", "_parent", "_tracer", "invocation", "message")

    def __init__(self, tracer: Tracer, message: MessageSegment | None, parent: Context | None) -> None:
        self._tracer = tracer
        self._parent = parent
        self._entered: _Entered | None = None
        self._error: BaseException | None = None
        self.message = message
        self.invocation: Invocation = latest_invocation() if message is None else message.invocation

    def new_id(self) -> str:
        """Returns an id, which the span does not have."""
        return self.invocation.new_id()

    def add(self, child: Child) -> None:
        """Begins the span of a call and makes it current."""
        self._entered = safely(_Entered, self._tracer, _name_of(child.to_dict()), SpanKind.CLIENT, self._parent)

    def header(self, child_id: str) -> str | None:  # noqa: ARG002 - the current span makes the call
        """Returns the trace header of the current span."""
        context = trace.get_current_span().get_span_context()
        return header_of(context, self.invocation.lineage) if context.is_valid else None

    def failed(self, error: BaseException, cause_id: str) -> None:  # noqa: ARG002 - an event has no id
        """Remembers the exception of the call, which the call's document describes."""
        self._error = error

    def ended(self, child: Child) -> None:
        """Tells the span what the call was, and ends it."""
        entered, error = self._entered, self._error
        self._entered = self._error = None
        if entered is not None:
            safely(self._tell, entered.span, child, error)
            safely(entered.end)

    def _tell(self, span: Span, child: Child, error: BaseException | None) -> None:
        """Sets what the call's document tells: its attributes, and its exception without what is not to be recorded."""
        document = child.to_dict()
        span.set_attributes(dict(_attributes(document)))
        if error is not None:
            text = str(document["cause"]["exceptions"][0]["message"])
            if isinstance(self.message, OtelSegment):
                self.message.call_described(error, text)
            record_failure(span, error, text)
        elif document.get("fault") or document.get("error"):
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute(ERROR_TYPE, str(document.get("http", {}).get("response", {}).get("status", "_OTHER")))

    def subsegment(self, name: str) -> SpanSubsegment:
        """Begins the span of a function of the handler's own, and makes it current."""
        return _OwnSpan(_Entered(self._tracer, name, SpanKind.INTERNAL, self._parent), self.message)


class _Entered:
    """A span that was begun and made current."""

    __slots__ = ("_before", "_context", "span")

    def __init__(self, tracer: Tracer, name: str, kind: SpanKind, parent: Context | None) -> None:
        self.span: Span = tracer.start_span(name, parent, kind)
        self._before = otel_context.get_current()
        self._context = trace.set_span_in_context(self.span, self._before)
        otel_context.attach(self._context)

    def end(self) -> None:
        """Ends it; what has been made current in its place since stays so."""
        if otel_context.get_current() is self._context:
            otel_context.attach(self._before)
        self.span.end()


class _OwnSpan(SpanSubsegment):
    """What `subsegment` gives."""

    __slots__ = ("_annotated", "_entered", "_message", "_metadata")

    def __init__(self, entered: _Entered, message: MessageSegment | None) -> None:
        self._entered = entered
        self._message = message
        self._annotated: list[str] = []
        self._metadata: dict[str, dict[str, object]] = {}

    def put_annotation(self, key: str, value: str | float | bool) -> Self:
        """Sets an attribute of the span, which an exporter to X-Ray indexes."""
        checked = checked_annotation(key, value)
        if checked is not None:
            self._annotated.append(key)
            self._entered.span.set_attribute(key, checked)
            self._entered.span.set_attribute(ANNOTATIONS, list(dict.fromkeys(self._annotated)))
        return self

    def put_metadata(self, key: str, value: object, namespace: str = "default") -> Self:
        """Sets an attribute of the span: the namespace, as JSON."""
        self._metadata = with_metadata(self._metadata, key, value, namespace)
        group = text_of(namespace)
        self._entered.span.set_attribute(f"{METADATA}{group}", encode(self._metadata[group]))
        return self

    def add_exception(self, error: BaseException) -> None:
        """Records an exception as an event of the span and marks the span as failed."""
        text = self._message.text_of(error) if isinstance(self._message, OtelSegment) else None
        record_failure(self._entered.span, error, text)

    def end(self, error: BaseException | None) -> None:
        """Ends the span."""
        try:
            if error is not None:
                self.add_exception(error)
        finally:
            self._entered.end()


def _name_of(document: Mapping[str, Any]) -> str:
    """Returns a call's name by the conventions: the service's and the operation's, or the method's."""
    if "aws" in document:
        return f"{document['name']}.{document['aws']['operation']}"
    return str(document.get("http", {}).get("request", {}).get("method") or document["name"])


def _attributes(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    http = document.get("http", {})
    request, response = http.get("request", {}), http.get("response", {})
    aws = document.get("aws")
    if aws is None:
        yield "server.address", document["name"]
        yield "server.port", _port_of(request["url"])
        yield "http.request.method", request["method"]
        yield "url.full", request["url"]
        if "content_length" in response:
            yield "http.response.body.size", response["content_length"]
    else:
        yield "rpc.system", "aws-api"
        yield "rpc.service", document["name"]
        yield "rpc.method", aws["operation"]
        for field, value in aws.items():
            if field != "operation":
                yield f"aws.{field}", value if isinstance(value, str | int | float) else encode(value)
    if "status" in response:
        yield "http.response.status_code", response["status"]


def _port_of(url: str) -> int:
    """Returns the port that a URL names, or that of its scheme."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
