"""One request, followed by its trace."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from traced_pipeline_cli.aws.http import new_trace_id
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.graph_model import TraceMap
from traced_pipeline_cli.traces.parse import parse_trace

from tests.support.end_to_end.deployed import Deployed
from tests.support.waiting import wait_for

Document = dict[str, Any]

_PHYSICAL_NAME = re.compile(r"\w+-(\w+?)[0-9A-F]{8}-[0-9A-F]+(?:\.fifo)?")


@dataclass(frozen=True, kw_only=True)
class Followed:
    """A request's trace: the raw documents, and their map with names as the app has them."""

    trace_id: str
    documents: list[Document]
    map: TraceMap

    @property
    def hops(self) -> list[tuple[str, str]]:
        names = {node.id: _logical(node.name) for node in self.map.nodes}
        return [(names[edge.source], names[edge.target]) for edge in self.map.edges]

    def segment(self, function: str) -> Document:
        """The segment of a function itself, not that of the Lambda service before it."""
        found = [d for d in self.documents if d.get("origin") == "AWS::Lambda::Function" and function in d["name"]]
        assert len(found) == 1, f"{len(found)} segments of {function}"
        return found[0]


def follow(deployed: Deployed, body: dict[str, object], *, tables: int = 1) -> Followed:
    """Send one signed request, and wait until its trace is whole and has come to so many tables."""
    return whole_trace(deployed, start(deployed, body), tables=tables)


def start(deployed: Deployed, body: dict[str, object]) -> str:
    """Send one signed request under a trace id of its own; gives that."""
    trace_id = new_trace_id()
    answer = deployed.post(body, trace=f"Root={trace_id};Sampled=1")
    assert (answer.status, answer.trace_id) == (202, trace_id), answer.body
    return trace_id


def whole_trace(
    deployed: Deployed, trace_id: str, *, tables: int = 1, origin: str = "AWS::ApiGateway::Stage"
) -> Followed:
    """Wait until a trace has come to so many tables; it must be one whole.

    Whether it is, is settled by parent ids in the documents alone: one segment has none, and is where the trace is said
    to begin; every other one's parent is a segment or subsegment of the same trace.
    """
    documents = wait_for(_reached(deployed, trace_id, tables), what=f"trace {trace_id} with {tables} tables")
    assert {document["trace_id"] for document in documents} == {trace_id}
    spans = {span["id"] for document in documents for span in _spans(document)}
    assert [d.get("origin") for d in documents if "parent_id" not in d] == [origin]
    assert {d["parent_id"] for d in documents if "parent_id" in d} <= spans
    trace_map = build_map([parse_trace({"Id": trace_id, "Segments": documents})])
    assert len(trace_map.clusters) == 1
    return Followed(trace_id=trace_id, documents=documents, map=trace_map)


def _reached(deployed: Deployed, trace_id: str, tables: int) -> Callable[[], list[Document]]:
    def reached() -> list[Document]:
        documents = deployed.documents(trace_id)
        finished = not any(document.get("in_progress") for document in documents)
        found = sum(document.get("origin") == "AWS::DynamoDB::Table" for document in documents)
        return documents if finished and found >= tables else []

    return reached


def _spans(document: Document) -> list[Document]:
    return [document, *(span for nested in document.get("subsegments", []) for span in _spans(nested))]


def _logical(name: str) -> str:
    """The construct's part of a physical name; other names stay."""
    found = _PHYSICAL_NAME.fullmatch(name)
    return found.group(1) if found else name
