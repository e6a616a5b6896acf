"""Documents cut to the size X-Ray takes, in a fixed order, never silently."""

import json
from collections.abc import Iterator
from typing import Any

from ._counts import count
from ._document import MAX_BYTES
from ._json import encode

_Document = dict[str, Any]


def fit(document: str) -> list[str]:
    """Returns the document as documents that X-Ray takes: one, or several.

    A document that is too large is cut in this order, until it fits: its subsegments are sent as documents of their
    own (`subsegments` of those again, as far as needed); then, in each that is still too large, stack traces go,
    then metadata, then the parameters of AWS calls and SQL texts, then exception messages, then annotations. What
    remains too large is dropped and counted.

    Args:
        document: A segment document, JSON in ASCII.
    """
    if len(document) <= MAX_BYTES:
        return [document]
    fitting: list[str] = []
    whole: _Document = json.loads(document)
    for part in _split(whole):
        written = _trimmed(part)
        if written is None:
            count("oversized")
        else:
            fitting.append(written)
    return fitting


def _split(document: _Document) -> Iterator[_Document]:
    """Yields the document without its subsegments, and each of those as an independent document."""
    nested = document.get("subsegments")
    if not nested or len(encode(document)) <= MAX_BYTES:
        yield document
        return
    del document["subsegments"]
    yield document
    for subsegment in nested:
        count("split")
        subsegment.update(type="subsegment", trace_id=document["trace_id"], parent_id=document["id"])
        yield from _split(subsegment)


def _trimmed(document: _Document) -> str | None:
    written = encode(document)
    if len(written) <= MAX_BYTES:
        return written
    count("trimmed")
    for cut in (_cut_stacks, _cut_metadata, _cut_parameters, _cut_messages, _cut_annotations):
        cut(document)
        written = encode(document)
        if len(written) <= MAX_BYTES:
            return written
    return None


def _exceptions(document: _Document) -> list[_Document]:
    cause = document.get("cause")
    return cause.get("exceptions", []) if isinstance(cause, dict) else []


def _cut_stacks(document: _Document) -> None:
    for exception in _exceptions(document):
        exception.pop("stack", None)


def _cut_metadata(document: _Document) -> None:
    document.pop("metadata", None)


def _cut_parameters(document: _Document) -> None:
    kept = ("operation", "region", "request_id", "account_id", "function_arn", "xray", "cloudwatch_logs")
    if isinstance(document.get("aws"), dict):
        document["aws"] = {key: value for key, value in document["aws"].items() if key in kept}
    document.pop("sql", None)


def _cut_messages(document: _Document) -> None:
    for exception in _exceptions(document):
        exception["message"] = str(exception.get("message", ""))[:200]
    if isinstance(document.get("cause"), dict):
        document["cause"]["exceptions"] = _exceptions(document)[:1]


def _cut_annotations(document: _Document) -> None:
    annotations = document.get("annotations", {})
    document["annotations"] = {
        key: annotations[key] for key in ("message_id", "attempt", "queue_ms") if key in annotations
    }
