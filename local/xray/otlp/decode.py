"""Reads spans out of OTLP's two encodings.

Source: OpenTelemetry Protocol Specification 1, "Binary Protobuf Encoding" and "JSON Protobuf Encoding": in JSON, ids
are hexadecimal digits and not base64, enums are numbers, and unknown fields are ignored. The messages themselves are
those of the package opentelemetry-proto, whose decoder bounds their depth.
"""

import base64
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from local.xray.otlp.span import Attributes, Event, Kind, Link, Span, StatusCode

_KINDS: tuple[Kind, ...] = ("INTERNAL", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
"""By number; "implementations MAY assume SpanKind to be INTERNAL when receiving UNSPECIFIED"."""

_STATUSES: tuple[StatusCode, ...] = ("UNSET", "OK", "ERROR")
_IDS = {"traceId": 16, "spanId": 8, "parentSpanId": 8}
_TRACE_BYTES, _SPAN_BYTES = 16, 8


class MalformedError(Exception):
    """The bytes are no request of OTLP."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What a request holds.

    Attributes:
        spans: The spans.
        refused: What is wrong with each span that is none.
    """

    spans: tuple[Span, ...]
    refused: tuple[str, ...]


def from_protobuf(body: bytes) -> Batch:
    """Reads the binary encoding.

    Raises:
        MalformedError: The bytes are no `ExportTraceServiceRequest`.
    """
    request = ExportTraceServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError as problem:
        raise MalformedError(f"the {len(body)} bytes are no ExportTraceServiceRequest ({problem})") from None
    return _batch(request)


def from_json(body: bytes) -> Batch:
    """Reads the JSON encoding.

    Raises:
        MalformedError: The text is no `ExportTraceServiceRequest` in JSON.
    """
    request = ExportTraceServiceRequest()
    try:
        parsed = json.loads(body)
        if not isinstance(parsed, dict):
            raise MalformedError("the body is no ExportTraceServiceRequest in JSON (it is not an object)")
        ParseDict(_with_bytes(parsed), request, ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as problem:
        raise MalformedError(f"the body is no ExportTraceServiceRequest in JSON ({problem})") from None
    return _batch(request)


def _with_bytes(value: Any, key: str = "") -> Any:
    """Returns JSON with its ids as protobuf's own JSON has bytes: base64."""
    match value:
        case dict():
            return {name: _with_bytes(inner, name) for name, inner in value.items()}
        case list():
            return [_with_bytes(inner) for inner in value]
        case str() if key in _IDS:
            return base64.b64encode(bytes.fromhex(value)).decode()
        case _:
            return value


def _batch(request: ExportTraceServiceRequest) -> Batch:
    spans: list[Span] = []
    refused: list[str] = []
    for of_resource in request.resource_spans:
        resource = _attributes(of_resource.resource.attributes)
        for of_scope in of_resource.scope_spans:
            for message in of_scope.spans:
                problem = _problem(message)
                if problem:
                    refused.append(problem)
                else:
                    spans.append(_span(message, resource, of_scope.scope))
    return Batch(spans=tuple(spans), refused=tuple(refused))


def _problem(message: SpanMessage) -> str | None:
    for name, value, size in (
        ("trace_id", message.trace_id, _TRACE_BYTES),
        ("span_id", message.span_id, _SPAN_BYTES),
    ):
        if not _is_id(value, size):
            return f"{name} {value.hex()!r} is not {size} bytes, not all of them zero"
    if message.parent_span_id and len(message.parent_span_id) != _SPAN_BYTES:
        return f"parent_span_id {message.parent_span_id.hex()!r} is not {_SPAN_BYTES} bytes"
    return None


def _is_id(value: bytes, size: int) -> bool:
    return len(value) == size and any(value)


def _span(message: SpanMessage, resource: Attributes, scope: InstrumentationScope) -> Span:
    return Span(
        trace_id=message.trace_id.hex(),
        span_id=message.span_id.hex(),
        parent_span_id=message.parent_span_id.hex() if any(message.parent_span_id) else None,
        flags=message.flags,
        name=message.name,
        kind=_KINDS[message.kind] if 0 <= message.kind < len(_KINDS) else "INTERNAL",
        start=message.start_time_unix_nano,
        end=max(message.start_time_unix_nano, message.end_time_unix_nano),
        attributes=_attributes(message.attributes),
        events=tuple(
            Event(name=event.name, time=event.time_unix_nano, attributes=_attributes(event.attributes))
            for event in message.events
        ),
        links=tuple(_links(message)),
        status=_STATUSES[message.status.code] if 0 <= message.status.code < len(_STATUSES) else "UNSET",
        message=message.status.message,
        resource=resource,
        scope_name=scope.name,
        scope_version=scope.version,
        size=message.ByteSize(),
    )


def _links(message: SpanMessage) -> Iterator[Link]:
    for link in message.links:
        # "Ignore links with an invalid span context": a link alone never costs a span.
        if _is_id(link.trace_id, _TRACE_BYTES) and _is_id(link.span_id, _SPAN_BYTES):
            yield Link(
                trace_id=link.trace_id.hex(), span_id=link.span_id.hex(), attributes=_attributes(link.attributes)
            )


def _attributes(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            # JSON has no word for these.
            return value.double_value if math.isfinite(value.double_value) else str(value.double_value)
        case "array_value":
            return [_value(item) for item in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case _:
            return None
