"""The rules of segment documents, and of all the documents of a run together.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html; the types and lengths are those of
AWS's own schema, `xray-segmentdocument-schema-v1.0.0.json`.
"""

import json
import time
from collections.abc import Iterable
from typing import Any

from jsonschema import Draft202012Validator

MAX_BYTES = 64_000

_ID = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_TEXT = {"type": "string"}
_SHORT = {"type": "string", "maxLength": 250}
_FLAG = {"type": "boolean"}
_SECONDS = {"type": "number", "minimum": 1_000_000_000, "maximum": 10_000_000_000}
_FRAME = {
    "type": "object",
    "properties": {"path": _TEXT, "line": {"type": "integer"}, "label": _TEXT},
    "additionalProperties": False,
}
_EXCEPTION = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": _ID,
        "message": _TEXT,
        "type": _TEXT,
        "remote": _FLAG,
        "truncated": {"type": "integer"},
        "skipped": {"type": "integer"},
        "cause": _ID,
        "stack": {"type": "array", "items": _FRAME},
    },
    "additionalProperties": False,
}
_CAUSE = {
    "oneOf": [
        _ID,
        {
            "type": "object",
            "required": ["working_directory", "exceptions"],
            "properties": {
                "working_directory": _TEXT,
                "paths": {"type": "array", "items": _TEXT},
                "exceptions": {"type": "array", "minItems": 1, "items": _EXCEPTION},
            },
            "additionalProperties": False,
        },
    ]
}
_HTTP = {
    "type": "object",
    "properties": {
        "request": {
            "type": "object",
            "properties": {
                "method": _SHORT,
                "client_ip": _SHORT,
                "url": _SHORT,
                "user_agent": _SHORT,
                "x_forwarded_for": _FLAG,
                "traced": _FLAG,
            },
            "additionalProperties": False,
        },
        "response": {
            "type": "object",
            "properties": {"status": {"type": "integer"}, "content_length": {"type": "integer"}},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
_COMMON: dict[str, Any] = {
    "name": {"type": "string", "pattern": r"^[\w\s_.:/%&#=+\\\-@]{1,200}$"},
    "id": _ID,
    "trace_id": {"type": "string", "pattern": "^1-[0-9a-f]{8}-[0-9a-f]{24}$"},
    "parent_id": _ID,
    "start_time": _SECONDS,
    "end_time": _SECONDS,
    "in_progress": {"const": True},
    "error": _FLAG,
    "fault": _FLAG,
    "throttle": _FLAG,
    "http": _HTTP,
    "aws": {
        "type": "object",
        "properties": {
            "account_id": {"type": "string", "pattern": "^[0-9]{12}$"},
            "operation": _TEXT,
            "region": _TEXT,
            "request_id": _TEXT,
            "queue_url": _TEXT,
            "table_name": _TEXT,
            "topic_arn": _TEXT,
            "function_arn": _TEXT,
            "retries": {"type": "integer"},
            "xray": {"type": "object"},
            "cloudwatch_logs": {
                "type": "array",
                "items": {"type": "object", "required": ["log_group"], "properties": {"log_group": _TEXT}},
            },
        },
    },
    "annotations": {
        "type": "object",
        "patternProperties": {"^[A-Za-z0-9_]{1,500}$": {"type": ["string", "number", "boolean"], "maxLength": 1000}},
        "additionalProperties": False,
        "maxProperties": 50,
    },
    "metadata": {"type": "object", "additionalProperties": {"type": "object"}},
    "cause": _CAUSE,
    "subsegments": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/subsegment"}},
    # Not in AWS's schema: as Lambda's own segments have it, and the OpenTelemetry collector sends it.
    "links": {"type": "array", "items": {"type": "object", "required": ["trace_id", "id"]}},
}
_ENDED = {"oneOf": [{"required": ["end_time"]}, {"required": ["in_progress"]}]}
_SUBSEGMENT = {
    "type": "object",
    "required": ["name", "id", "start_time"],
    "properties": {
        **_COMMON,
        "type": {"const": "subsegment"},
        "namespace": {"enum": ["aws", "remote", "local"]},
        "precursor_ids": {"type": "array", "items": _ID},
        "sql": {"type": "object"},
    },
    "additionalProperties": False,
    **_ENDED,
}
_SEGMENT = {
    "type": "object",
    "required": ["name", "id", "trace_id", "start_time", "origin"],
    "properties": {
        **_COMMON,
        "origin": {"enum": ["AWS::Lambda::Function", "AWS::ECS::Container", "AWS::EC2::Instance", "AWS::SQS::Queue"]},
        "user": _SHORT,
        "resource_arn": {"type": "string", "pattern": "^arn:"},
        "service": {
            "type": "object",
            "properties": {"version": _TEXT, "runtime": _TEXT, "runtime_version": _TEXT},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
    **_ENDED,
}
_DEFINITIONS = {"$defs": {"subsegment": _SUBSEGMENT}}
_segment = Draft202012Validator({**_DEFINITIONS, **_SEGMENT})
_nowhere = Draft202012Validator({**_DEFINITIONS, **_SEGMENT, "required": ["name", "id", "trace_id", "start_time"]})
_independent = Draft202012Validator(
    {**_DEFINITIONS, **_SUBSEGMENT, "required": ["name", "id", "start_time", "type", "trace_id", "parent_id"]}
)


class InvalidDocumentError(AssertionError):
    """X-Ray would not take a document, or would not draw it where it belongs."""


def validate(document: dict[str, Any], *, origin: bool = True) -> None:
    """Checks one document.

    Args:
        document: The document, parsed.
        origin: Whether a segment has to tell where it ran.
    """
    independent = document.get("type") == "subsegment"
    rules = _independent if independent else _segment if origin else _nowhere
    for error in rules.iter_errors(document):
        raise InvalidDocumentError(f"{error.json_path}: {error.message}\n{json.dumps(document, indent=1)[:3000]}")
    written = json.dumps(document, separators=(",", ":"))
    if len(written) > MAX_BYTES:
        raise InvalidDocumentError(f"a document of {len(written)} bytes")
    _check_times(document)
    ids = [entity["id"] for entity in entities(document)]
    if len(ids) != len(set(ids)):
        raise InvalidDocumentError(f"an id is used twice in {written[:2000]}")
    if set(document.get("aws", {})) & {"invocation", "secret"}:
        raise InvalidDocumentError("aws has fields X-Ray does not know")


def validate_all(documents: Iterable[dict[str, Any]], *, senders: Iterable[str], origin: bool = True) -> None:
    """Checks the documents of a run, and that each hangs where it should.

    Args:
        documents: All of them, in the order sent.
        senders: Ids of the segments and subsegments outside of the run that documents may have as parents.
        origin: As for `validate`.
    """
    known = set(senders)
    complete: dict[str, str] = {}
    begun: set[str] = set()
    everything = list(documents)
    for document in everything:
        validate(document, origin=origin)
        for entity in entities(document):
            known.add(entity["id"])
        if document.get("in_progress"):
            if document["id"] in begun or document["id"] in complete:
                raise InvalidDocumentError(f"{document['id']} is sent in progress twice, or after it was complete")
            begun.add(document["id"])
            continue
        for entity in entities(document):
            if entity["id"] in complete:
                raise InvalidDocumentError(f"{entity['id']} ({entity['name']}) is sent twice")
            complete[entity["id"]] = document["trace_id"]
    for document in everything:
        parent = document.get("parent_id")
        if parent is not None and parent not in known:
            raise InvalidDocumentError(
                f"{document['id']} ({document['name']}) has {parent} as parent, which nobody sent"
            )
        if parent in complete and complete[parent] != document["trace_id"]:
            raise InvalidDocumentError(f"{document['id']} has the parent {parent}, which is in another trace")


def entities(document: dict[str, Any]) -> Iterable[dict[str, Any]]:
    """The document and all the subsegments in it."""
    yield document
    for nested in document.get("subsegments", []):
        yield from entities(nested)


def _check_times(entity: dict[str, Any]) -> None:
    begins, ends = entity["start_time"], entity.get("end_time")
    if not isinstance(begins, float):
        raise InvalidDocumentError(f"{entity['name']} begins at {begins!r}, which has no fraction of a second")
    if ends is not None and not begins <= ends <= time.time() + 60:
        raise InvalidDocumentError(f"{entity['name']} lasts from {begins} to {ends}")
    for nested in entity.get("subsegments", []):
        if nested["start_time"] < begins - 0.001 or (ends and nested.get("end_time", begins) > ends + 0.001):
            raise InvalidDocumentError(
                f"{nested['name']} ({nested['start_time']} to {nested.get('end_time')}) is outside of "
                f"{entity['name']} ({begins} to {ends})"
            )
        if nested.get("parent_id", entity["id"]) != entity["id"]:
            raise InvalidDocumentError(f"{nested['name']} lies in {entity['id']} and names {nested['parent_id']}")
        if nested.get("in_progress") and ends:
            raise InvalidDocumentError(f"{nested['name']} is in progress inside a complete {entity['name']}")
        _check_times(nested)
