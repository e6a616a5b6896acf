"""Other ways into a queue than an ingest function, and other calls than those of SNS and DynamoDB, in one trace."""

import json
from typing import Any

import pytest
import urllib3
from traced_pipeline_cli.aws.http import new_trace_id

from tests.support.end_to_end.deployed import Deployed, Examples
from tests.support.end_to_end.following import Document, Followed, follow, whole_trace
from tests.support.waiting import wait_for


@pytest.fixture(scope="module")
def everything(examples: Examples) -> Followed:
    """One order whose worker calls all the other services."""
    return follow(examples("OtherCalls"), {"id": "everything", "amount": 1}, tables=5)


def _calls(followed: Followed, function: str) -> dict[str, Document]:
    """The calls of AWS services that a function recorded, by their names in X-Ray."""
    return {call["name"]: call for call in followed.segment(function)["subsegments"] if call.get("namespace") == "aws"}


class TestOtherCalls:
    def test_each_is_in_the_message_s_trace(self, everything: Followed) -> None:
        calls = _calls(everything, "OrdersWorkerFunction")
        operations = {name: call["aws"]["operation"] for name, call in calls.items()}
        assert operations == {
            "secretsmanager": "GetSecretValue",
            "Lambda": "Invoke",
            "S3": "PutObject",
            "Events": "PutEvents",
            "states": "StartExecution",
            "DynamoDB": "PutItem",
        }

    def test_the_trace_goes_on_in_a_function_that_is_invoked(self, everything: Followed) -> None:
        invoked = next(d for d in everything.documents if d.get("origin") == "AWS::Lambda" and "Check" in d["name"])
        assert invoked["parent_id"] == _calls(everything, "OrdersWorkerFunction")["Lambda"]["id"]

    def test_what_only_answers_ends_the_trace(self, everything: Followed) -> None:
        secret = next(node for node in everything.map.nodes if node.kind == "secret")
        assert not [edge for edge in everything.map.edges if edge.source == secret.id]


class TestEventBridge:
    def test_rules_lead_to_a_topic_and_to_a_queue_in_one_trace(self, examples: Examples, everything: Followed) -> None:
        bus = examples("EventBus")
        items = _items(bus)
        assert set(items) == {"OrderPlaced everything", "OrderCancelled everything"}
        assert {item["trace_id"]["S"] for item in items.values()} == {everything.trace_id}
        assert {item["source"]["S"] for item in items.values()} == {"shop.orders"}

    def test_the_header_is_that_of_the_sender(self, everything: Followed) -> None:
        call = _calls(everything, "OrdersWorkerFunction")["Events"]["id"]
        behind = [d for d in everything.documents if d.get("parent_id") == call and not d.get("inferred")]
        assert {d["origin"] for d in behind} == {"AWS::SNS", "AWS::Lambda::Function"}
        assert [node.kind for node in everything.map.nodes if node.name == "Events"] == ["events"]

    def test_an_entry_can_have_a_trace_of_its_own(self, examples: Examples) -> None:
        bus, trace_id = examples("EventBus"), new_trace_id()
        bus.client("events").put_events(
            Entries=[
                {
                    "EventBusName": bus.pipeline.outputs["BusName"],
                    "Source": "shop.orders",
                    "DetailType": "OrderCancelled",
                    "Detail": json.dumps({"id": "own"}),
                    "TraceHeader": f"Root={trace_id};Sampled=1",
                }
            ]
        )
        item = wait_for(lambda: _items(bus).get("OrderCancelled own"), what="the event to be recorded")
        assert item["trace_id"]["S"] == trace_id


class TestS3:
    def test_a_notification_goes_on_in_the_trace_of_who_stores(self, examples: Examples, everything: Followed) -> None:
        items = _items(examples("Uploads"))
        # The key as it is, not as S3 writes it in a notification.
        assert items["orders/everything 1.json"]["trace_id"]["S"] == everything.trace_id
        call = _calls(everything, "OrdersWorkerFunction")["S3"]["id"]
        assert [d["origin"] for d in everything.documents if d.get("parent_id") == call and not d.get("inferred")] == [
            "AWS::SNS"
        ]


