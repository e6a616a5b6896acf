"""One request through the deployed pipeline, and what X-Ray answers of it."""

import time
from itertools import pairwise
from typing import Any

import pytest
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.parse import parse_trace

from tests.support.end_to_end.deployed import Deployed
from tests.support.waiting import wait_for

ORDER = {"customer": "Ann", "amount": 12.5}


def _by_origin(documents: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {str(document.get("origin")): document for document in documents}


def _below(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The subsegment of a name, at any depth."""
    for nested in document.get("subsegments", []):
        if nested["name"].lower() == name.lower():
            return nested  # type: ignore[no-any-return]
        if found := _below(nested, name):
            return found
    return {}


@pytest.fixture(scope="module")
def answer(bridged: Deployed) -> dict[str, Any]:
    answered = bridged.post({"id": "order-1", **ORDER})
    assert answered.status == 202, answered.body
    body = answered.json()
    assert isinstance(body, dict)
    return body


@pytest.fixture(scope="module")
def documents(bridged: Deployed, answer: dict[str, Any]) -> list[dict[str, Any]]:
    def whole() -> list[dict[str, Any]]:
        found = bridged.documents(answer["trace_id"])
        return found if "AWS::DynamoDB::Table" in _by_origin(found) else []

    return wait_for(whole, what="the table in the trace")


def test_the_request_is_one_trace_from_the_stage_to_the_table(documents: list[dict[str, Any]]) -> None:
    segments = _by_origin(documents)
    functions = [document for document in documents if document["origin"] == "AWS::Lambda::Function"]
    ingest = next(document for document in functions if "Ingest" in document["name"])
    worker = next(document for document in functions if "Worker" in document["name"])
    stage, topic = segments["AWS::ApiGateway::Stage"], segments["AWS::SNS"]
    queue, table = segments["AWS::SQS::Queue"], segments["AWS::DynamoDB::Table"]

    assert "parent_id" not in stage
    assert segments["AWS::Lambda"]["parent_id"] == _below(stage, "Lambda")["id"]
    assert ingest["parent_id"] == segments["AWS::Lambda"]["id"]
    assert topic["parent_id"] == _below(ingest, "sns")["id"]
    assert queue["parent_id"] == _below(topic, "SQS")["id"]
    assert worker["parent_id"] == _below(topic, "SQS")["id"]
    assert table["parent_id"] == _below(worker, "dynamodb")["id"]
    assert {document["trace_id"] for document in documents} == {stage["trace_id"]}


def test_the_map_shows_the_six_nodes_in_order(bridged: Deployed, documents: list[dict[str, Any]]) -> None:
    found = bridged.client("xray").batch_get_traces(TraceIds=[documents[0]["trace_id"]])["Traces"][0]
    trace_map = build_map([parse_trace(found)])
    kinds = [trace_map.by_id[node].kind for node in trace_map.traces[0].nodes]
    assert kinds == ["stage", "function", "topic", "queue", "function", "table"]
    ordered = [node.id for node in trace_map.nodes]
    assert [(edge.source, edge.target) for edge in trace_map.edges] == list(pairwise(ordered))
    assert len(trace_map.clusters) == 1


def test_the_worker_tells_the_message_it_was(documents: list[dict[str, Any]]) -> None:
    worker = next(document for document in documents if "WorkerFunction" in document["name"])
    assert worker["annotations"]["attempt"] == 1
    assert worker["annotations"]["message_id"]
    assert worker["annotations"]["queue_ms"] >= 0
    assert "Queue" in worker["metadata"]["trace_bridge"]["queue"]
    assert worker["aws"]["cloudwatch_logs"][0]["log_group"]
    assert worker["resource_arn"].endswith(worker["name"])


def test_the_item_carries_the_trace_id_of_its_request(bridged: Deployed, answer: dict[str, Any]) -> None:
    item = wait_for(lambda: bridged.item("order-1"), what="the item")
    assert item["trace_id"]["S"] == answer["trace_id"]
    assert item["data"]["M"] == {"customer": {"S": "Ann"}, "amount": {"N": "12.5"}}


def test_the_same_item_sent_again_changes_nothing(bridged: Deployed, answer: dict[str, Any]) -> None:
    before = wait_for(lambda: bridged.item("order-1"), what="the item")
    again = bridged.post({"id": "order-1", "customer": "Bob", "amount": 1})
    body = again.json()
    assert isinstance(body, dict)
    wait_for(
        lambda: "AWS::DynamoDB::Table" in _by_origin(bridged.documents(str(body["trace_id"]))), what="the second trace"
    )
    assert bridged.item("order-1") == before


def test_a_callers_trace_is_continued(bridged: Deployed) -> None:
    mine = "1-6b04d6c2-0123456789abcdef01234567"
    header = f"Root={mine};Parent=53995c3f42cd8ad8;Sampled=1"
    assert bridged.post(ORDER, trace=header).trace_id == mine
    wait_for(lambda: "AWS::DynamoDB::Table" in _by_origin(bridged.documents(mine)), what="the whole trace")
    assert _by_origin(bridged.documents(mine))["AWS::ApiGateway::Stage"]["parent_id"] == "53995c3f42cd8ad8"


def test_an_unsampled_request_is_processed_and_not_recorded(bridged: Deployed) -> None:
    mine = "1-6b04d6c2-abcdefabcdefabcdefabcdef"
    answered = bridged.post({"id": "quiet", **ORDER}, trace=f"Root={mine};Parent=53995c3f42cd8ad8;Sampled=0")
    assert answered.status == 202
    assert wait_for(lambda: bridged.item("quiet"), what="the item")["trace_id"]["S"] == mine
    assert bridged.documents(mine) == []


def test_without_the_bridge_the_trace_ends_at_the_queue(unbridged: Deployed) -> None:
    answered = unbridged.post({"id": "order-2", **ORDER})
    assert answered.status == 202
    assert answered.trace_id is not None
    trace_id = answered.trace_id
    wait_for(lambda: "AWS::SQS::Queue" in _by_origin(unbridged.documents(trace_id)), what="the queue in the trace")
    item = wait_for(lambda: unbridged.item("order-2"), what="the item")
    assert item["trace_id"]["S"] == trace_id

    def own_trace() -> list[dict[str, Any]]:
        now = time.time()
        asked = unbridged.client("xray").get_trace_summaries(StartTime=now - 3600, EndTime=now + 60)
        summaries = asked["TraceSummaries"]
        for other in (summary["Id"] for summary in summaries):
            found = unbridged.documents(other)
            table = _by_origin(found).get("AWS::DynamoDB::Table")
            if other != trace_id and table and table["aws"]["table_name"] == unbridged.pipeline.table:
                return found
        return []

    worker = wait_for(own_trace, what="the worker's own trace")
    assert "AWS::DynamoDB::Table" not in _by_origin(unbridged.documents(trace_id))
    assert not {document["id"] for document in unbridged.documents(trace_id)} & {
        document.get("parent_id") for document in worker
    }
