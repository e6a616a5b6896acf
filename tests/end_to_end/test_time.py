"""Messages that take long: none is lost, whatever batch size and time-out make of them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from traced_pipeline_cli.aws.http import new_trace_id

from tests.support.end_to_end.copies import Copies, Resources, command, find
from tests.support.end_to_end.deployed import Deployed
from tests.support.waiting import wait_for

TIME_OUT = 3
SLOW = 0.9
MANY = 60
BATCH_SIZES = (2, 10)
PARENT = "53995c3f42cd8ad8"
CODE = """
import os, time
from decimal import Decimal
import boto3
from trace_bridge import Message, sqs_handler
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
@sqs_handler
def handler(message: Message) -> None:
    item = message.json(parse_float=Decimal)
    time.sleep(float(item["seconds"]))
    table.put_item(Item=item)
"""


@dataclass(frozen=True, kw_only=True)
class Sleepers:
    """A stack whose worker sleeps as long as each message says."""

    deployed: Deployed
    stack: str
    outputs: dict[str, str]

    def send(self, ids: Sequence[str], seconds: float) -> dict[str, str]:
        """Puts messages into the queue; gives their trace ids by their ids."""
        sqs, traces = self.deployed.client("sqs"), {item_id: new_trace_id() for item_id in ids}
        entries = [
            {
                "Id": item_id,
                "MessageBody": json.dumps({"id": item_id, "seconds": seconds}),
                "MessageSystemAttributes": {
                    "AWSTraceHeader": {
                        "DataType": "String",
                        "StringValue": f"Root={trace_id};Parent={PARENT};Sampled=1",
                    }
                },
            }
            for item_id, trace_id in traces.items()
        ]
        for start in range(0, len(entries), 10):
            sent = sqs.send_message_batch(QueueUrl=self.outputs["QueueUrl"], Entries=entries[start : start + 10])
            assert not sent.get("Failed")
        return traces

    def stored(self) -> set[str]:
        pages = self.deployed.client("dynamodb").get_paginator("scan").paginate(TableName=self.outputs["TableName"])
        return {item["id"]["S"] for page in pages for item in page["Items"]}

    def dead(self) -> int:
        asked = self.deployed.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["DeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])

    def reasons(self) -> dict[str, str]:
        """Why messages are dead, by their ids."""
        [queue] = command(self.deployed, "failed", self.stack, "--json").json()["queues"]
        return {json.loads(message["body"])["id"]: message["reason"] for message in queue["messages"]}

    def with_finished_worker(self, traces: Iterable[str]) -> set[str]:
        """Those of the traces that have a finished segment of the worker."""
        return {trace for trace in traces if any("end_time" in segment for segment in self.workers(trace))}

    def workers(self, trace_id: str) -> list[dict[str, Any]]:
        """The worker's segments in a trace."""
        documents = self.deployed.documents(trace_id)
        return [document for document in documents if "WorkerFunction" in document["name"]]


def _sleepers(copies: Copies, batch_size: int) -> Sleepers:
    def alter(resources: Resources) -> None:
        worker = find(resources, "AWS::Lambda::Function", "WorkerFunction")
        worker.update(Code={"ZipFile": CODE}, Handler="index.handler", Timeout=TIME_OUT)
        worker["Environment"]["Variables"]["TRACE_BRIDGE_IN_PROGRESS"] = "true"
        # Not six times the time-out, which is only a longer wait here.
        find(resources, "AWS::SQS::Queue", "WorkerQueue")["VisibilityTimeout"] = TIME_OUT + 1
        find(resources, "AWS::Lambda::EventSourceMapping", "Worker")["BatchSize"] = batch_size

    stack = f"Batch{batch_size}"
    return Sleepers(deployed=copies.original, stack=stack, outputs=copies.deploy(stack, alter))


@pytest.fixture(scope="module")
def slow(copies: Copies) -> dict[int, tuple[Sleepers, dict[str, str]]]:
    """A stack for each batch size, with the slow messages it was sent; they all sleep at the same time."""
    stacks = {batch_size: _sleepers(copies, batch_size) for batch_size in BATCH_SIZES}
    ids = [f"slow-{number}" for number in range(MANY)]
    return {batch_size: (sleepers, sleepers.send(ids, SLOW)) for batch_size, sleepers in stacks.items()}


@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_slow_messages_are_done_or_dead_with_the_reason_and_quick_ones_keep_their_segments(
    slow: dict[int, tuple[Sleepers, dict[str, str]]], batch_size: int
) -> None:
    sleepers, sent = slow[batch_size]
    wait_for(
        lambda: len(sleepers.stored() & sent.keys()) + sleepers.dead() >= MANY, what="the slow messages", seconds=600
    )
    reasons = sleepers.reasons()
    assert sleepers.stored() | reasons.keys() == sent.keys(), "none is lost"
    assert all(reason.startswith("never begun: ") for reason in reasons.values()), reasons
    if batch_size * SLOW < TIME_OUT:
        assert reasons == {}, "batch size and time-out fit the messages"

    quick = sleepers.send([f"quick-{number}" for number in range(MANY)], 0)
    wait_for(lambda: quick.keys() <= sleepers.stored(), what="the quick messages", seconds=300)
    without = set(quick.values())

    def recorded() -> bool:
        without.difference_update(sleepers.with_finished_worker(without))
        return not without

    wait_for(recorded, what="a segment of each quick message")

    [late] = sleepers.send(["late"], 10 * TIME_OUT).values()
    wait_for(lambda: any(segment.get("in_progress") for segment in sleepers.workers(late)), what="the message cut off")
