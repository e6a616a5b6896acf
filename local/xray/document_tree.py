"""A segment document as a tree of subsegments: walked through, measured, and put together.

Source: X-Ray Developer Guide, "X-Ray segment documents", "Subsegments": a subsegment lies within its parent, or is sent
by itself and names it. A subsegment whose parent has not arrived stands by itself, and so does one of several that name
each other as parents, and one that would lie too deep to be written as JSON: assumed.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Document = dict[str, Any]
"""One segment or subsegment document (JSON)."""

_MAX_DEPTH = 500
# What an independent subsegment needs to find its place, and no nested one has.
_PLACING_FIELDS = ("trace_id", "parent_id", "type")


def walk(document: Document) -> Iterator[Document]:
    """Returns the document itself, then every subsegment nested in it, parents first."""
    pending = [document]
    while pending:
        entity = pending.pop()
        yield entity
        pending.extend(reversed(entity.get("subsegments") or []))


def depth_of(value: object) -> int:
    """Returns how deep objects and arrays lie within each other; 0 for a value that is neither."""
    deepest = 0
    pending: list[tuple[object, int]] = [(value, 1)]
    while pending:
        current, depth = pending.pop()
        if isinstance(current, dict | list):
            deepest = max(deepest, depth)
            inner = current.values() if isinstance(current, dict) else current
            pending.extend((item, depth + 1) for item in inner)
    return deepest


def nested(documents: Iterable[Document], depths: Mapping[str, int]) -> list[Document]:
    """Puts each independent subsegment into its parent, in place.

    Args:
        documents: The documents of one trace, whose lists of subsegments belong to the caller.
        depths: The depth of each document by its id, see `depth_of`.

    Returns:
        The documents that stand by themselves.
    """
    every = list(documents)
    ids = {entity["id"] for document in every for entity in walk(document)}
    roots: list[Document] = []
    waiting: dict[str, list[Document]] = {}
    for document in every:
        if document.get("type") == "subsegment" and document["parent_id"] in ids:
            waiting.setdefault(document["parent_id"], []).append(document)
        else:
            roots.append(document)
    done = 0
    while done < len(roots) or waiting:
        if done == len(roots):
            # What is left names each other as parents: the first that came stands by itself.
            roots.append(_first(waiting))
        roots.extend(_fill(roots[done], waiting, depths))
        done += 1
    return roots


def _first(waiting: dict[str, list[Document]]) -> Document:
    parent, documents = next(iter(waiting.items()))
    first = documents.pop(0)
    if not documents:
        del waiting[parent]
    return first


def _fill(root: Document, waiting: dict[str, list[Document]], depths: Mapping[str, int]) -> list[Document]:
    """Fills one tree with what waits for its entities; returns what would lie too deep there."""
    too_deep: list[Document] = []
    pending = [(root, 1)]
    while pending:
        entity, depth = pending.pop()
        fitting: list[Document] = []
        for document in waiting.pop(entity["id"], ()):
            (fitting if depth + 1 + depths[document["id"]] <= _MAX_DEPTH else too_deep).append(document)
        for document in fitting:
            for field in _PLACING_FIELDS:
                document.pop(field, None)
        if fitting:
            inner = [*(entity.get("subsegments") or []), *fitting]
            entity["subsegments"] = sorted(inner, key=lambda subsegment: float(subsegment["start_time"]))
        pending.extend((subsegment, depth + 2) for subsegment in entity.get("subsegments") or [])
    return too_deep
