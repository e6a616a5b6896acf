"""What can be said of one trace in a line."""

from __future__ import annotations

from .trace_map import TraceMap, TracePath
from .wording import counted, duration, readable_name, short_name


def verdict(path: TracePath, trace_map: TraceMap) -> str:
    """Whether a trace is whole, where it ends, how long its messages waited and what failed.

    Args:
        path: The trace's way over the map.
        trace_map: The map.
    """
    hops = counted(len(path.nodes), "node")
    parts = [f"connected, {hops}" if path.connected else f"in {counted(path.clusters, 'part')}, {hops}"]
    tables = [trace_map.by_id[node] for node in path.nodes if trace_map.by_id[node].kind == "table"]
    parts.append(f"ends in the table {readable_name(tables[-1].name)}" if path.ends_in_table else "ends in no table")
    if path.queue_seconds is not None:
        parts.append(f"{duration(path.queue_seconds)} in the queue")
    if path.missing_parents:
        parts.append(f"{counted(len(path.missing_parents), 'parent')} missing")
    if path.in_progress:
        parts.append(f"in progress: {', '.join(map(short_name, path.in_progress[:3]))}")
    if path.faults:
        parts.append(f"failed: {', '.join(map(readable_name, path.faults))}")
    return " · ".join(parts)
