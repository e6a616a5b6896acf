"""The trace map and its traces, answers of an API, and what could not be read, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..aws.console import ConsoleLink
from ..aws.http import Answer
from ..aws.read_errors import Unread
from ..traces.graph_model import Edge, MapLink, Node, TraceMap, TracePath
from ..traces.model import JsonObject, JsonValue, Trace


def map_json(
    trace_map: TraceMap, traces: Iterable[Trace] = (), consoles: Mapping[str, ConsoleLink] | None = None
) -> JsonObject:
    """The map as a JSON object.

    Args:
        trace_map: The map.
        traces: Traces whose documents are to be in it, whole and as X-Ray sent them.
        consoles: Where traces are shown in the X-Ray console, by trace id.

    Returns:
        `summary`, `nodes`, `edges`, `links`, `clusters` and `traces`; times are seconds.
    """
    documents = {trace.id: trace for trace in traces}
    return {
        "summary": trace_map.summary(),
        "nodes": [_node(node) for node in trace_map.nodes],
        "edges": [_edge(edge) for edge in trace_map.edges],
        "links": [_link(link) for link in trace_map.links],
        "clusters": [
            {"nodes": list(cluster.nodes), "trace_ids": list(cluster.trace_ids)} for cluster in trace_map.clusters
        ],
        "traces": [
            {**_path(path, documents.get(path.trace_id)), "console": _console(path.trace_id, consoles or {})}
            for path in trace_map.traces
        ],
    }


def answer_json(answer: Answer) -> JsonObject:
    """Returns what an API answered as a JSON object; the body as JSON where it is."""
    parsed = answer.json()
    return {
        "status": answer.status,
        "trace_id": answer.trace_id,
        "seconds": round(answer.seconds, 6),
        "body": answer.body if parsed is None else parsed,
    }


def unread_json(unread: Iterable[Unread]) -> list[JsonValue]:
    """Returns what could not be read, and why."""
    return [{"what": read.what, "reason": read.reason} for read in unread]


def console_json(console: ConsoleLink) -> JsonObject:
    """Returns a trace's place in the X-Ray console as a JSON object."""
    return {"url": console.url, "filter_expression": console.filter_expression}


def _console(trace_id: str, consoles: Mapping[str, ConsoleLink]) -> JsonObject | None:
    return console_json(consoles[trace_id]) if trace_id in consoles else None


def _node(node: Node) -> JsonObject:
    return {
        "id": node.id,
        "name": node.name,
        "type": node.type,
        "kind": node.kind,
        "inferred": node.inferred,
        "requests": node.requests,
        "faults": node.faults,
        "errors": node.errors,
        "throttles": node.throttles,
        "median_seconds": _rounded(node.median_seconds),
        "longest_seconds": _rounded(node.latencies[-1] if node.latencies else None),
        "trace_ids": list(node.trace_ids),
        "circles": [
            {"name": c.name, "type": c.type, "inferred": c.inferred, "segments": c.segments} for c in node.circles
        ],
    }


def _edge(edge: Edge) -> JsonObject:
    return {
        "source": edge.source,
        "target": edge.target,
        "requests": edge.requests,
        "median_wait_seconds": _rounded(edge.median_wait),
    }


def _link(link: MapLink) -> JsonObject:
    return {
        "source": link.source,
        "target": link.target,
        "source_name": link.source_name,
        "target_name": link.target_name,
        "trace_ids": [[source, target] for source, target in link.trace_ids],
    }


def _path(path: TracePath, trace: Trace | None) -> JsonObject:
    result: JsonObject = {
        "id": path.trace_id,
        "start": path.start,
        "seconds": _rounded(path.seconds),
        "connected": path.connected,
        "clusters": path.clusters,
        "nodes": list(path.nodes),
        "edges": [[source, target] for source, target in path.edges],
        "ends_in_table": path.ends_in_table,
        "queue_seconds": _rounded(path.queue_seconds),
        "attempts": path.attempts,
        "missing_parents": list(path.missing_parents),
        "in_progress": list(path.in_progress),
        "faults": list(path.faults),
        "errors": list(path.errors),
        "throttles": list(path.throttles),
    }
    if trace is not None:
        documents: list[JsonValue] = list(trace.documents)
        result |= {"limit_exceeded": trace.limit_exceeded, "documents": documents, "extra": trace.extra}
    return result


def _rounded(seconds: float | None) -> float | None:
    # Documents hold times in seconds since the epoch as floats, whose differences are exact to a microsecond.
    return None if seconds is None else round(seconds, 6)
