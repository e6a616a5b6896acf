"""Spans as segment documents.

How X-Ray itself does it is in no document. The rules are those of the exporter that AWS maintains in OpenTelemetry's
collector, exporter/awsxrayexporter/internal/translator/segment.go,
https://github.com/open-telemetry/opentelemetry-collector-contrib: a server's span and a root are segments, others are
subsegments of their parents. A local root that calls or consumes becomes two documents: a segment of its service, and
below that a subsegment of the call.
"""

import hashlib
import json
import re
from typing import Any

from local.xray.document_tree import Document
from local.xray.otlp import blocks
from local.xray.otlp.cause import cause
from local.xray.otlp.names import REMOTE_SERVICE, is_aws_call, is_local_root, name_of, remote_name, service_name, valid
from local.xray.otlp.span import Span, xray_trace_id

_NANOSECONDS = 1_000_000_000
_LISTED = "aws.xray.annotations"
_METADATA = "aws.xray.metadata."
_RESOURCE = "otel.resource."
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9_.]")
_OF_THE_CALL = ("operation", "account_id", "region", "request_id", "queue_url", "table_name")


def documents_of(span: Span) -> list[Document]:
    """Returns the documents of a span: one, or two for a local root that calls or consumes."""
    if not is_local_root(span):
        return [_document(span)]
    if span.kind in ("SERVER", "INTERNAL"):
        segment = _without(_document(span), "type", "namespace")
        return [segment | {"name": service_name(span)} | _of_resource(span)]
    return _service_and_call(span)


def _service_and_call(span: Span) -> list[Document]:
    service_id = hashlib.sha256(f"service:{span.span_id}".encode()).hexdigest()[:16]
    call = _document(span) | {"type": "subsegment", "parent_id": service_id}
    call.setdefault("namespace", "remote")
    if remote := remote_name(span):
        call["name"] = valid(remote)
    service = _without(_document(span), "type", "namespace", "http") | _of_resource(span)
    service |= {"id": service_id, "name": service_name(span)}
    service["aws"] = {field: value for field, value in service.get("aws", {}).items() if field not in _OF_THE_CALL}
    # The link of a consumer is that of its service, the link of a call is its own.
    return [_without(call, "links"), service] if span.kind == "CONSUMER" else [call, _without(service, "links")]


def _document(span: Span) -> Document:
    is_segment = span.kind == "SERVER" or span.parent_span_id is None
    annotated = _annotated(span)
    document: Document = {
        "id": span.span_id,
        "trace_id": xray_trace_id(span.trace_id),
        "parent_id": span.parent_span_id,
        "name": name_of(span),
        "type": None if is_segment else "subsegment",
        "namespace": None if is_segment else _namespace(span),
        "start_time": span.start / _NANOSECONDS,
        "end_time": span.end / _NANOSECONDS,
        "http": blocks.http(span),
        "aws": blocks.aws(span),
        "cause": cause(span),
        "links": blocks.links(span),
        "user": span.attributes.get("enduser.id") if is_segment else None,
        "annotations": {_NOT_IN_A_KEY.sub("_", name): value for name, value in annotated.items()},
        "metadata": _metadata(span, annotated),
        **blocks.flags(span),
    }
    filled = {field: value for field, value in document.items() if value is not None and value not in ("", {}, [])}
    return filled | _of_resource(span) if is_segment else filled


def _namespace(span: Span) -> str | None:
    if is_aws_call(span) or "aws.service" in span.attributes:
        return "aws"
    is_remote = span.kind == "CLIENT" or (span.kind != "INTERNAL" and REMOTE_SERVICE in span.attributes)
    return "remote" if is_remote else None


def _of_resource(span: Span) -> Document:
    """Returns what a segment has of the resource, its metadata with those of the span."""
    fields: Document = {}
    if origin := blocks.origin(span.resource):
        fields["origin"] = origin
    if (version := span.resource.get("service.version")) is not None:
        fields["service"] = {"version": str(version)}
    if span.resource:
        metadata = _metadata(span, _annotated(span))
        own = {f"{_RESOURCE}{key}": value for key, value in span.resource.items()}
        fields["metadata"] = {**metadata, "default": {**own, **metadata.get("default", {})}}
    return fields


def _annotated(span: Span) -> dict[str, Any]:
    """Returns the attributes that are annotations: those that a span lists."""
    listed = span.attributes.get(_LISTED)
    names = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    values = {name: span.attributes.get(name) for name in names}
    return {name: value for name, value in values.items() if isinstance(value, str | int | float)}


def _metadata(span: Span, annotated: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the attributes that no other field has, by namespaces."""
    metadata: dict[str, dict[str, Any]] = {}
    for key, value in span.attributes.items():
        if key in annotated or key in blocks.READ or key in (_LISTED, "enduser.id") or value is None:
            continue
        namespace = _namespace_of(key, value)
        if namespace is None:
            metadata.setdefault("default", {})[key] = value
        else:
            metadata.setdefault(key.removeprefix(_METADATA), {}).update(namespace)
    return metadata


def _namespace_of(key: str, value: Any) -> dict[str, Any] | None:
    """Returns a namespace of metadata that an attribute holds as JSON; `None` if it holds none."""
    if not key.startswith(_METADATA) or not isinstance(value, str):
        return None
    try:
        held = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return held if isinstance(held, dict) else None


def _without(document: Document, *fields: str) -> Document:
    return {field: value for field, value in document.items() if field not in fields}
