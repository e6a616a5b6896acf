"""`traced-pipeline trace` on the deployed pipeline: one and the same request, whole, broken and linked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.aws.http import new_trace_id

from tests.support.end_to_end.deployed import Deployed
from tests.support.end_to_end.pages import lines_in, shown_in
from tests.support.waiting import wait_for

HOPS = ["API stage", "ingest", "topic", "queue", "worker", "table"]
PARENT = "53995c3f42cd8ad8"
ORDER = {"customer": "Ann", "amount": 12.5}

Traced = Callable[[Deployed, str], dict[str, Any]]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Traced:
    """Runs `trace … --json` with the deployed pipeline's environment and reads what it prints."""

    def run(deployed: Deployed, trace_id: str) -> dict[str, Any]:
        for name, value in deployed.environment.items():
            if name.startswith("AWS_"):
                monkeypatch.setenv(name, value)
        assert main(["trace", trace_id, "--json"]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)["result"]
        return found

    return run


def posted(deployed: Deployed) -> str:
    answer = deployed.post(ORDER)
    assert answer.status == 202, answer.body
    assert answer.trace_id is not None
    return answer.trace_id


def hop(node: dict[str, Any]) -> str:
    """A node in the words of the pipeline."""
    words = {"stage": "API stage", "topic": "topic", "queue": "queue", "table": "table"}
    if node["kind"] == "function":
        return "ingest" if "IngestFunction" in node["name"] else "worker"
    return words[node["kind"]]


def edges(found: dict[str, Any]) -> list[tuple[str, str]]:
    hops = {node["id"]: hop(node) for node in found["nodes"]}
    return [(hops[edge["source"]], hops[edge["target"]]) for edge in found["edges"]]


def clusters(found: dict[str, Any]) -> list[list[str]]:
    hops = {node["id"]: hop(node) for node in found["nodes"]}
    return [[hops[node] for node in cluster["nodes"]] for cluster in found["clusters"]]


def table_reached(found: dict[str, Any]) -> bool:
    return any(hop(node) == "table" for node in found["nodes"])


def test_one_request_lists_exactly_its_hops(bridged: Deployed, traced: Traced) -> None:
    trace_id = posted(bridged)
    wait_for(
        lambda: any(d.get("origin") == "AWS::DynamoDB::Table" for d in bridged.documents(trace_id)), what="the table"
    )
    found = traced(bridged, trace_id)
    assert [hop(node) for node in found["nodes"]] == HOPS
    assert edges(found) == list(pairwise(HOPS))
    assert clusters(found) == [HOPS]
    assert found["links"] == []
    assert [trace["id"] for trace in found["traces"]] == [trace_id]
    assert found["traces"][0]["connected"]
    assert found["traces"][0]["ends_in_table"]
    assert all(node["requests"] == 1 for node in found["nodes"])
    # The two circles AWS has for a traced function are one node, and told apart in the data.
    assert [[circle["type"] for circle in node["circles"]] for node in found["nodes"]] == [
        ["AWS::ApiGateway::Stage"],
        ["AWS::Lambda", "AWS::Lambda::Function"],
        ["AWS::SNS"],
        ["AWS::SQS::Queue"],
        ["AWS::Lambda::Function"],
        ["AWS::DynamoDB::Table"],
    ]
    assert sorted(document["id"] for document in found["traces"][0]["documents"]) == sorted(
        document["id"] for document in bridged.documents(trace_id)
    )


def test_with_the_bridge_off_it_is_two_clusters(unbridged: Deployed, traced: Traced) -> None:
    trace_id = posted(unbridged)

    def both() -> dict[str, Any] | None:
        if not unbridged.documents(trace_id):
            return None
        found = traced(unbridged, trace_id)
        return found if table_reached(found) else None

    found = wait_for(both, what="the worker's own trace, which the request's is linked with")
    assert clusters(found) == [HOPS[:4], HOPS[4:]]
    assert ("queue", "worker") not in edges(found)
    assert len(found["traces"]) == 2
    assert [link["trace_ids"][0][0] for link in found["links"]] == [trace_id]


