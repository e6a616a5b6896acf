"""The traces: segment documents as they were sent, put together when they are read."""

import copy
import threading
from collections.abc import Iterator
from typing import Any

from local import inference

Document = dict[str, Any]
"""One segment or subsegment document (JSON)."""

# A segment takes 20 links at most; X-Ray Developer Guide, "Tracing event-driven applications".
_LINKS_PER_SEGMENT = 20
# What an independent subsegment needs to find its place, and no nested one has.
_PLACING_FIELDS = ("trace_id", "parent_id", "type")


class TraceStore:
    """Keeps documents by trace and id, and assembles them the way BatchGetTraces hands them out.

    A complete document replaces an in-progress one of the same id, never the other way round (X-Ray
    Developer Guide, "X-Ray segment documents": "Only send one complete segment, and one or zero in-progress").
    Safe for use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._traces: dict[str, dict[str, Document]] = {}
        self._links: dict[str, dict[str, list[Document]]] = {}

    def put(self, document: Document) -> None:
        """Take in one valid document (see `local.segments.parse`)."""
        with self._lock:
            documents = self._traces.setdefault(document["trace_id"], {})
            known = documents.get(document["id"])
            if known is not None and document.get("in_progress") and not known.get("in_progress"):
                return
            documents[document["id"]] = copy.deepcopy(document)

    def link(self, *, trace_id: str, entity_id: str, link: Document) -> None:
        """Add a link to a segment or subsegment, whether it is there already or still to come."""
        with self._lock:
            links = self._links.setdefault(trace_id, {}).setdefault(entity_id, [])
            if len(links) < _LINKS_PER_SEGMENT:
                links.append(link)

    def trace_ids(self) -> list[str]:
        """Every trace there is, the oldest first."""
        with self._lock:
            return list(self._traces)

    def segments(self, trace_id: str) -> list[Document]:
        """Assemble one trace: independent subsegments nested under their parents, inferred segments added.

        Returns:
            Segments sorted by start time; empty for an unknown trace. A subsegment whose parent has not
            arrived stands by itself.
        """
        with self._lock:
            documents = copy.deepcopy(self._traces.get(trace_id, {}))
            links = copy.deepcopy(self._links.get(trace_id, {}))
        entities = {entity["id"]: entity for document in documents.values() for entity in walk(document)}
        for entity_id, wanted in links.items():
            if entity_id in entities:
                entities[entity_id].setdefault("links", []).extend(wanted)
        roots = [document for document in documents.values() if not _nest(document, entities)]
        roots.extend(inference.inferred(trace_id=trace_id, segments=roots))
        return sorted(roots, key=_start)

    def function_invocation(self, *, trace_id: str, entity_id: str) -> str | None:
        """Find the Invocation subsegment of the function from whose call `entity_id` descends.

        Returns:
            Its id; `None` when no traced function is upstream.
        """
        parents: dict[str, str] = {}
        invocations: set[str] = set()
        for segment in self.segments(trace_id):
            for parent, entity in _edges(segment):
                parents[entity["id"]] = parent
                if entity["name"] == "Invocation" and segment.get("origin") == "AWS::Lambda::Function":
                    invocations.add(entity["id"])
        current: str | None = entity_id
        seen: set[str] = set()
        while current and current not in seen:
            if current in invocations:
                return current
            seen.add(current)
            current = parents.get(current)
        return None


def walk(document: Document) -> Iterator[Document]:
    """The document itself, then every subsegment nested in it."""
    yield document
    for subsegment in document.get("subsegments") or []:
        yield from walk(subsegment)


def _edges(document: Document, parent: str = "") -> Iterator[tuple[str, Document]]:
    yield document.get("parent_id", parent), document
    for subsegment in document.get("subsegments") or []:
        yield from _edges(subsegment, document["id"])


def _nest(document: Document, entities: dict[str, Document]) -> bool:
    parent = entities.get(document.get("parent_id", ""))
    if document.get("type") != "subsegment" or parent is None or parent is document:
        return False
    for field in _PLACING_FIELDS:
        document.pop(field, None)
    children = parent.setdefault("subsegments", [])
    children.append(document)
    children.sort(key=_start)
    return True


def _start(document: Document) -> float:
    return float(document.get("start_time", 0))
