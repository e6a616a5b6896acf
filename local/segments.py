"""Segment documents: what makes one valid, and those the services send themselves."""

import json
import re
from dataclasses import dataclass
from typing import Any

from local.headers import is_entity_id, is_trace_id

MAX_DOCUMENT_BYTES = 64 * 1024
"""Size limit of one document; X-Ray Developer Guide, "X-Ray segment documents": "up to 64 kB"."""

# X-Ray Developer Guide, "Segment fields": names take 200 characters of these.
_NAME = re.compile(r"[\w\s.:/%&#=+\\\-@]{1,200}")


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why X-Ray does not take a document in.

    Attributes:
        code: X-Ray's error code. `ParseError` is AWS's own example; the others are assumed.
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


def parse(text: str) -> dict[str, Any] | Rejection:
    """Read one document of PutTraceSegments or of a datagram.

    Returns:
        The document, or why it is refused: required fields, id formats, size, and either `end_time` or
        `in_progress` (X-Ray Developer Guide, "X-Ray segment documents").
    """
    size = len(text.encode())
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as problem:
        return Rejection(code="ParseError", reason=f"the document is not JSON that can be read ({problem})")
    if not isinstance(document, dict):
        kind = type(document).__name__
        return Rejection(code="ParseError", reason=f"the document is a JSON {kind}, not an object")
    entity_id = document.get("id") if isinstance(document.get("id"), str) else None
    if size > MAX_DOCUMENT_BYTES:
        return Rejection(
            code="SegmentSizeExceeded",
            reason=f"the document has {size} bytes, the limit is {MAX_DOCUMENT_BYTES}",
            entity_id=entity_id,
        )
    wrong = _identity(document) or _times(document)
    if wrong:
        return Rejection(code=wrong[0], reason=wrong[1], entity_id=entity_id)
    return document


def _identity(document: dict[str, Any]) -> tuple[str, str] | None:
    name, entity_id, trace_id = document.get("name"), document.get("id"), document.get("trace_id")
    parent_id = document.get("parent_id")
    if not isinstance(entity_id, str) or not is_entity_id(entity_id):
        return "InvalidId", f"id {entity_id!r} is not 16 hexadecimal digits"
    if not isinstance(trace_id, str) or not is_trace_id(trace_id):
        return "InvalidTraceId", f"trace_id {trace_id!r} is not 1-<8 hexadecimal digits>-<24 hexadecimal digits>"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return "InvalidName", f"name {name!r} is not 1 to 200 letters, digits, white space or _ . : / % & # = + \\ - @"
    if parent_id is not None and not (isinstance(parent_id, str) and is_entity_id(parent_id)):
        return "InvalidParentId", f"parent_id {parent_id!r} is not 16 hexadecimal digits"
    if document.get("type") == "subsegment" and parent_id is None:
        return "MissingParentId", "an independent subsegment needs a parent_id"
    return None


def _times(document: dict[str, Any]) -> tuple[str, str] | None:
    start, end, in_progress = (document.get(field) for field in ("start_time", "end_time", "in_progress"))
    if not _is_time(start):
        return "InvalidStartTime", f"start_time {start!r} is not a number of seconds since 1970"
    if in_progress is True and end is not None:
        return "InvalidEndTime", "in_progress is true, so there must be no end_time"
    if in_progress is not True and not _is_time(end):
        return "InvalidEndTime", f"end_time {end!r} is not a number of seconds since 1970, and in_progress is not true"
    return None


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
