"""The trace map: which services a set of traces passed, in which order, and what holds together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from .failure_states import State
from .resource_types import NodeKind


@dataclass(frozen=True, kw_only=True)
class Circle:
    """One node as X-Ray tells nodes apart: by name and type.

    Attributes:
        name: The segments' name.
        type: The segments' origin; `remote` or `service` where they have none.
        inferred: Whether every segment was inferred.
        segments: How many segments there are.
    """

    name: str
    type: str
    inferred: bool
    segments: int


@dataclass(frozen=True, kw_only=True)
class Node:
    """A service as it is drawn.

    Attributes:
        id: `<type>/<name>`, unique in the map and the same in every run.
        name: The resource's name.
        type: The resource's type, such as `AWS::SQS::Queue`.
        kind: The type in a word.
        inferred: Whether X-Ray inferred it in every trace, since the service sends nothing itself.
        requests: How often it was entered; a function's second circle does not count again.
        faults: How many of these failed on the server's side (5xx, or an exception).
        errors: How many failed on the client's side (4xx other than 429). A request counts once, as the worst.
        throttles: How many were throttled (429).
        latencies: Seconds per request, ascending, of the requests that ended.
        trace_ids: The traces that passed it, in order of time.
        circles: The X-Ray nodes in it: two for a function, otherwise one.
    """

    id: str
    name: str
    type: str
    kind: NodeKind
    inferred: bool
    requests: int
    faults: int
    errors: int
    throttles: int
    latencies: tuple[float, ...]
    trace_ids: tuple[str, ...]
    circles: tuple[Circle, ...]

    @property
    def failed(self) -> Mapping[State, int]:
        """How many requests failed, by how they did, the worst first; states of no request are left out."""
        counts: dict[State, int] = {"fault": self.faults, "throttle": self.throttles, "error": self.errors}
        return {state: count for state, count in counts.items() if count}

    @property
    def median_seconds(self) -> float | None:
        """The median latency in seconds; None where no request ended."""
        return median(self.latencies) if self.latencies else None


@dataclass(frozen=True, kw_only=True)
class Edge:
    """Requests that went from one node to another.

    Attributes:
        source: The caller's node id.
        target: The called node's id.
        requests: How many.
        waits: For edges out of a topic or queue, the seconds each message, and each later attempt at it, waited
            there, ascending; empty for other edges.
    """

    source: str
    target: str
    requests: int
    waits: tuple[float, ...]

    @property
    def median_wait(self) -> float | None:
        """The median waiting time in seconds; None for edges that do not wait."""
        return median(self.waits) if self.waits else None


@dataclass(frozen=True, kw_only=True)
class MapLink:
    """Lambda's reference between two traces. It connects nothing: the traces stay two.

    Attributes:
        source: The node that came first; None where its trace is not among those of the map.
        target: The node that came after; None likewise.
        source_name: The source's name, also where it is not in the map.
        target_name: The target's name, also where it is not in the map.
        trace_ids: The pairs of traces, each the source's first.
    """

    source: str | None
    target: str | None
    source_name: str
    target_name: str
    trace_ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Nodes that documented parent ids hold together.

    Attributes:
        nodes: The drawn nodes' ids, in order of time.
        trace_ids: The traces in it.
    """

    nodes: tuple[str, ...]
    trace_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TracePath:
    """One trace's way over the map.

    Attributes:
        trace_id: The trace.
        start: Its start, in seconds since the epoch.
        seconds: How long it took, from the first start to the last end.
        nodes: The nodes it passed, in order of time.
        edges: The edges it passed, as (source, target).
        clusters: Into how many parts it falls by its parent ids; 1 for a whole trace, 0 for an empty one.
        missing_parents: Parent ids that no span of the trace has.
        in_progress: Names of the spans whose end is not known.
        ends_in_table: Whether the part that holds the trace's first segment reaches a table.
        queue_seconds: Seconds in which a message of it was in a queue, those in which several were counted
            once; None where none was taken from a queue.
        attempts: How often the message that needed the most attempts was tried; 0 where none was taken from a queue.
        faults: Names of the services that failed on the server's side.
        errors: Names of those that failed on the client's side, throttling apart.
        throttles: Names of those that were throttled.
    """

    trace_id: str
    start: float
    seconds: float
    nodes: tuple[str, ...]
    edges: tuple[tuple[str, str], ...]
    clusters: int
    missing_parents: tuple[str, ...]
    in_progress: tuple[str, ...]
    ends_in_table: bool
    queue_seconds: float | None
    attempts: int
    faults: tuple[str, ...]
    errors: tuple[str, ...]
    throttles: tuple[str, ...]

    @property
    def connected(self) -> bool:
        """Whether parent ids hold all of it together."""
        return self.clusters == 1

    @property
    def failed(self) -> bool:
        """Whether a service failed, on whichever side, or was throttled."""
        return bool(self.faults or self.errors or self.throttles)


@dataclass(frozen=True)
class TraceMap:
    """What a set of traces passed.

    Attributes:
        nodes: The drawn nodes, in order of time.
        edges: Who called whom.
        links: Lambda's references between traces; not counted as connection.
        clusters: The parts that parent ids hold together; one name and type is one node over all traces.
        traces: Each trace's way, in order of time.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    links: tuple[MapLink, ...]
    clusters: tuple[Cluster, ...]
    traces: tuple[TracePath, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        """Returns the nodes by id."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def by_circle(self) -> Mapping[tuple[str, str], Node]:
        """Returns the nodes by the name and type of each circle in them."""
        return {(circle.name, circle.type): node for node in self.nodes for circle in node.circles}

    def summary(self) -> str:
        """Returns the map in a line, such as `20 traces, 1 cluster, 6 nodes`."""
        counts = (("trace", self.traces), ("cluster", self.clusters), ("node", self.nodes))
        return ", ".join(f"{len(items)} {word}{'' if len(items) == 1 else 's'}" for word, items in counts)
