"""Makes the trace map from traces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from .connected_components import Unions
from .failure_states import State, state_of, worst
from .graph_links import links_of
from .graph_model import Circle, Cluster, Edge, Node, TraceMap, TracePath
from .model import Segment, Span, Trace
from .resource_names import resource_name
from .resource_types import LAMBDA_FUNCTION, LAMBDA_SERVICE, kind_of
from .waits import Wait, brokers_of, consumer_waits, covered_seconds, is_behind_brokers, topic_wait

_Key = tuple[str, str]


def build_map(traces: Iterable[Trace]) -> TraceMap:
    """Draws traces into one map.

    Clusters are the connected components over parent ids alone, where nodes of one name and type are one over
    all traces; neither links nor rules of ours connect anything. A function's two circles are drawn as one
    node where parent ids hold them together. A segment whose parent subsegment also has an inferred messaging
    node is drawn behind that node.

    Args:
        traces: The traces, in any order.
    """
    ordered = sorted(traces, key=lambda trace: (trace.start, trace.id))
    parts = [_TraceParts(trace) for trace in ordered]
    circles: dict[_Key, list[Segment]] = defaultdict(list)
    unions: Unions[_Key] = Unions()
    for part in parts:
        for segment in part.drawn:
            circles[_key(segment)].append(segment)
            unions.add(_key(segment))
            if (parent := part.parent_segment(segment)) is not None and parent.type != "subsegment":
                unions.join(_key(segment), _key(parent))
    drawing = _Drawing(circles=circles, unions=unions)
    for part in parts:
        drawing.add(part)
    nodes = drawing.nodes()
    order = {node.id: index for index, node in enumerate(nodes)}
    return TraceMap(
        nodes=nodes,
        edges=drawing.edges(order),
        links=links_of(ordered, drawing.node_id, nodes),
        clusters=drawing.clusters(order),
        traces=tuple(drawing.paths),
    )


def _in_state(segments: Iterable[Segment], state: State) -> tuple[str, ...]:
    return tuple(dict.fromkeys(resource_name(segment) for segment in segments if state_of(segment) == state))


def _key(segment: Segment) -> _Key:
    return resource_name(segment), segment.resource_type


class _TraceParts:
    """One trace with its parents looked up."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.owners: dict[str, tuple[Segment, Span]] = {}
        for segment, span in trace.spans():
            self.owners.setdefault(span.id, (segment, span))
        self.drawn = [segment for segment in trace.segments if segment.type != "subsegment"]
        self._brokers = brokers_of(trace)
        self.waits = consumer_waits(trace)

    def parent_segment(self, segment: Segment) -> Segment | None:
        """Returns the segment that holds a segment's parent span."""
        owner = self.owners.get(segment.parent_id or "")
        return None if owner is None or owner[0] is segment else owner[0]

    def broker(self, segment: Segment) -> Segment | None:
        """Returns the inferred topic or queue that a segment stands behind."""
        broker = self._brokers.get(segment.parent_id or "")
        return None if broker is segment or not is_behind_brokers(segment) else broker

    def wait(self, segment: Segment) -> Wait | None:
        """Returns the wait before a segment: in the queue for a consumer, in the topic for a delivery of the topic."""
        if segment.id in self.waits or (owner := self.owners.get(segment.parent_id or "")) is None:
            return self.waits.get(segment.id)
        return topic_wait(owner[0], owner[1])

    def clusters(self) -> Unions[str]:
        """Returns the trace's parts by its parent ids alone, subsegments without their segment being parts too."""
        unions: Unions[str] = Unions()
        for segment in self.trace.segments:
            unions.add(segment.id)
            if (parent := self.parent_segment(segment)) is not None:
                unions.join(segment.id, parent.id)
        return unions


@dataclass
class _Counts:
    requests: int = 0
    faults: int = 0
    errors: int = 0
    throttles: int = 0
    latencies: list[float] = field(default_factory=list)
    trace_ids: dict[str, None] = field(default_factory=dict)
    start: float = float("inf")


