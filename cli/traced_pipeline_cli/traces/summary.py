"""What can be said of one trace in a line."""

from __future__ import annotations

from ..text import counted, duration, readable_name, short_name
from .graph_model import TraceMap, TracePath
from .resource_types import KIND_LABELS


def verdict(path: TracePath, trace_map: TraceMap) -> str:
    """Returns whether a trace is whole, where it ends, how long its messages waited and what failed.

    Args:
        path: The trace's way over the map.
        trace_map: The map.
    """
    hops = counted(len(path.nodes), "node")
    parts = [f"connected, {hops}" if path.connected else f"in {counted(path.clusters, 'part')}, {hops}"]
    parts += _end(path, trace_map)
    if path.queue_seconds is not None:
        attempts = f", {path.attempts} attempts" if path.attempts > 1 else ""
        parts.append(f"{duration(path.queue_seconds)} in the queue{attempts}")
    if path.missing_parents:
        parts.append(f"{counted(len(path.missing_parents), 'parent')} missing")
    if path.in_progress:
        parts.append(f"in progress: {', '.join(map(short_name, path.in_progress[:3]))}")
    for word, names in (("failed", path.faults), ("throttled", path.throttles), ("error", path.errors)):
        if names:
            parts.append(f"{word}: {', '.join(map(readable_name, names))}")
    return " · ".join(parts)


def _end(path: TracePath, trace_map: TraceMap) -> list[str]:
    """Where a trace ends, as far as that is one place."""
    nodes = [trace_map.by_id[node] for node in path.nodes]
    if path.ends_in_table:
        table = [node for node in nodes if node.kind == "table"][-1]
        return [f"ends in the table {readable_name(table.name)}"]
    callers = {source for source, _ in path.edges}
    ends = [node for node in nodes if node.id not in callers]
    if len(ends) != 1 or len(nodes) == 1:
        return []
    label = KIND_LABELS[ends[0].kind]
    return [f"ends in the {label if label.startswith('API') else label.lower()} {readable_name(ends[0].name)}"]
