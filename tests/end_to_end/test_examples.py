"""The examples, deployed; in each, one request is followed to the end in one trace."""

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from tests.support.end_to_end.deployed import Deployed, Examples
from tests.support.end_to_end.following import Document, follow, start, whole_trace
from tests.support.waiting import wait_for


def test_together_they_are_as_quiet_as_each(examples: Examples) -> None:
    kinds = {
        entry["type"]
        for metadata in examples.assembly.glob("*.metadata.json")
        for entries in json.loads(metadata.read_text()).values()
        for entry in entries
    }
    assert "aws:cdk:templateFile" in kinds
    assert not kinds & {"aws:cdk:warning", "aws:cdk:error"}


def _count(deployed: Deployed, queue: str) -> int:
    asked = deployed.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]
    kinds = ("", "NotVisible", "Delayed")
    return sum(int(asked[f"ApproximateNumberOfMessages{kind}"]) for kind in kinds)


def _resource(names: tuple[str, ...], part: str) -> str:
    found = [name for name in names if part in name]
    assert len(found) == 1, f"{part} in {names}"
    return found[0]


def _ran(deployed: Deployed, function: str) -> bool:
    """Whether a function was ever invoked: then it has a log stream."""
    logs = deployed.client("logs")
    name = _resource(deployed.pipeline.functions, function)
    config = deployed.client("lambda").get_function_configuration(FunctionName=name)
    streams = logs.describe_log_streams(logGroupName=config["LoggingConfig"]["LogGroup"])["logStreams"]
    return bool(streams)


class TestFifo:
    def test_one_trace(self, examples: Examples) -> None:
        fifo = examples("Fifo")
        topic = fifo.pipeline.topics[0].rsplit(":", 1)[-1]
        assert topic.endswith(".fifo")
        assert follow(fifo, {"id": "first", "amount": 1}).hops == [
            ("Fifo-Orders/prod", "OrdersIngestFunction"),
            ("OrdersIngestFunction", topic),
            (topic, "OrdersWorkerQueue"),
            ("OrdersWorkerQueue", "OrdersWorkerFunction"),
            ("OrdersWorkerFunction", "OrdersTable"),
        ]

    def test_what_is_sent_about_one_order_keeps_its_order_and_its_group(self, examples: Examples) -> None:
        fifo = examples("Fifo")
        seen = _subscribed(fifo, fifo.pipeline.topics[0])
        sent = [start(fifo, {"id": "order 7", "amount": amount}) for amount in range(4)]
        traces = [whole_trace(fifo, trace_id) for trace_id in sent]
        times = [(d["start_time"], d["end_time"]) for d in (trace.segment("WorkerFunction") for trace in traces)]
        assert all(before[1] <= after[0] for before, after in pairwise(times))
        messages = seen(4)
        assert [json.loads(message["Body"])["amount"] for message in messages] == [0, 1, 2, 3]
        # A space is no part of a group's name, so that it is made of the id.
        groups = {message["Attributes"]["MessageGroupId"] for message in messages}
        assert len(groups) == 1
        assert " " not in groups.pop()

    def test_different_orders_have_different_groups(self, examples: Examples) -> None:
        fifo = examples("Fifo")
        seen = _subscribed(fifo, fifo.pipeline.topics[0])
        for order in ("a", "b"):
            follow(fifo, {"id": order, "amount": 1})
        assert [message["Attributes"]["MessageGroupId"] for message in seen(2)] == ["a", "b"]


def _subscribed(deployed: Deployed, topic: str) -> Callable[[int], list[dict[str, Any]]]:
    """A FIFO queue of the test's own behind a topic; gives its next messages, in order."""
    sqs = deployed.client("sqs")
    name = f"seen-{len(sqs.list_queues().get('QueueUrls', []))}.fifo"
    url = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    deployed.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    found: list[dict[str, Any]] = []

    def messages(count: int) -> list[dict[str, Any]]:
        def enough() -> bool:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"])
            for message in answer.get("Messages", []):
                found.append(message)
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return len(found) >= count

        wait_for(enough, what=f"{count} messages")
        return found

    return messages


class TestFanOut:
    TO_THE_TOPIC = (("FanOut-Orders/prod", "OrdersIngestFunction"), ("OrdersIngestFunction", "OrdersTopic"))
    FIRST_BRANCH = (
        ("OrdersTopic", "OrdersWorkerQueue"),
        ("OrdersWorkerQueue", "OrdersWorkerFunction"),
        ("OrdersWorkerFunction", "OrdersTable"),
    )

    def test_what_is_filtered_out_reaches_nobody(self, examples: Examples) -> None:
        fan_out = examples("FanOut")
        small = follow(fan_out, {"id": "small", "amount": 5})
        # Filter criteria work behind the queue, a filter policy before it.
        assert set(small.hops) == {*self.TO_THE_TOPIC, *self.FIRST_BRANCH, ("OrdersTopic", "OrdersRushQueue")}
        rush = _resource(fan_out.pipeline.queues, "RushQueue")
        wait_for(lambda: _count(fan_out, rush) == 0, what="Lambda to drop the message")
        assert _count(fan_out, _resource(fan_out.pipeline.queues, "LargeQueue")) == 0
        assert not _ran(fan_out, "LargeFunction")
        assert not _ran(fan_out, "RushFunction")
        assert _ran(fan_out, "WorkerFunction")

    def test_every_branch_is_in_the_one_trace(self, examples: Examples) -> None:
        large = follow(examples("FanOut"), {"id": "large", "amount": 5000, "priority": "rush"}, tables=3)
        branches = {
            hop
            for name in ("Large", "Rush")
            for hop in (
                ("OrdersTopic", f"Orders{name}Queue"),
                (f"Orders{name}Queue", f"Orders{name}Function"),
                (f"Orders{name}Function", f"{name}Orders"),
            )
        }
        assert set(large.hops) == {*self.TO_THE_TOPIC, *self.FIRST_BRANCH, *branches}


