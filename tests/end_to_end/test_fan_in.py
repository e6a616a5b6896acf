"""Two topics into one queue, large messages and message groups, and a worker on the dead-letter queue."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.support.end_to_end.copies import command
from tests.support.end_to_end.deployed import Deployed, Examples
from tests.support.end_to_end.following import Followed, start, whole_trace
from tests.support.waiting import wait_for

# Of the message, not of the body: the handlers add nothing to it.
LARGE = 300 * 1024
BEHIND_THE_QUEUE = [
    ("OrdersWorkerQueue", "OrdersWorkerFunction"),
    ("OrdersWorkerFunction", "Invoices"),
    ("Invoices", "InvoiceQueue"),
    ("InvoiceQueue", "InvoiceFunction"),
    ("InvoiceFunction", "Billed"),
]


@pytest.fixture(scope="module")
def fan_in(examples: Examples) -> Deployed:
    return examples("FanIn")


def resource(names: tuple[str, ...], part: str) -> str:
    fitting = [name for name in names if part in name]
    assert len(fitting) == 1, f"{part} in {names}"
    return fitting[0]


def item(deployed: Deployed, table: str, item_id: str) -> Any:
    name = resource(deployed.pipeline.tables, table)
    answer = deployed.client("dynamodb").get_item(TableName=name, Key={"id": {"S": item_id}}, ConsistentRead=True)
    return answer.get("Item")


def by_route(deployed: Deployed, route: str) -> Deployed:
    url = str(deployed.pipeline.api_url)
    return replace(deployed, pipeline=replace(deployed.pipeline, api_url=f"{url.rpartition('/')[0]}/{route}"))


class TestFanIn:
    def test_a_large_order_is_billed_in_one_trace(self, fan_in: Deployed) -> None:
        orders = by_route(fan_in, "orders")
        body = {"id": "large", "customer": "ann", "amount": 7, "text": "x" * LARGE}
        followed = whole_trace(fan_in, start(orders, body))
        assert set(followed.hops) == {
            ("FanIn-Orders/prod", "OrdersIngestFunction"),
            ("OrdersIngestFunction", "OrdersTopic"),
            ("OrdersTopic", "OrdersWorkerQueue"),
            *BEHIND_THE_QUEUE,
        }
        billed = item(fan_in, "Billed", "large")
        assert billed["trace_id"]["S"] == followed.trace_id
        # The group came from the request's body, by the topic and the queue.
        assert billed["data"]["M"]["customer"]["S"] == "ann"

    def test_a_refund_comes_by_another_topic_into_the_same_queue(self, fan_in: Deployed) -> None:
        refunds = by_route(fan_in, "refunds")
        followed = whole_trace(fan_in, start(refunds, {"id": "refund", "customer": "bob", "amount": -7}))
        assert set(followed.hops) == {
            ("FanIn-Orders/prod", "ReturnsFunction"),
            ("ReturnsFunction", "Refunds"),
            ("Refunds", "OrdersWorkerQueue"),
            *BEHIND_THE_QUEUE,
        }

    def test_what_the_topic_does_not_take_is_named(self, fan_in: Deployed) -> None:
        refunds, orders = by_route(fan_in, "refunds"), by_route(fan_in, "orders")
        body = {"id": "much", "customer": "bob", "text": "x" * LARGE}
        answer = refunds.post(body)
        assert (answer.status, "at most 262144 are taken" in str(answer.body)) == (413, True)
        answer = orders.post({**body, "text": "x" * 409_600})
        # The topic takes more, an item of the table does not.
        assert (answer.status, "at most 407552 are taken" in str(answer.body)) == (413, True)


@pytest.fixture
def impatient(fan_in: Deployed) -> Iterator[Deployed]:
    """The stack with queues that give a message one attempt, and soon."""
    sqs = fan_in.client("sqs")
    before = {}
    for part in ("OrdersWorkerQueue", "OrdersWorkerDeadLetterQueue"):
        url = resource(fan_in.pipeline.queues, part)
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        before[url] = {name: attributes[name] for name in ("VisibilityTimeout", "RedrivePolicy")}
        policy = {**json.loads(attributes["RedrivePolicy"]), "maxReceiveCount": 1}
        sqs.set_queue_attributes(
            QueueUrl=url, Attributes={"VisibilityTimeout": "2", "RedrivePolicy": json.dumps(policy)}
        )
    yield fan_in
    for url, attributes in before.items():
        sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def pause_repairs(deployed: Deployed, *, paused: bool) -> None:
    functions = deployed.client("lambda")
    name = resource(deployed.pipeline.functions, "Repair")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    variables = {key: value for key, value in variables.items() if key != "PAUSED"}
    if paused:
        variables["PAUSED"] = "yes"
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def repaired(deployed: Deployed, trace_id: str) -> Followed:
    """The trace of a message that was repaired in the end; it must be one whole."""
    return whole_trace(deployed, trace_id)


class TestDeadLetterWorker:
    def test_what_failed_is_repaired_in_the_one_trace(self, impatient: Deployed) -> None:
        trace_id = start(by_route(impatient, "orders"), {"id": "poor", "customer": "ann"})
        followed = repaired(impatient, trace_id)
        assert item(impatient, "Unbilled", "poor")["trace_id"]["S"] == trace_id
        assert followed.segment("OrdersWorkerFunction")["fault"] is True
        assert "fault" not in followed.segment("RepairFunction")
        assert ("OrdersWorkerRepairFunction", "Unbilled") in followed.hops

    def test_what_failed_there_too_is_redriven_in_the_one_trace(self, impatient: Deployed) -> None:
        pause_repairs(impatient, paused=True)
        trace_id = start(by_route(impatient, "orders"), {"id": "poorer", "customer": "ann"})
        further = resource(impatient.pipeline.queues, "RepairDeadLetterQueue")
        sqs = impatient.client("sqs")

        def waiting() -> bool:
            asked = sqs.get_queue_attributes(QueueUrl=further, AttributeNames=["ApproximateNumberOfMessages"])
            return int(asked["Attributes"]["ApproximateNumberOfMessages"]) == 1

        wait_for(waiting, what="the message that could not be repaired")
        failed = command(impatient, "failed", "FanIn", "--json").json()
        [message] = [m for queue in failed["queues"] for m in queue["messages"] if m["trace_id"] == trace_id]
        assert "repairs are paused" in message["reason"]
        pause_repairs(impatient, paused=False)
        ran = command(impatient, "redrive", "FanIn", "--yes")
        assert ran.status == 0, ran
        wait_for(lambda: item(impatient, "Unbilled", "poorer"), what="the repaired item")
        followed = repaired(impatient, trace_id)
        attempts = [d for d in followed.documents if "RepairFunction" in d["name"] and "annotations" in d]
        assert [bool(d.get("fault")) for d in sorted(attempts, key=lambda d: d["start_time"])] == [True, False]
