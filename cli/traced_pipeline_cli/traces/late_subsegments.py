"""Finds the parents of subsegments that were sent by themselves, as the X-Ray SDKs do where a segment grows large."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from .model import JsonObject

Nested: TypeAlias = dict[int, list[JsonObject]]
"""Documents sent by themselves, by the `id()` of the document or subsegment they belong under."""


def nested(documents: Sequence[JsonObject]) -> tuple[list[JsonObject], Nested]:
    """Part documents into those that stand by themselves and those that belong under another's span.

    Nothing is changed in the documents. What belongs to nothing, or in a circle to itself, stands by itself.

    Args:
        documents: The documents of one trace, each id once.
    """
    spans: dict[str, JsonObject] = {}
    owners: dict[str, str] = {}
    by_id = {str(document["id"]): document for document in documents}
    for key, document in by_id.items():
        for span in walk(document, {}):
            spans.setdefault(str(span.get("id")), span)
            owners.setdefault(str(span.get("id")), key)
    circling = _circling(by_id, owners)
    tops: list[JsonObject] = []
    late: Nested = {}
    for key, document in by_id.items():
        parent = spans.get(str(document.get("parent_id")))
        if document.get("type") != "subsegment" or parent is None or key in circling:
            tops.append(document)
        elif all(child.get("id") != key for child in children(parent, late)):
            late.setdefault(id(parent), []).append(document)
    return tops, late


def children(span: JsonObject, late: Nested) -> Iterator[JsonObject]:
    """The subsegments right below a span: those in its document, then those sent by themselves."""
    own = span.get("subsegments")
    # Anything but a list of objects is no subsegments: it is kept among the unknown fields.
    if isinstance(own, list) and all(isinstance(child, dict) for child in own):
        yield from (child for child in own if isinstance(child, dict))
    yield from late.get(id(span), ())


def walk(span: JsonObject, late: Nested) -> Iterator[JsonObject]:
    """A span and everything below it, parents first."""
    todo = [span]
    while todo:
        following = todo.pop()
        yield following
        todo.extend(children(following, late))


def _circling(by_id: dict[str, JsonObject], owners: dict[str, str]) -> set[str]:
    """Returns the documents whose parents lead into a circle, so that nesting them would lose them."""
    leads: dict[str, bool] = {}
    for key in by_id:
        path: dict[str, None] = {}
        current: str | None = key
        while current is not None and current not in leads and current not in path:
            path[current] = None
            is_late = by_id[current].get("type") == "subsegment"
            current = owners.get(str(by_id[current].get("parent_id"))) if is_late else None
        circles = current is not None and leads.get(current, True)
        leads.update(dict.fromkeys(path, circles))
    return {key for key, circles in leads.items() if circles}