class TestChain:
    def test_one_trace_over_both_pipelines(self, examples: Examples) -> None:
        chain = follow(examples("Ordering"), {"id": "far", "amount": 1}, tables=2)
        way = [
            "Ordering-Orders/prod",
            "OrdersIngestFunction",
            "OrdersTopic",
            "OrdersWorkerQueue",
            "OrdersWorkerFunction",
            "Shipments",
            "ShipQueue",
            "ShipFunction",
            "Shipped",
        ]
        assert set(chain.hops) == {*pairwise(way), ("OrdersWorkerFunction", "OrdersTable")}
        starts = {node.name: index for index, node in enumerate(chain.map.nodes)}
        positions = [next(starts[name] for name in starts if part in name) for part in way]
        assert positions == sorted(positions)

    def test_the_last_item_carries_the_trace_id_of_the_request(self, examples: Examples) -> None:
        chain = follow(examples("Ordering"), {"id": "carried", "amount": 1}, tables=2)
        shipped = examples("Shipping")
        assert shipped.item("carried")["trace_id"]["S"] == chain.trace_id  # type: ignore[index]


class TestBringYourOwn:
    def test_one_trace(self, examples: Examples) -> None:
        shop = examples("Shop")
        followed = follow(shop, {"id": "mine", "amount": 1.5})
        assert followed.hops == [
            ("Shop-Pipeline/prod", "PipelineIngestFunction"),
            ("PipelineIngestFunction", "platform-orders"),
            ("platform-orders", "Work"),
            ("Work", "Ship"),
            ("Ship", "platform-shipments"),
        ]
        item = shop.client("dynamodb").get_item(TableName="platform-shipments", Key={"id": {"S": "mine"}})["Item"]
        assert (item["state"]["S"], item["trace_id"]["S"]) == ("shipped", followed.trace_id)


class TestCustomerKeys:
    def test_one_trace(self, examples: Examples) -> None:
        assert follow(examples("CustomerKeys"), {"id": "secret", "amount": 1}).hops == [
            ("CustomerKeys-Orders/prod", "OrdersIngestFunction"),
            ("OrdersIngestFunction", "OrdersTopic"),
            ("OrdersTopic", "OrdersWorkerQueue"),
            ("OrdersWorkerQueue", "OrdersWorkerFunction"),
            ("OrdersWorkerFunction", "OrdersTable"),
        ]

    def test_everything_that_keeps_data_has_a_key(self, examples: Examples) -> None:
        keys = examples("CustomerKeys")
        topic = keys.client("sns").get_topic_attributes(TopicArn=keys.pipeline.topics[0])["Attributes"]
        queues = [
            keys.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            for url in keys.pipeline.queues
        ]
        groups = keys.client("logs").describe_log_groups()["logGroups"]
        own = [group for group in groups if "CustomerKeys" in group["logGroupName"]]
        assert len(own) == 3
        assert len({queue["KmsMasterKeyId"] for queue in queues}) == 1
        assert len({group["kmsKeyId"] for group in own}) == 1
        assert topic["KmsMasterKeyId"] == queues[0]["KmsMasterKeyId"] != own[0]["kmsKeyId"]


class TestOwnHandler:
    def test_its_own_code_ends_the_one_trace(self, examples: Examples) -> None:
        own = examples("OwnHandler")
        followed = follow(own, {"id": "priced", "amount": 2})
        assert followed.hops[-1] == ("OrdersWorkerFunction", "OrdersTable")
        item = own.item("priced")
        assert item is not None
        assert (item["total"]["N"], item["trace_id"]["S"]) == ("2.38", followed.trace_id)


class TestWorkerModes:
    def test_every_mode_goes_on_in_the_one_trace(self, examples: Examples) -> None:
        modes = examples("WorkerModes")
        followed = follow(modes, {"id": "thrice", "amount": 1}, tables=3)
        ends = {"Worker": "OrdersTable", "Audit": "AuditLog", "Linked": "Copies"}
        assert set(followed.hops) == {
            ("WorkerModes-Orders/prod", "OrdersIngestFunction"),
            ("OrdersIngestFunction", "OrdersTopic"),
            *(
                hop
                for name, table in ends.items()
                for hop in (
                    ("OrdersTopic", f"Orders{name}Queue"),
                    (f"Orders{name}Queue", f"Orders{name}Function"),
                    (f"Orders{name}Function", table),
                )
            ),
        }
        table = _resource(modes.pipeline.tables, "AuditLog")
        assert "Item" in modes.client("dynamodb").get_item(TableName=table, Key={"id": {"S": "thrice"}})

    def test_a_linked_worker_keeps_lambdas_own_trace(self, examples: Examples) -> None:
        modes = examples("WorkerModes")
        followed = follow(modes, {"id": "linked", "amount": 1}, tables=3)
        own = followed.segment("LinkedFunction")["metadata"]["trace_bridge"]["invocation_trace_id"]
        assert own != followed.trace_id

        def service() -> Document | None:
            return next((d for d in modes.documents(own) if d.get("origin") == "AWS::Lambda"), None)

        links = wait_for(service, what="Lambda's own trace").get("links", [])
        assert followed.trace_id in {link["trace_id"] for link in links}
        continued = followed.segment("WorkerFunction")["metadata"]["trace_bridge"]
        assert modes.documents(continued["invocation_trace_id"]) == []