def test_a_linked_worker_is_one_cluster_and_has_the_link(linked: Deployed, traced: Traced) -> None:
    trace_id = posted(linked)

    def both() -> dict[str, Any] | None:
        if not linked.documents(trace_id):
            return None
        found = traced(linked, trace_id)
        return found if table_reached(found) and len(found["traces"]) == 2 else None

    found = wait_for(both, what="the continued trace and Lambda's own of the worker")
    assert clusters(found) == [HOPS]
    assert edges(found) == list(pairwise(HOPS))
    [link] = found["links"]
    hops = {node["id"]: hop(node) for node in found["nodes"]}
    assert (hops[link["source"]], hops[link["target"]]) == ("queue", "worker")
    [pair] = link["trace_ids"]
    assert pair[0] == trace_id
    assert {trace["id"] for trace in found["traces"]} == set(pair)
    request = next(trace for trace in found["traces"] if trace["id"] == trace_id)
    assert request["connected"]
    assert request["ends_in_table"]


def page_of(trace_ids: Iterable[str], file: Path) -> dict[str, Any]:
    """What the page of traces shows."""
    assert main(["trace", *trace_ids, "--html", str(file)]) == 0
    return shown_in(file)


def test_the_messages_of_one_batch_have_their_own_lines_in_the_page(
    bridged: Deployed, traced: Traced, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = {f"log-{number}": new_trace_id() for number in range(5)}
    entries = [
        {
            "Id": item_id,
            "MessageBody": json.dumps({"id": item_id, **ORDER}),
            "MessageSystemAttributes": {
                "AWSTraceHeader": {"DataType": "String", "StringValue": f"Root={trace_id};Parent={PARENT};Sampled=1"}
            },
        }
        for item_id, trace_id in ids.items()
    ]
    bridged.client("sqs").send_message_batch(QueueUrl=bridged.pipeline.queue_url, Entries=entries)
    traces = list(ids.values())
    wait_for(lambda: all(bridged.documents(trace_id) for trace_id in traces), what="the five traces")
    traced(bridged, traces[0])

    def lines() -> list[dict[str, Any]] | None:
        done = lines_in(page_of(traces, tmp_path / "trace.html"), " is done")
        return done if len(done) == len(ids) else None

    shown = wait_for(lines, what="the lines of the five messages")
    segments = {
        trace_id: document["id"]
        for trace_id in traces
        for document in bridged.documents(trace_id)
        if "message_id" in document.get("annotations", {})
    }
    for item_id, trace_id in ids.items():
        [line] = [line for line in shown if f"'{item_id}'" in line["text"]]
        assert (line["traces"], line["segment"]) == ([trace_id], segments[trace_id])
    requests = {json.loads(line["text"])["requestId"] for line in shown}
    assert len(requests) < len(ids), "no invocation had more than one of the messages"


def test_the_page_of_a_deployed_pipeline_holds_what_its_functions_logged(
    bridged: Deployed, traced: Traced, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace_id = posted(bridged)
    wait_for(
        lambda: any(d.get("origin") == "AWS::DynamoDB::Table" for d in bridged.documents(trace_id)), what="the table"
    )
    traced(bridged, trace_id)
    page = tmp_path / "trace.html"

    def logs() -> list[Any] | None:
        shown = page_of([trace_id], page)
        found = [of for of in shown["logs"] if of is not None]
        return found if all(of["lines"] for of in found) else None

    requests = {d["aws"]["request_id"] for d in bridged.documents(trace_id) if "request_id" in d.get("aws", {})}
    for of_function in wait_for(logs, what="the functions' log lines"):
        assert "FunctionLogs" in of_function["group"]
        assert of_function["problem"] is None
        assert any(request in line["text"] for request in requests for line in of_function["lines"])
