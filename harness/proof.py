"""What the traces of a run prove, counted over what X-Ray answers."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import boto3
from traced_pipeline_cli.aws.stack import Pipeline
from traced_pipeline_cli.aws.xray import Progress, get_traces, latest, wait_for_traces
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.graph_model import TraceMap
from traced_pipeline_cli.traces.model import Trace

HOPS = ("stage", "function", "topic", "queue", "function", "table")
"""The kinds of the nodes of one request, in order."""

_TRACES_SECONDS = 60.0
_POLL_SECONDS = 0.2


class NotProvenError(Exception):
    """The traces or items are not what they have to be; the message says which, and how."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request that was taken.

    Attributes:
        item_id: The id its item has.
        trace_id: The trace the API answered with.
    """

    item_id: str
    trace_id: str


@dataclass(frozen=True, kw_only=True)
class Proof:
    """What was found.

    Attributes:
        requests: How many requests were sent.
        items: How many of their items are in the table, with the trace id of their request.
        trace_map: The map of all their traces.
        traces: Those traces.
        example: One of them.
    """

    requests: int
    items: int
    trace_map: TraceMap
    traces: Sequence[Trace]
    example: Trace

    def summary(self) -> str:
        """Returns the run in a line, such as `20 requests, 20 traces, 1 cluster, 6 nodes, 20 items`."""
        return f"{_counted(self.requests, 'request')}, {self.trace_map.summary()}, {_counted(self.items, 'item')}"


def prove_bridged(pipeline: Pipeline, requests: Sequence[Request], tell: Callable[[str], None]) -> Proof:
    """Waits until every request is one connected trace from the API to the table, and its item is there.

    Raises:
        NotProvenError: Something is missing or too much.
        TracesIncompleteError: The traces did not become whole in time.
    """
    traces = wait_for_traces(
        boto3.client("xray"),
        [request.trace_id for request in requests],
        _is_whole,
        _TRACES_SECONDS,
        progress=_teller(tell),
        interval=_POLL_SECONDS,
    )
    trace_map = build_map(traces)
    if len(trace_map.clusters) != 1 or len(trace_map.nodes) != len(HOPS):
        raise NotProvenError(f"expected 1 cluster of {len(HOPS)} nodes, found {trace_map.summary()}")
    return _proof(pipeline, requests, traces, trace_map, tell)


def prove_broken(pipeline: Pipeline, requests: Sequence[Request], tell: Callable[[str], None]) -> Proof:
    """Waits for the same requests where the bridge is off: their traces end at the queue, the worker has its own.

    Raises:
        NotProvenError: The traces are whole, or the worker's are missing.
        TracesIncompleteError: The requests' traces did not reach the queue in time.
    """
    xray = boto3.client("xray")
    wanted = [request.trace_id for request in requests]
    first = wait_for_traces(
        xray, wanted, _reaches_queue, _TRACES_SECONDS, progress=_teller(tell), interval=_POLL_SECONDS
    )
    items = _count_items(pipeline, requests, tell)
    seen = {node.name for node in build_map(first).nodes}
    worker = next((name for name in pipeline.functions if name not in seen), None)
    if worker is None:
        raise NotProvenError("the worker is in the requests' own traces although the bridge is off")
    ends = time.monotonic() + _TRACES_SECONDS
    while True:
        own = get_traces(xray, latest(xray, worker, limit=len(requests)))
        trace_map = build_map([*first, *own])
        if own and all(path.ends_in_table for path in build_map(own).traces):
            break
        if time.monotonic() > ends:
            raise NotProvenError(f"no traces of the worker {worker} that end in the table: {trace_map.summary()}")
        time.sleep(_POLL_SECONDS)
    if len(trace_map.clusters) != 2 or any(path.ends_in_table for path in build_map(first).traces):
        raise NotProvenError(f"expected 2 clusters, the first ending at the queue, found {trace_map.summary()}")
    traces = [*first, *own]
    return Proof(requests=len(requests), items=items, trace_map=trace_map, traces=traces, example=first[0])


def _proof(
    pipeline: Pipeline,
    requests: Sequence[Request],
    traces: Sequence[Trace],
    trace_map: TraceMap,
    tell: Callable[[str], None],
) -> Proof:
    items = _count_items(pipeline, requests, tell)
    return Proof(requests=len(requests), items=items, trace_map=trace_map, traces=traces, example=traces[0])


def _is_whole(trace: Trace) -> bool:
    trace_map = build_map([trace])
    path = trace_map.traces[0]
    kinds = tuple(trace_map.by_id[node].kind for node in path.nodes)
    return path.connected and path.ends_in_table and not path.in_progress and kinds == HOPS


def _reaches_queue(trace: Trace) -> bool:
    return any(node.kind == "queue" for node in build_map([trace]).nodes)


def _count_items(pipeline: Pipeline, requests: Sequence[Request], tell: Callable[[str], None]) -> int:
    """Waits for the items.

    Raises:
        NotProvenError: Some are missing, or carry another trace id than their request.
    """
    table = boto3.resource("dynamodb").Table(pipeline.table or "")
    missing = list(requests)
    ends = time.monotonic() + _TRACES_SECONDS
    while missing and time.monotonic() < ends:
        missing = [request for request in missing if not _has_item(table, request)]
        tell(f"{len(requests) - len(missing)} of {len(requests)} items")
        if missing:
            time.sleep(_POLL_SECONDS)
    if missing:
        raise NotProvenError(f"{len(missing)} of {len(requests)} items are missing, {missing[0].item_id} among them")
    return len(requests)


def _has_item(table: object, request: Request) -> bool:
    item = table.get_item(Key={"id": request.item_id}, ConsistentRead=True).get("Item")  # type: ignore[attr-defined]
    if item is not None and item.get("trace_id") != request.trace_id:
        raise NotProvenError(f"item {request.item_id} carries trace {item.get('trace_id')}, not {request.trace_id}")
    return item is not None


def _teller(tell: Callable[[str], None]) -> Callable[[Progress], None]:
    return lambda progress: tell(f"{progress.done} of {progress.wanted} traces")


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
