"""Inferred segments: the node of a called service that sends no segment itself.

Source: X-Ray Developer Guide, "Concepts", "Subsegments" and "Inferred segments": a subsegment of a call
without an answering segment becomes a segment of its own, `inferred`, whose parent is the subsegment; "if
the downstream service is also instrumented, the segment that it sends replaces the inferred segment". What its
document looks like is shown in "Getting data from X-Ray", for a table and for a topic; what its node is called,
there and in the service graph of grafana/x-ray-datasource, src/XRayDataSource.test.ts, for a queue.
"""

import hashlib
from typing import Any

_MESSAGING = ("AWS::SQS::Queue", "AWS::SNS", "AWS::Events", "AWS::S3::Bucket")
_COPIED = ("start_time", "end_time", "in_progress", "http", "error", "fault", "throttle")
# SDKs name a call after the service's endpoint; X-Ray's documents have the service's own name.
_SERVICE_NAMES = {
    "dynamodb": "DynamoDB",
    "events": "Events",
    "lambda": "Lambda",
    "s3": "S3",
    "sns": "SNS",
    "sqs": "SQS",
}
# The field of a call that names its resource, and the type of the resource's node. A topic's is that of the service.
_RESOURCES = (
    ("table_name", "AWS::DynamoDB::Table"),
    ("queue_url", "AWS::SQS::Queue"),
    ("bucket_name", "AWS::S3::Bucket"),
    ("function_name", "AWS::Lambda"),
)


def inferred(*, trace_id: str, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Derives the inferred segments of a trace from the subsegments of its real ones."""
    answers: dict[str, list[str]] = {}
    for segment in segments:
        if parent := segment.get("parent_id"):
            answers.setdefault(parent, []).append(segment.get("origin", ""))
    inferred: list[dict[str, Any]] = []
    pending = [subsegment for segment in segments for subsegment in segment.get("subsegments") or []]
    while pending:
        subsegment = pending.pop()
        pending.extend(subsegment.get("subsegments") or [])
        if subsegment.get("namespace") in ("aws", "remote"):
            document = _document(trace_id, subsegment)
            if not _answered(document.get("origin", ""), answers.get(subsegment["id"], [])):
                inferred.append(document)
    return inferred


def name_call(entity: dict[str, Any]) -> None:
    """Names a subsegment of a call to an AWS service after that service, and adds the resource's name, in place.

    So BatchGetTraces answered for a published app whose SDK had sent `s3` and `dynamodb`: `S3` and `DynamoDB`, with
    `aws.resource_names`.
    """
    if entity.get("namespace") != "aws":
        return
    entity["name"] = _SERVICE_NAMES.get(str(entity["name"]).lower(), entity["name"])
    aws = entity.get("aws") or {}
    _, resource = _resource(aws)
    if resource and "resource_names" not in aws:
        entity["aws"] = {**aws, "resource_names": [resource]}


def node_name(segment: dict[str, Any]) -> str:
    """Returns the name of a segment's node on the map: its resource's for an inferred segment, else its own."""
    resources = (segment.get("aws") or {}).get("resource_names") if segment.get("inferred") else None
    return str(resources[0] if resources else segment["name"])


def _answered(origin: str, answering: list[str]) -> bool:
    # A queue's or a topic's consumer continues from the caller's subsegment without being the service that
    # was called: X-Ray's own map for SQS draws producer, queue, consumer (X-Ray Developer Guide, "Amazon SQS
    # and AWS X-Ray"), and so does its map for EventBridge. That it is so for a bucket is assumed.
    if origin in _MESSAGING:
        service = origin.split("::")[1]
        return any(answer.split("::")[1:2] == [service] for answer in answering)
    return bool(answering)


def _resource(aws: dict[str, Any]) -> tuple[str, str] | tuple[None, None]:
    """Returns type and name of the resource that a call's fields name."""
    return next(((kind, str(aws[key])) for key, kind in _RESOURCES if aws.get(key)), (None, None))


def _document(trace_id: str, subsegment: dict[str, Any]) -> dict[str, Any]:
    aws = dict(subsegment.get("aws") or {})
    name = str(subsegment["name"])
    document: dict[str, Any] = {
        "id": hashlib.sha256(f"inferred:{subsegment['id']}".encode()).hexdigest()[:16],
        "name": name,
        "trace_id": trace_id,
        "parent_id": subsegment["id"],
        "inferred": True,
        **{field: subsegment[field] for field in _COPIED if field in subsegment},
    }
    if subsegment.get("namespace") == "aws":
        origin, resource = _resource(aws)
        document["origin"] = origin or f"AWS::{name}"
        document["aws"] = {**aws, **({"resource_names": [resource]} if resource else {})}
    return document
