"""The service graph: the services of some traces, the calls between them, and the links between traces.

Source: X-Ray API Reference, "GetServiceGraph" and "GetTraceGraph"; X-Ray Developer Guide, "Getting data from X-Ray"
(a published graph with a client, an instance, a table and a topic) and "Trace map". A graph with a queue and its
consumer is published in grafana/x-ray-datasource, src/XRayDataSource.test.ts: that edge has no figures.
"""

from collections.abc import Iterable
from typing import Any

from local.xray.calls import Call, NodeKey, account_of, calls, key_of
from local.xray.document_tree import Document, walk
from local.xray.statistics import Figures
from local.xray.summaries import Summary

_CLIENT = "client"
_QUEUE = "AWS::SQS::Queue"
_REFERENCE = "aws.xray.reserved.reference_type"


def draw(summaries: Iterable[Summary]) -> list[dict[str, Any]]:
    """Draws the graph of some traces, as the `Services` of the X-Ray API."""
    drawn = list(summaries)
    graph = _Graph()
    for summary in drawn:
        for call in calls(summary.segments):
            graph.add(call)
    graph.link(drawn)
    return graph.render()


class _Edge:
    def __init__(self, *, kind: str | None = None) -> None:
        self.kind = kind
        self.figures = Figures()


class _Node:
    def __init__(self) -> None:
        self.figures = Figures()
        self.edges: dict[NodeKey, _Edge] = {}
        self.root = False
        self.active = False
        self.account: str | None = None
        self.names: dict[str, None] = {}

    def edge(self, called: NodeKey, *, kind: str | None = None) -> _Edge:
        return self.edges.setdefault(called, _Edge(kind=kind))


class _Graph:
    def __init__(self) -> None:
        self._nodes: dict[NodeKey, _Node] = {}
        self._client: NodeKey | None = None

    def add(self, call: Call) -> None:
        node = self._node(call.called)
        node.figures.count(call.segment)
        # Of the published nodes those with segments of their own are "active", inferred ones and clients "unknown".
        node.active = node.active or not call.segment.get("inferred")
        node.account = account_of(call.segment) or node.account
        if call.caller is None and _is_linked_consumer(call.segment):
            return
        if call.caller is None:
            # The first service a request hits is a root. One client stands before them all, with the first one's name.
            node.root = True
            self._client = self._client or NodeKey(name=call.called.name, type=_CLIENT)
            client = self._node(self._client)
            client.names.setdefault(call.called.name)
            client.figures.span(call.segment)
            client.edge(call.called).figures.count(call.segment)
        elif call.caller != call.called or call.request:
            edge = self._node(call.caller).edge(call.called)
            if call.awaited:
                edge.figures.count(call.request or call.segment)

    def link(self, summaries: list[Summary]) -> None:
        """Adds an edge for each link whose two ends are among the traces; it has a type and ages, no statistics."""
        owners = {
            (summary.trace_id, entity["id"]): key_of(segment)
            for summary in summaries
            for segment in summary.segments
            for entity in walk(segment)
        }
        for summary in summaries:
            for sender in (entity for segment in summary.segments for entity in walk(segment)):
                for link in sender.get("links") or []:
                    attributes = link.get("attributes") or {}
                    consumer = owners.get((link.get("trace_id", ""), link.get("id", "")))
                    if consumer and attributes.get(_REFERENCE) == "child":
                        queue = _queue(summary, sender, str(link["trace_id"]))
                        source = queue or owners[summary.trace_id, sender["id"]]
                        self._add_link(source, consumer, sender, attributes)

    def _add_link(self, source: NodeKey, consumer: NodeKey, sender: Document, attributes: Document) -> None:
        edge = self._node(source).edge(consumer, kind="link")
        received = attributes.get("aws.xray.reserved.received_event_end_time")
        if isinstance(received, int | float):
            edge.figures.observe(max(0.0, received - float(sender["start_time"])))

    def render(self) -> list[dict[str, Any]]:
        numbers = {key: number for number, key in enumerate(self._nodes)}
        return [self._service(key, node, numbers) for key, node in self._nodes.items()]

    def _node(self, key: NodeKey) -> _Node:
        return self._nodes.setdefault(key, _Node())

    @staticmethod
    def _service(key: NodeKey, node: _Node, numbers: dict[NodeKey, int]) -> dict[str, Any]:
        return {
            "ReferenceId": numbers[key],
            "Name": key.name,
            "Names": list(node.names) or [key.name],
            **({"Root": True} if node.root else {}),
            **({"AccountId": node.account} if node.account else {}),
            **({"Type": key.type} if key.type else {}),
            "State": "active" if node.active else "unknown",
            **_times(node.figures),
            "Edges": [_edge(numbers[called], edge, node) for called, edge in node.edges.items()],
            "SummaryStatistics": node.figures.statistics(),
            "DurationHistogram": node.figures.histogram(),
            "ResponseTimeHistogram": node.figures.histogram(),
        }


def _is_linked_consumer(segment: Document) -> bool:
    """Returns whether the segment's own trace begins behind a queue, so that no client called it."""
    links = segment.get("links") or []
    return any((link.get("attributes") or {}).get(_REFERENCE) == "parent" for link in links)


def _queue(summary: Summary, sender: Document, consumed_by: str) -> NodeKey | None:
    """Returns the queue that a link leads from, or nothing where the producer's trace does not show it.

    "A dashed-line edge that connects the Amazon SQS node and downstream Lambda consumer nodes": X-Ray Developer Guide,
    "Tracing event-driven applications". Where it is not known by which call the message was sent, it is the only queue
    behind the link's beginning.
    """
    queues = {
        segment["parent_id"]: key_of(segment)
        for segment in summary.segments
        if segment.get("inferred") and segment.get("origin") == _QUEUE
    }
    sent_by = summary.senders.get(consumed_by)
    if sent_by in queues:
        return queues[sent_by]
    behind = {key for call, key in queues.items() if sender["id"] in summary.ancestors(call)}
    return behind.pop() if len(behind) == 1 else None


def _edge(number: int, edge: _Edge, caller: _Node) -> dict[str, Any]:
    # In the published graph an edge begins and ends with its caller's node, not with its own first and last request.
    # "ResponseTimeHistogram: only populated for synchronous edges. ReceivedEventAgeHistogram: only populated when
    # EdgeType is link": X-Ray API Reference, "Edge".
    histogram = edge.figures.histogram()
    return {
        "ReferenceId": number,
        **_times(caller.figures),
        "SummaryStatistics": edge.figures.statistics(),
        "ResponseTimeHistogram": [] if edge.kind else histogram,
        "Aliases": [],
        **({"EdgeType": edge.kind, "ReceivedEventAgeHistogram": histogram} if edge.kind else {}),
    }


def _times(figures: Figures) -> dict[str, float]:
    # Whole seconds, as in the published graphs.
    return {"StartTime": float(int(figures.start)), "EndTime": float(int(figures.end))} if figures.end else {}
