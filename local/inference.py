"""Inferred segments: the node of a called service that sends no segment itself.

Source: X-Ray Developer Guide, "Concepts", "Subsegments" and "Inferred segments": a subsegment of a call
without an answering segment becomes a segment of its own, `inferred`, whose parent is the subsegment; "if
the downstream service is also instrumented, the segment that it sends replaces the inferred segment".
"""

import hashlib
from typing import Any

_MESSAGING = ("AWS::SQS::Queue", "AWS::SNS", "AWS::Events")
_COPIED = ("start_time", "end_time", "in_progress", "http", "error", "fault", "throttle")


def inferred(*, trace_id: str, segments: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Derive the inferred segments of a trace from the subsegments of its real ones."""
    answers: dict[str, list[str]] = {}
    for segment in segments:
        if parent := segment.get("parent_id"):
            answers.setdefault(parent, []).append(segment.get("origin", ""))
    found: list[dict[str, Any]] = []
    pending = [subsegment for segment in segments for subsegment in segment.get("subsegments") or []]
    while pending:
        subsegment = pending.pop()
        pending.extend(subsegment.get("subsegments") or [])
        if subsegment.get("namespace") in ("aws", "remote"):
            document = _document(trace_id, subsegment)
            if not _answered(document.get("origin", ""), answers.get(subsegment["id"], [])):
                found.append(document)
    return found


def _answered(origin: str, answering: list[str]) -> bool:
    # A queue's or a topic's consumer continues from the caller's subsegment without being the service that
    # was called: X-Ray's own map for SQS draws producer, queue, consumer (X-Ray Developer Guide, "Amazon SQS
    # and AWS X-Ray").
    if origin in _MESSAGING:
        service = origin.split("::")[1]
        return any(answer.split("::")[1:2] == [service] for answer in answering)
    return bool(answering)


def _document(trace_id: str, subsegment: dict[str, Any]) -> dict[str, Any]:
    origin, name = _service(subsegment)
    document: dict[str, Any] = {
        "id": hashlib.sha256(f"inferred:{subsegment['id']}".encode()).hexdigest()[:16],
        "name": name,
        "trace_id": trace_id,
        "parent_id": subsegment["id"],
        "inferred": True,
        **{field: subsegment[field] for field in _COPIED if field in subsegment},
    }
    if subsegment.get("namespace") == "aws":
        document["aws"] = {**(subsegment.get("aws") or {}), "resource_names": [name]}
    if origin:
        document["origin"] = origin
    return document


def _service(subsegment: dict[str, Any]) -> tuple[str, str]:
    aws = subsegment.get("aws") or {}
    if subsegment.get("namespace") == "remote":
        return "", str(subsegment["name"])
    if table := aws.get("table_name"):
        return "AWS::DynamoDB::Table", str(table)
    if queue := aws.get("queue_url"):
        return "AWS::SQS::Queue", str(queue).rstrip("/").rsplit("/", 1)[-1]
    if topic := aws.get("topic_arn"):
        return "AWS::SNS", str(topic).rsplit(":", 1)[-1]
    if bucket := aws.get("bucket_name"):
        return "AWS::S3::Bucket", str(bucket)
    if function := aws.get("function_name"):
        return "AWS::Lambda", str(function)
    return f"AWS::{subsegment['name']}", str(subsegment["name"])
