"""Spans as records of the log group `aws/spans`.

Source: CloudWatch User Guide, "Transaction Search": "These spans are stored in the semantic convention format with W3C
trace IDs". The names of the fields are those of an AWS tool that writes such records, in
https://github.com/aws/bedrock-agentcore-sdk-python, evaluation/span_to_adot_serializer/adot_models.py. Events and links
are written likewise, which is assumed.
"""

from typing import Any

from local.xray.otlp.span import Span

Record = dict[str, Any]
"""One record (JSON)."""


def record_of(span: Span) -> Record:
    """Writes a span as a record."""
    record: Record = {
        "resource": {"attributes": dict(span.resource)},
        "scope": {"name": span.scope_name, "version": span.scope_version},
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "flags": span.flags,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": span.start,
        "endTimeUnixNano": span.end,
        "durationNano": span.end - span.start,
        "attributes": dict(span.attributes),
        "status": {"code": span.status, **({"message": span.message} if span.message else {})},
    }
    if span.parent_span_id:
        record["parentSpanId"] = span.parent_span_id
    if span.events:
        record["events"] = [
            {"timeUnixNano": event.time, "name": event.name, "attributes": dict(event.attributes)}
            for event in span.events
        ]
    if span.links:
        record["links"] = [
            {"traceId": link.trace_id, "spanId": link.span_id, "attributes": dict(link.attributes)}
            for link in span.links
        ]
    return record
