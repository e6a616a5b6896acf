"""The names that a map's nodes are drawn with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from ..text import readable_name, short_name
from ..traces.graph_model import TraceMap


def node_labels(trace_map: TraceMap) -> Mapping[str, str]:
    """Returns the nodes' names by id: their readable part, or the whole where that does not tell two of a kind apart.

    Args:
        trace_map: The map.
    """
    readable = {node.id: readable_name(node.name) for node in trace_map.nodes}
    often = Counter((trace_map.by_id[node_id].kind, name) for node_id, name in readable.items())
    return {
        node_id: name if often[trace_map.by_id[node_id].kind, name] == 1 else short_name(trace_map.by_id[node_id].name)
        for node_id, name in readable.items()
    }