class _Drawing:
    def __init__(self, *, circles: dict[_Key, list[Segment]], unions: Unions[_Key]) -> None:
        self._circles = circles
        self._unions = unions
        self._ids: dict[_Key, str] = {}
        self._members: dict[str, list[_Key]] = defaultdict(list)
        self._drawn: dict[str, _Key] = {}
        for key in circles:
            name, resource_type = key
            both = (name, LAMBDA_FUNCTION)
            merged = resource_type == LAMBDA_SERVICE and both in circles and unions.same(key, both)
            drawn = both if merged else key
            self._ids[key] = f"{drawn[1]}/{drawn[0]}"
            self._drawn[self._ids[key]] = drawn
            self._members[self._ids[key]].append(key)
        self._counts: dict[str, _Counts] = defaultdict(_Counts)
        self._edges: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._edge_requests: dict[tuple[str, str], int] = defaultdict(int)
        self.paths: list[TracePath] = []

    def node_id(self, segment: Segment) -> str | None:
        """Returns the drawn node of a segment; None for a subsegment whose segment is not there."""
        return None if segment.type == "subsegment" else self._ids[_key(segment)]

    def add(self, part: _TraceParts) -> None:
        """Counts one trace."""
        entries = {segment.id: self._entry(part, segment) for segment in part.drawn}
        states: dict[str, list[State | None]] = defaultdict(list)
        for segment in part.drawn:
            states[entries[segment.id]].append(state_of(segment))
        edges: dict[tuple[str, str], None] = {}
        for segment in part.drawn:
            if entries[segment.id] == segment.id:
                self._count(part.trace.id, segment, worst(states[segment.id]))
                edge = self._count_edge(part, segment)
                if edge is not None:
                    edges[edge] = None
        self.paths.append(self._path(part, tuple(edges)))

    def _entry(self, part: _TraceParts, segment: Segment) -> str:
        """Returns the id of the segment by which a request entered this segment's node.

        That is the segment itself, except for a function's own circle behind the Lambda service's.
        """
        parent = part.parent_segment(segment)
        if parent is None or (parent.resource_type, segment.resource_type) != (LAMBDA_SERVICE, LAMBDA_FUNCTION):
            return segment.id
        return parent.id if self.node_id(parent) == self.node_id(segment) else segment.id

    def _count(self, trace_id: str, segment: Segment, state: State | None) -> None:
        counts = self._counts[self._ids[_key(segment)]]
        counts.requests += 1
        counts.faults += state == "fault"
        counts.errors += state == "error"
        counts.throttles += state == "throttle"
        counts.trace_ids[trace_id] = None
        counts.start = min(counts.start, segment.start)
        if segment.seconds is not None:
            counts.latencies.append(segment.seconds)

    def _count_edge(self, part: _TraceParts, segment: Segment) -> tuple[str, str] | None:
        caller = part.broker(segment) or part.parent_segment(segment)
        source = None if caller is None else self.node_id(caller)
        if caller is None or source is None:
            return None
        edge = (source, self._ids[_key(segment)])
        self._edge_requests[edge] += 1
        if (wait := part.wait(segment)) is not None:
            self._edges[edge].append(wait.seconds)
        return edge

    def _path(self, part: _TraceParts, edges: tuple[tuple[str, str], ...]) -> TracePath:
        trace, parts = part.trace, part.clusters()
        callers = {source for source, _ in edges}
        roots = [segment for segment in trace.segments if not segment.parent_id] or trace.segments
        first = roots[0].id if roots else ""
        queued = [wait for wait in part.waits.values() if kind_of(wait.broker.resource_type) == "queue"]
        return TracePath(
            trace_id=trace.id,
            start=trace.start,
            seconds=max(0.0, trace.end - trace.start),
            nodes=tuple(dict.fromkeys(self._ids[_key(segment)] for segment in part.drawn)),
            edges=edges,
            clusters=parts.count(),
            missing_parents=tuple(
                dict.fromkeys(s.parent_id for s in trace.segments if s.parent_id and s.parent_id not in part.owners)
            ),
            in_progress=tuple(dict.fromkeys(span.name for _, span in trace.spans() if span.end is None)),
            ends_in_table=any(
                kind_of(s.resource_type) == "table" and parts.same(s.id, first) and self._ids[_key(s)] not in callers
                for s in part.drawn
            ),
            queue_seconds=covered_seconds(queued) if queued else None,
            attempts=max((wait.attempt for wait in part.waits.values()), default=0),
            faults=_in_state(part.drawn, "fault"),
            errors=_in_state(part.drawn, "error"),
            throttles=_in_state(part.drawn, "throttle"),
        )

    def nodes(self) -> tuple[Node, ...]:
        """Returns the drawn nodes, in order of time."""
        return tuple(
            self._node(node_id, keys)
            for node_id, keys in sorted(self._members.items(), key=lambda item: (self._counts[item[0]].start, item[0]))
        )

    def _node(self, node_id: str, keys: list[_Key]) -> Node:
        name, resource_type = self._drawn[node_id]
        counts = self._counts[node_id]
        circles = tuple(
            Circle(
                name=key[0],
                type=key[1],
                inferred=all(segment.inferred for segment in self._circles[key]),
                segments=len(self._circles[key]),
            )
            for key in sorted(keys, key=lambda key: key[1])
        )
        return Node(
            id=node_id,
            name=name,
            type=resource_type,
            kind=kind_of(resource_type),
            inferred=all(circle.inferred for circle in circles),
            requests=counts.requests,
            faults=counts.faults,
            errors=counts.errors,
            throttles=counts.throttles,
            latencies=tuple(sorted(counts.latencies)),
            trace_ids=tuple(counts.trace_ids),
            circles=circles,
        )

    def edges(self, order: dict[str, int]) -> tuple[Edge, ...]:
        """Returns the edges, in the order of the nodes."""
        return tuple(
            Edge(source=edge[0], target=edge[1], requests=count, waits=tuple(sorted(self._edges.get(edge, ()))))
            for edge, count in sorted(
                self._edge_requests.items(), key=lambda item: (order[item[0][0]], order[item[0][1]])
            )
        )

    def clusters(self, order: dict[str, int]) -> tuple[Cluster, ...]:
        """Returns the clusters, in order of time."""
        clusters = []
        for keys in self._unions.groups():
            ids = sorted({self._ids[key] for key in keys}, key=order.__getitem__)
            traces = dict.fromkeys(t for node_id in ids for t in self._counts[node_id].trace_ids)
            clusters.append(Cluster(nodes=tuple(ids), trace_ids=tuple(traces)))
        return tuple(sorted(clusters, key=lambda cluster: order[cluster.nodes[0]]))
