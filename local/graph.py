"""GetTraceGraph: the services of some traces and the calls between them.

Source: X-Ray API Reference, "GetTraceGraph"; a node is one name and type (X-Ray Developer Guide, "Trace map").
"""

from typing import Any

from local.store import walk
from local.summaries import Summary


def services(summaries: list[Summary]) -> list[dict[str, Any]]:
    """Draw the graph: one service per name and type, an edge where a segment's parent lies in another."""
    numbers: dict[tuple[str, str], int] = {}
    edges: dict[int, set[int]] = {}
    nodes: dict[int, dict[str, Any]] = {}
    for summary in summaries:
        owners: dict[str, int] = {}
        for segment in summary.segments:
            key = (segment["name"], segment.get("origin", ""))
            number = numbers.setdefault(key, len(numbers))
            nodes.setdefault(number, _node(number, segment))
            owners.update({entity["id"]: number for entity in walk(segment)})
        messaging = {
            segment["parent_id"]: owners[segment["id"]]
            for segment in summary.segments
            if segment.get("inferred") and segment.get("origin") in ("AWS::SQS::Queue", "AWS::SNS")
        }
        for segment in summary.segments:
            parent = segment.get("parent_id", "")
            number = owners[segment["id"]]
            caller = owners.get(parent)
            # A consumer stands behind the queue or topic its message came from.
            if parent in messaging and messaging[parent] != number:
                caller = messaging[parent]
            if caller is None:
                nodes[number]["Root"] = True
            else:
                edges.setdefault(caller, set()).add(number)
    for number, node in nodes.items():
        node["Edges"] = [{"ReferenceId": called, "Aliases": []} for called in sorted(edges.get(number, ()))]
    return list(nodes.values())


def _node(number: int, segment: dict[str, Any]) -> dict[str, Any]:
    return {
        "ReferenceId": number,
        "Name": segment["name"],
        "Names": [segment["name"]],
        "Root": False,
        "State": "active",
        **({"Type": segment["origin"]} if segment.get("origin") else {}),
    }
