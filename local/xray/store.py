"""The traces: segment documents as they were sent, put together when they are read."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from local.xray import inference
from local.xray.document_tree import Document, depth_of, nested, walk

# "Each trace segment can be linked to up to 20 traces, while a trace can include a maximum of 100 links":
# X-Ray Developer Guide, "Tracing event-driven applications".
_LINKS_PER_SEGMENT = 20
_LINKS_PER_TRACE = 100


@dataclass(kw_only=True)
class _Trace:
    """What has come in for one trace; `assembled` until the next document comes."""

    documents: dict[str, Document] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    links: dict[str, list[Document]] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    revision: int = 0
    assembled: list[Document] | None = None


class TraceStore:
    """Keeps documents by trace and id, and assembles them the way BatchGetTraces hands them out.

    A complete document replaces an in-progress one of the same id, never the other way round (X-Ray
    Developer Guide, "X-Ray segment documents": "Only send one complete segment, and one or zero in-progress").
    Safe for use from several threads.

    Args:
        begun: Called with the id of each new trace, as its first document comes in.
        came: Called with each document that was sent as one.
    """

    def __init__(
        self,
        begun: Callable[[str], None] = lambda _trace_id: None,
        came: Callable[[Document], None] = lambda _document: None,
    ) -> None:
        self._begun = begun
        self._came = came
        self._lock = threading.Lock()
        self._traces: dict[str, _Trace] = {}
        self._changes = 0

    @property
    def changes(self) -> int:
        """How often any trace has changed."""
        with self._lock:
            return self._changes

    def put(self, document: Document) -> None:
        """Takes in one valid document (see `local.xray.documents.parse`)."""
        self.put_converted(document)
        self._came(document)

    def put_converted(self, document: Document) -> None:
        """Takes in one valid document that was made of a span."""
        with self._lock:
            trace = self._traces.setdefault(document["trace_id"], _Trace())
            if not trace.documents:
                self._begun(document["trace_id"])
            known = trace.documents.get(document["id"])
            if known is not None and document.get("in_progress") and not known.get("in_progress"):
                return
            trace.documents[document["id"]] = _own(document)
            trace.depths[document["id"]] = depth_of(document)
            self._changed(trace)

    def link(self, *, trace_id: str, entity_id: str, link: Document, sent_by: str | None = None) -> None:
        """Adds a link to a segment or subsegment, whether it is there already or still to come.

        One beyond the 20 of a segment or the 100 of a trace is left out.

        Args:
            trace_id: The trace the link begins in.
            entity_id: The segment or subsegment it begins at.
            link: The link's fields.
            sent_by: The subsegment by which the linked trace's message was sent, where this is the producer's link.
        """
        with self._lock:
            trace = self._traces.setdefault(trace_id, _Trace())
            links = trace.links.setdefault(entity_id, [])
            if len(links) < _LINKS_PER_SEGMENT and sum(map(len, trace.links.values())) < _LINKS_PER_TRACE:
                links.append(link)
                if sent_by:
                    trace.senders[str(link["trace_id"])] = sent_by
                self._changed(trace)

    def trace_ids(self) -> list[str]:
        """Returns every trace a document has come in for, the oldest first."""
        with self._lock:
            return [trace_id for trace_id, trace in self._traces.items() if trace.documents]

    def revision(self, trace_id: str) -> int:
        """Returns how often the trace has changed; 0 for an unknown one."""
        with self._lock:
            trace = self._traces.get(trace_id)
            return trace.revision if trace else 0

    def segments(self, trace_id: str) -> list[Document]:
        """Assembles one trace: independent subsegments nested under their parents, inferred segments added.

        Returns:
            Segments sorted by start time, to be read only; empty for an unknown trace. A subsegment whose parent
            has not arrived stands by itself.
        """
        with self._lock:
            trace = self._traces.get(trace_id)
            if trace is None:
                return []
            if trace.assembled is None:
                trace.assembled = _assemble(trace_id, trace)
            return trace.assembled

    def senders(self, trace_id: str) -> dict[str, str]:
        """Returns the subsegments that sent the messages of linked consumers, by the ids of the consumers' traces."""
        with self._lock:
            trace = self._traces.get(trace_id)
            return dict(trace.senders) if trace else {}

    def function_invocation(self, *, trace_id: str, entity_id: str) -> str | None:
        """Finds the Invocation subsegment of the function from whose call `entity_id` descends.

        Returns:
            Its id; `None` when no traced function is upstream.
        """
        parents: dict[str, str] = {}
        invocations: set[str] = set()
        for segment in self.segments(trace_id):
            parents[segment["id"]] = segment.get("parent_id", "")
            for entity in walk(segment):
                parents.update({part["id"]: entity["id"] for part in entity.get("subsegments") or []})
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

    def _changed(self, trace: _Trace) -> None:
        self._changes += 1
        trace.revision += 1
        trace.assembled = None


def _assemble(trace_id: str, trace: _Trace) -> list[Document]:
    documents = [_own(document) for document in trace.documents.values()]
    for document in documents:
        for entity in walk(document):
            inference.name_call(entity)
    _add_links(documents, trace.links)
    roots = nested(documents, trace.depths)
    roots.extend(inference.inferred(trace_id=trace_id, segments=roots))
    return sorted(roots, key=_start)


def _add_links(documents: list[Document], links: dict[str, list[Document]]) -> None:
    if not links:
        return
    entities = {entity["id"]: entity for document in documents for entity in walk(document)}
    for entity_id, wanted in links.items():
        if entity_id in entities:
            entities[entity_id]["links"] = [*(entities[entity_id].get("links") or []), *wanted]


def _own(document: Document) -> Document:
    """Returns a copy in which subsegments can be added and fields taken away; what lies deeper is shared."""
    copied = dict(document)
    if "subsegments" in copied:
        copied["subsegments"] = [_own(subsegment) for subsegment in copied["subsegments"] or []]
    return copied


def _start(document: Document) -> float:
    return float(document.get("start_time", 0))