class TestStepFunctions:
    def test_an_execution_is_in_the_trace_and_what_it_publishes(self, everything: Followed) -> None:
        hops = everything.hops
        assert ("OrdersWorkerFunction", "Pack") in hops
        assert ("Pack", "Packed") in hops
        assert ("Packed", "SendQueue") in hops
        assert ("SendFunction", "Parcels") in hops


class TestAppSync:
    def test_one_trace_from_the_api_to_the_table(self, examples: Examples) -> None:
        graphql, trace_id = examples("GraphQl"), new_trace_id()
        outputs = graphql.pipeline.outputs
        query = "mutation Place($id: ID!, $amount: Float!) { placeOrder(id: $id, amount: $amount) { id } }"
        answer = _post(
            graphql,
            f"v1/apis/{outputs['ApiId']}/graphql",
            {"query": query, "variables": {"id": "queried", "amount": 1.5}},
            {"x-api-key": outputs["ApiKey"], "x-amzn-trace-id": f"Root={trace_id};Sampled=1"},
        )
        assert answer == {"data": {"placeOrder": {"id": "queried"}}}
        followed = whole_trace(graphql, trace_id, origin="AWS::AppSync::GraphQLAPI")
        assert followed.hops == [
            ("graphql-orders", "Publish"),
            ("Publish", "Orders"),
            ("Orders", "PlaceQueue"),
            ("PlaceQueue", "PlaceFunction"),
            ("PlaceFunction", "Placed"),
        ]
        assert followed.map.nodes[0].kind == "graphql"


class TestLoadBalancer:
    def test_one_trace_from_the_function_on_with_the_id_of_the_load_balancer(self, examples: Examples) -> None:
        balanced, root = examples("LoadBalancer"), new_trace_id()
        path = f"_alb/{balanced.pipeline.outputs['BalancerName']}/orders"
        assert _post(balanced, path, {"id": "balanced", "amount": 1}, {"x-amzn-trace-id": f"Root={root}"}) == {}
        item = wait_for(lambda: _items(balanced).get("balanced"), what="the order to be stored")
        followed = whole_trace(balanced, item["trace_id"]["S"], origin="AWS::Lambda")
        assert followed.hops == [
            ("Publish", "Orders"),
            ("Orders", "PlaceQueue"),
            ("PlaceQueue", "PlaceFunction"),
            ("PlaceFunction", "Placed"),
        ]
        annotated = [
            span["annotations"]["load_balancer_trace_id"]
            for document in followed.documents
            for span in _spans(document)
            if "load_balancer_trace_id" in span.get("annotations", {})
        ]
        assert annotated == [root]


class TestStraightToTopic:
    def test_one_trace_from_the_stage_without_a_function(self, examples: Examples) -> None:
        straight = examples("StraightToTopic")
        trace_id = new_trace_id()
        answer = straight.post({"id": "straight", "amount": 1}, trace=f"Root={trace_id};Sampled=1")
        assert answer.status == 202, answer.body
        assert whole_trace(straight, trace_id).hops == [
            ("Api/prod", "Orders"),
            ("Orders", "PlaceQueue"),
            ("PlaceQueue", "PlaceFunction"),
            ("PlaceFunction", "Placed"),
        ]


def _items(deployed: Deployed) -> dict[str, dict[str, Any]]:
    """The items of a stack's only table, by their ids."""
    items = deployed.client("dynamodb").scan(TableName=deployed.pipeline.table, ConsistentRead=True)["Items"]
    return {item["id"]["S"]: item for item in items}


def _post(deployed: Deployed, path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    facts = deployed.account.facts
    with urllib3.PoolManager(ca_certs=facts.ca_bundle) as pool:
        answer = pool.request("POST", f"{facts.endpoint}/{path}", json=body, headers=headers)
    return answer.json()


def _spans(document: Document) -> list[Document]:
    return [document, *(span for nested in document.get("subsegments", []) for span in _spans(nested))]
