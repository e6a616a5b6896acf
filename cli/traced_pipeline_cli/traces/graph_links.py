"""Lambda's references between traces, put on the map.

X-Ray draws one as a dashed edge from the queue to the consumer, though Lambda writes the reference onto the span that
sent the message: https://docs.aws.amazon.com/xray/latest/devguide/xray-tracelinking.html.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from .graph_model import MapLink, Node
from .linked_queues import LinkedQueues
from .model import Link, Segment, Trace
from .resource_names import resource_name
from .resource_types import LAMBDA_FUNCTION, LAMBDA_SERVICE

_End = tuple[str | None, str]


def links_of(
    traces: Sequence[Trace], node_id: Callable[[Segment], str | None], nodes: Iterable[Node]
) -> tuple[MapLink, ...]:
    """Returns the links of all spans; one that both sides tell of is one.

    Args:
        traces: The traces of the map.
        node_id: The drawn node of a segment.
        nodes: The map's nodes, by which the other end is found where its trace was not fetched.
    """
    spans: dict[tuple[str, str], Segment] = {}
    queues = {trace.id: LinkedQueues(trace) for trace in traces}
    known = {node.id: node.name for node in nodes}
    for trace in traces:
        for segment, span in trace.spans():
            spans[trace.id, span.id] = segment
    pairs: dict[tuple[_End, _End], dict[tuple[str, str], None]] = defaultdict(dict)
    for trace in traces:
        for segment, span in trace.spans():
            for link in span.links:
                answering = spans.get((link.trace_id, link.id))
                other = (node_id(answering), answering.name) if answering is not None else _named(link, known)
                if link.reference_type == "parent":
                    if answering is not None:
                        queue = queues[link.trace_id].between(answering, segment.name)
                        other = (node_id(queue), resource_name(queue))
                    pairs[other, (node_id(segment), segment.name)][link.trace_id, trace.id] = None
                else:
                    queue = queues[trace.id].between(segment, other[1])
                    pairs[(node_id(queue), resource_name(queue)), other][trace.id, link.trace_id] = None
    return tuple(
        MapLink(
            source=source[0],
            target=target[0],
            source_name=source[1],
            target_name=target[1],
            trace_ids=tuple(trace_ids),
        )
        for (source, target), trace_ids in pairs.items()
    )


def _named(link: Link, known: dict[str, str]) -> _End:
    """Returns the other end by the name and type the link gives."""
    name = link.names[0] if link.names else f"trace {link.trace_id}"
    types = (LAMBDA_FUNCTION, LAMBDA_SERVICE) if link.type == LAMBDA_SERVICE else (link.type or "",)
    for resource_type in types:
        if (node_id := f"{resource_type}/{name}") in known:
            return node_id, name
    return None, name
