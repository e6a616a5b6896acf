"""Reads BatchGetTraces answers into the objects of `documents`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TypedDict

from ..errors import InvalidDocumentError
from .late_subsegments import Nested, children, nested, walk
from .model import JsonObject, JsonValue, Link, Segment, Subsegment, Trace


def parse_traces(answers: Iterable[Mapping[str, object]]) -> list[Trace]:
    """Reads the `Traces` of BatchGetTraces answers; parts of one trace on several pages become one.

    Args:
        answers: The items of `Traces`, from any number of pages.

    Raises:
        InvalidDocumentError: A document is not a segment document.
    """
    merged: dict[str, dict[str, object]] = {}
    for answer in answers:
        trace_id = str(answer.get("Id", ""))
        if trace_id not in merged:
            merged[trace_id] = dict(answer)
            continue
        seen = merged[trace_id]
        seen["Segments"] = [*_list(seen.get("Segments")), *_list(answer.get("Segments"))]
        seen["LimitExceeded"] = bool(seen.get("LimitExceeded")) or bool(answer.get("LimitExceeded"))
    return [parse_trace(answer) for answer in merged.values()]


def parse_trace(answer: Mapping[str, object]) -> Trace:
    """Reads one item of BatchGetTraces' `Traces`.

    A segment's `Document` may be the JSON text X-Ray sends or the object in it; a segment without `Document`
    is taken as the document itself.

    Raises:
        InvalidDocumentError: A document is not a segment document; the message says which and why.
    """
    trace_id = str(answer.get("Id", ""))
    documents = _latest([_document(item, trace_id) for item in _list(answer.get("Segments"))])
    tops, late = nested(documents)
    segments = sorted((_segment(document, trace_id, late) for document in tops), key=lambda segment: segment.start)
    duration = answer.get("Duration")
    known = ("Id", "Duration", "LimitExceeded", "Segments")
    return Trace(
        id=trace_id,
        duration=float(duration) if isinstance(duration, (int, float)) else None,
        limit_exceeded=bool(answer.get("LimitExceeded")),
        segments=tuple(segments),
        documents=tuple(documents),
        extra={key: _json(value) for key, value in answer.items() if key not in known},
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _json(value: object) -> JsonValue:
    loaded: JsonValue = json.loads(json.dumps(value, default=str))
    return loaded


def _document(item: object, trace_id: str) -> JsonObject:
    """Returns the document of one entry of `Segments`."""
    document: object = item.get("Document", item) if isinstance(item, dict) else item
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise InvalidDocumentError(
                trace_id=trace_id, reason=f"it is no JSON: {error}", document=document
            ) from error
    if not isinstance(document, dict):
        raise InvalidDocumentError(trace_id=trace_id, reason="it is no JSON object", document=document)
    if not isinstance(document.get("id"), str):
        raise InvalidDocumentError(trace_id=trace_id, reason="it has no id", document=document)
    # A copy through JSON: the caller's own object is never changed by nesting.
    copy: JsonObject = json.loads(json.dumps(document, default=str))
    return copy


def _latest(documents: Iterable[JsonObject]) -> list[JsonObject]:
    """One document an id: of two, the complete one counts."""
    by_id: dict[str, JsonObject] = {}
    for document in documents:
        key = str(document["id"])
        if key not in by_id or not document.get("in_progress"):
            by_id[key] = document
    return list(by_id.values())


class _Fields:
    """A document's fields, taken out one by one; what has an unexpected type stays and ends up in `extra`."""

    def __init__(self, raw: JsonObject) -> None:
        self.left = dict(raw)

    def text(self, key: str) -> str | None:
        value = self.left.get(key)
        if isinstance(value, str):
            del self.left[key]
            return value
        return None

    def number(self, key: str) -> float | None:
        value = self.left.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            del self.left[key]
            return float(value)
        return None

    def flag(self, key: str) -> bool:
        value = self.left.get(key)
        if isinstance(value, bool):
            del self.left[key]
            return value
        return False

    def object(self, key: str) -> JsonObject:
        value = self.left.get(key)
        if isinstance(value, dict):
            del self.left[key]
            return value
        return {}

    def objects(self, key: str) -> list[JsonObject]:
        value = self.left.get(key)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            return []
        del self.left[key]
        return [item for item in value if isinstance(item, dict)]

    def any(self, key: str) -> JsonValue:
        return self.left.pop(key, None)


class _Common(TypedDict):
    """The arguments segments and subsegments share."""

    id: str
    trace_id: str
    name: str
    start: float
    end: float | None
    in_progress: bool
    fault: bool
    error: bool
    throttle: bool
    parent_id: str | None
    namespace: str | None
    annotations: JsonObject
    metadata: JsonObject
    aws: JsonObject
    http: JsonObject
    cause: JsonValue
    links: tuple[Link, ...]
    subsegments: tuple[Subsegment, ...]


def _common(fields: _Fields, trace_id: str, subsegments: tuple[Subsegment, ...]) -> _Common:
    trace_id = fields.text("trace_id") or trace_id
    fields.objects("subsegments")
    return _Common(
        id=fields.text("id") or "",
        trace_id=trace_id,
        name=fields.text("name") or "",
        start=fields.number("start_time") or 0.0,
        end=fields.number("end_time"),
        in_progress=fields.flag("in_progress"),
        fault=fields.flag("fault"),
        error=fields.flag("error"),
        throttle=fields.flag("throttle"),
        parent_id=fields.text("parent_id"),
        namespace=fields.text("namespace"),
        annotations=fields.object("annotations"),
        metadata=fields.object("metadata"),
        aws=fields.object("aws"),
        http=fields.object("http"),
        cause=fields.any("cause"),
        links=tuple(_link(link) for link in fields.objects("links")),
        subsegments=subsegments,
    )


def _segment(raw: JsonObject, trace_id: str, late: Nested) -> Segment:
    fields = _Fields(raw)
    common = _common(fields, trace_id, _subsegments(raw, trace_id, late))
    origin, inferred = fields.text("origin"), fields.flag("inferred")
    resource_arn, own_type = fields.text("resource_arn"), fields.text("type")
    return Segment(
        **common,
        origin=origin,
        inferred=inferred,
        resource_arn=resource_arn,
        type=own_type,
        extra=fields.left,
        raw=raw,
    )


def _subsegments(segment: JsonObject, trace_id: str, late: Nested) -> tuple[Subsegment, ...]:
    """Returns the subsegments of a segment; the innermost are made first, without recursion, however deep they are."""
    built: dict[int, Subsegment] = {}

    def inner(raw: JsonObject) -> tuple[Subsegment, ...]:
        return tuple(built[id(child)] for child in children(raw, late))

    for raw in reversed(list(walk(segment, late))[1:]):
        fields = _Fields(raw)
        common = _common(fields, trace_id, inner(raw))
        if raw.get("type") == "subsegment":
            fields.text("type")
        built[id(raw)] = Subsegment(**common, extra=fields.left, raw=raw)
    return inner(segment)


def _link(raw: JsonObject) -> Link:
    fields = _Fields(raw)
    return Link(
        trace_id=fields.text("trace_id") or "",
        id=fields.text("id") or "",
        attributes=fields.object("attributes"),
        extra=fields.left,
    )
