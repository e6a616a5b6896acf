"""What the page shows, as JSON: every text and number in the form it is read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...aws.logs import FunctionLogs
from ...text import clock, counted, duration, short_name
from ...traces.graph_model import Edge, MapLink, Node, TraceMap
from ...traces.model import JsonObject, JsonValue, Trace
from ...traces.resource_types import KIND_LABELS
from ..labels import node_labels
from ..node_failures import failures
from .traces import PageTraces


def page_data(
    trace_map: TraceMap, traces: Iterable[Trace], logs: Mapping[str, FunctionLogs] | None, *, title: str
) -> JsonObject:
    """What the page shows.

    Args:
        trace_map: The map.
        traces: Its traces; every field of their documents is in the page.
        logs: What functions logged, by name; None where nobody asked for logs.
        title: The heading.
    """
    nodes = {node.id: index for index, node in enumerate(trace_map.nodes)}
    by_id = {trace.id: trace for trace in traces}
    order = {path.trace_id: index for index, path in enumerate(trace_map.traces)}
    labels = node_labels(trace_map)
    waterfalls = PageTraces(trace_map, labels, order)
    return {
        "title": title,
        "summary": trace_map.summary().replace(", ", " · "),
        "nodes": [_node(node, labels[node.id], order) for node in trace_map.nodes],
        "edges": [_edge(edge, nodes) for edge in trace_map.edges],
        "links": [_link(link, nodes) for link in trace_map.links],
        "clusters": [
            {"nodes": [nodes[node] for node in cluster.nodes], "traces": counted(len(cluster.trace_ids), "trace")}
            for cluster in trace_map.clusters
        ],
        "traces": [waterfalls.of(path, by_id[path.trace_id]) for path in trace_map.traces],
        "logs": _logs(trace_map, logs, order),
    }


def _node(node: Node, label: str, order: Mapping[str, int]) -> JsonObject:
    longest = node.latencies[-1] if node.latencies else None
    return {
        "label": label,
        "name": short_name(node.name),
        "type": node.type,
        "kind": node.kind,
        "word": KIND_LABELS[node.kind],
        "inferred": node.inferred,
        "requests": counted(node.requests, "request"),
        "count": node.requests,
        "median": duration(node.median_seconds),
        "longest": duration(longest),
        "failures": [
            {"state": state, "text": words, "fraction": min(1.0, node.failed[state] / node.requests)}
            for state, words in failures(node)
        ],
        "circles": [
            f"{c.type}: {counted(c.segments, 'segment')}{', inferred' if c.inferred else ''}" for c in node.circles
        ],
        "traces": [order[trace_id] for trace_id in node.trace_ids],
    }


def _edge(edge: Edge, nodes: Mapping[str, int]) -> JsonObject:
    return {
        "source": nodes[edge.source],
        "target": nodes[edge.target],
        "requests": counted(edge.requests, "request"),
        "wait": "" if edge.median_wait is None else duration(edge.median_wait),
    }


def _link(link: MapLink, nodes: Mapping[str, int]) -> JsonObject:
    return {
        "source": None if link.source is None else nodes[link.source],
        "target": None if link.target is None else nodes[link.target],
        "sourceName": short_name(link.source_name),
        "targetName": short_name(link.target_name),
        "pairs": counted(len(link.trace_ids), "pair"),
    }


def _logs(trace_map: TraceMap, logs: Mapping[str, FunctionLogs] | None, order: Mapping[str, int]) -> list[JsonValue]:
    """What each node logged, in the nodes' order; null for what is no function."""
    result: list[JsonValue] = []
    for node in trace_map.nodes:
        function_logs = None if logs is None else logs.get(node.name)
        if node.kind != "function":
            result.append(None)
        elif function_logs is None:
            result.append({"group": None, "problem": "Logs were not fetched.", "lines": []})
        else:
            lines = _lines(function_logs, order)
            result.append({"group": function_logs.group, "problem": function_logs.problem, "lines": lines})
    return result


def _lines(logs: FunctionLogs, order: Mapping[str, int]) -> list[JsonValue]:
    return [
        {
            "clock": clock(line.time).rpartition(" ")[2],
            "text": line.message,
            "traces": _indices(line.trace_ids, order),
            "segment": line.segment_id,
        }
        for line in logs.lines
    ]


def _indices(trace_ids: Sequence[str], order: Mapping[str, int]) -> list[JsonValue]:
    return [order[trace_id] for trace_id in trace_ids if trace_id in order]
