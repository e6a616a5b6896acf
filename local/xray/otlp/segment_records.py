"""Segment documents as records of the log group `aws/spans`.

Source: CloudWatch User Guide, "Transaction Search": "X-Ray traces automatically convert to the semantic convention
format before they're stored in a log group called aws/spans". How is in no document. The rules are those of the
receiver that AWS maintains in OpenTelemetry's collector, receiver/awsxrayreceiver/internal/translator,
https://github.com/open-telemetry/opentelemetry-collector-contrib: a segment and each of its subsegments is a span.
"""

import json
from collections.abc import Iterator
from typing import Any

from local.xray.document_tree import Document
from local.xray.otlp.records import Record
from local.xray.otlp.span import w3c_trace_id

_NANOSECONDS = 1_000_000_000
_AWS = {
    "account_id": "aws.account_id",
    "operation": "aws.operation",
    "region": "aws.region",
    "request_id": "aws.request_id",
    "queue_url": "aws.queue_url",
    "table_name": "aws.table_name",
    "retries": "aws.xray.retries",
}
_HTTP_REQUEST = {
    "method": "http.method",
    "url": "http.url",
    "user_agent": "http.user_agent",
    "client_ip": "http.client_ip",
    "x_forwarded_for": "aws.xray.x_forwarded_for",
}
_HTTP_RESPONSE = {"status": "http.status_code", "content_length": "http.response_content_length"}


def records_of(document: Document) -> Iterator[Record]:
    """Writes a segment or subsegment, and what lies within it, as records; parents first."""
    trace_id, resource = w3c_trace_id(str(document["trace_id"])), _resource(document)
    pending: list[tuple[Document, str | None]] = [(document, document.get("parent_id"))]
    while pending:
        entity, parent_id = pending.pop()
        yield _record(entity, trace_id=trace_id, parent_id=parent_id, resource=resource, root=entity is document)
        pending.extend((inner, str(entity["id"])) for inner in reversed(entity.get("subsegments") or []))


def _record(entity: Document, *, trace_id: str, parent_id: str | None, resource: Record, root: bool) -> Record:
    start = round(float(entity["start_time"]) * _NANOSECONDS)
    end = max(start, round(float(entity.get("end_time") or entity["start_time"]) * _NANOSECONDS))
    failed = any(entity.get(flag) for flag in ("fault", "error", "throttle"))
    record: Record = {
        "resource": resource,
        "scope": {"name": "", "version": ""},
        "traceId": trace_id,
        "spanId": entity["id"],
        "flags": 1,
        "name": entity["name"],
        "kind": _kind(entity, root=root),
        "startTimeUnixNano": start,
        "endTimeUnixNano": end,
        "durationNano": end - start,
        "attributes": _attributes(entity),
        "status": {"code": "ERROR" if failed else "UNSET"},
    }
    if parent_id:
        record["parentSpanId"] = parent_id
    if events := _exceptions(entity, end):
        record["events"] = events
    return record


def _kind(entity: Document, *, root: bool) -> str:
    if entity.get("namespace") in ("aws", "remote"):
        return "CLIENT"
    return "SERVER" if root and entity.get("type") != "subsegment" else "INTERNAL"


def _resource(document: Document) -> Record:
    attributes: dict[str, Any] = {"service.name": document["name"], "cloud.provider": "unknown"}
    aws = document.get("aws")
    if aws is not None:
        attributes["cloud.provider"] = "aws"
        if aws.get("account_id"):
            attributes["cloud.account.id"] = aws["account_id"]
    if document.get("resource_arn"):
        attributes["aws.xray.resource_arn"] = document["resource_arn"]
    version = (document.get("service") or {}).get("version")
    return {"attributes": {**attributes, **({"service.version": version} if version else {})}}


def _attributes(entity: Document) -> dict[str, Any]:
    http = entity.get("http") or {}
    attributes: dict[str, Any] = {}
    for block, names in (
        (entity.get("aws") or {}, _AWS),
        (http.get("request") or {}, _HTTP_REQUEST),
        (http.get("response") or {}, _HTTP_RESPONSE),
    ):
        attributes |= {name: block[field] for field, name in names.items() if field in block}
    if entity.get("namespace") == "aws":
        attributes["aws.service"] = entity["name"]
    if entity.get("user"):
        attributes["enduser.id"] = entity["user"]
    annotations = entity.get("annotations") or {}
    if annotations:
        attributes |= {**annotations, "aws.xray.annotations": list(annotations)}
    metadata = entity.get("metadata") or {}
    return attributes | {f"aws.xray.metadata.{name}": json.dumps(held) for name, held in metadata.items()}


def _exceptions(entity: Document, time: int) -> list[Record]:
    cause = entity.get("cause")
    exceptions = cause.get("exceptions") or [] if isinstance(cause, dict) else []
    return [
        {
            "timeUnixNano": time,
            "name": "exception",
            "attributes": {
                "exception.type": exception.get("type", ""),
                "exception.message": exception.get("message", ""),
            },
        }
        for exception in exceptions
    ]
