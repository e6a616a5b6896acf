"""Segment documents: what makes one valid.

Source: X-Ray Developer Guide, "X-Ray segment documents" and "Sending trace data to AWS X-Ray".
"""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.propagation.header import is_entity_id, is_trace_id
from local.xray.document_fields import kind_of, normalized, problems
from local.xray.document_tree import Document, depth_of

MAX_DOCUMENT_BYTES = 64 * 1024
"""Size limit of one document; X-Ray Developer Guide, "X-Ray segment documents": "up to 64 kB"."""

MAX_DEPTH = 450
"""How deep objects and arrays may lie within each other; assumed, and more than any SDK nests."""

# X-Ray Developer Guide, "Segment fields": names take 200 characters of these.
_NAME = re.compile(r"[\w\s.:/%&#=+\\\-@]{1,200}")
# "Trace data is automatically deleted from X-Ray after 30 days": X-Ray Developer Guide, "AWS X-Ray tutorial".
_RETENTION_SECONDS = 30 * 24 * 3600.0
# The last second an SDK can read as a date.
_LAST_TIME = 253402300799.0


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why X-Ray does not take a document in.

    Attributes:
        code: X-Ray's error code. `ParseError` and `InvalidTraceId` are AWS's own; the others are assumed.
        reason: What was wrong with it, with the value.
        entity_id: The document's id, where it has a usable one.
    """

    code: str
    reason: str
    entity_id: str | None = None

    @property
    def message(self) -> str:
        """AWS's wording, then the reason."""
        return f"Invalid segment. ErrorCode: {self.code}: {self.reason}"


class _InvalidError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def parse(text: str) -> Document | Rejection:
    """Reads one document of PutTraceSegments or of a datagram.

    Returns:
        The document, without fields that are null or that only X-Ray sets; or why it is refused: its size, its
        required fields, the form of ids and times, the kind of every documented field, its own and those of its
        subsegments.
    """
    try:
        size = len(text.encode())
        document = json.loads(text, parse_int=_integer, parse_float=_number, parse_constant=_constant)
    except (ValueError, RecursionError) as problem:
        return Rejection(code="ParseError", reason=f"the document is not JSON that can be read ({problem})")
    if not isinstance(document, dict):
        return Rejection(code="ParseError", reason=f"the document is {kind_of(document)}, not an object")
    entity_id = document.get("id") if isinstance(document.get("id"), str) else None
    try:
        return _valid(document, size)
    except _InvalidError as problem:
        return Rejection(code=problem.code, reason=str(problem), entity_id=entity_id)


def _valid(document: Document, size: int) -> Document:
    if size > MAX_DOCUMENT_BYTES:
        raise _InvalidError("SegmentSizeExceeded", f"the document has {size} bytes, the limit is {MAX_DOCUMENT_BYTES}")
    if depth_of(document) > MAX_DEPTH:
        raise _InvalidError("ParseError", f"objects and arrays lie more than {MAX_DEPTH} deep")
    _check_placing(document)
    return _checked(document)


def _check_placing(document: Document) -> None:
    trace_id, name, parent_id = document.get("trace_id"), document.get("name"), document.get("parent_id")
    if not isinstance(trace_id, str) or not is_trace_id(trace_id):
        raise _InvalidError(
            "InvalidTraceId", f"trace_id {trace_id!r} is not 1-<8 hexadecimal digits>-<24 hexadecimal digits>"
        )
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _InvalidError(
            "InvalidName", f"name {name!r} is not 1 to 200 letters, digits, white space or _ . : / % & # = + \\ - @"
        )
    if parent_id is not None and not (isinstance(parent_id, str) and is_entity_id(parent_id)):
        raise _InvalidError("InvalidParentId", f"parent_id {parent_id!r} is not 16 hexadecimal digits")
    if document.get("type") == "subsegment" and parent_id is None:
        raise _InvalidError("MissingParentId", "an independent subsegment needs a parent_id")


def _checked(document: Document) -> Document:
    """Returns the document and its subsegments, normalized; parents before what they hold, without recursion."""
    whole = normalized(document)
    pending: list[tuple[Document, str]] = [(whole, "")]
    while pending:
        entity, place = pending.pop()
        _check_entity(entity, place)
        inner = entity.get("subsegments")
        if inner is None:
            continue
        if not isinstance(inner, list):
            raise _InvalidError("ParseError", f"{place}subsegments is {kind_of(inner)}, an array is expected")
        entity["subsegments"] = [normalized(item) if isinstance(item, dict) else item for item in inner]
        pending.extend((item, f"{place}subsegments[{number}].") for number, item in enumerate(entity["subsegments"]))
    _check_age(whole)
    return whole


def _check_entity(entity: object, place: str) -> None:
    if not isinstance(entity, dict):
        raise _InvalidError("ParseError", f"{place.rstrip('.')} is {kind_of(entity)}, an object is expected")
    entity_id, name = entity.get("id"), entity.get("name")
    if not isinstance(entity_id, str) or not is_entity_id(entity_id):
        raise _InvalidError("InvalidId", f"{place}id {entity_id!r} is not 16 hexadecimal digits")
    if not isinstance(name, str) or not name:
        raise _InvalidError("InvalidName", f"{place}name {name!r} is not a string")
    for code, reason in _time_problems(entity):
        raise _InvalidError(code, f"{place}{reason}")
    for reason in problems(entity):
        raise _InvalidError("ParseError", f"{place}{reason}")


def _time_problems(entity: Document) -> Iterator[tuple[str, str]]:
    start, end, in_progress = (entity.get(field) for field in ("start_time", "end_time", "in_progress"))
    if not _is_time(start):
        yield "InvalidStartTime", f"start_time {start!r} is not a number of seconds since 1970"
    if in_progress is True and end is not None:
        yield "InvalidEndTime", "in_progress is true, so there must be no end_time"
    if in_progress is not True and not _is_time(end):
        yield (
            "InvalidEndTime",
            f"end_time {end!r} is not a number of seconds since 1970, and in_progress is not true",
        )


def _check_age(document: Document) -> None:
    # "If the date in the trace ID is too far in the past": X-Ray Developer Guide, "Sending trace data". The API
    # Reference, "PutTraceSegments", says of W3C trace ids that their first digits are no date and are not validated,
    # so a document counts as old only where its own time is old as well.
    oldest = time.time() - _RETENTION_SECONDS
    begun = max(int(document["trace_id"][2:10], 16), float(document["start_time"]))
    if begun < oldest:
        raise _InvalidError(
            "InvalidTraceId", f"trace_id {document['trace_id']!r} and start_time are more than 30 days in the past"
        )


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= _LAST_TIME


def _integer(digits: str) -> int:
    _number(digits)
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{digits[:20]} is beyond the range of a number")
    return value


def _constant(word: str) -> Any:
    raise ValueError(f"{word} is not a number in JSON")
