"""`traced-pipeline failed` and `redrive`, with a worker that fails and is then put right."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from traced_pipeline_cli.aws.http import new_trace_id

from tests.support.end_to_end.copies import Copies, Ran, Resources, command, find
from tests.support.end_to_end.deployed import Deployed
from tests.support.waiting import wait_for

STACK = "Failing"
DENIED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}],
}
BODY = {"customer": "Ann", "amount": 2}
# How long the worker has a message: briefly where it fails, so that the message is soon a dead-letter message, and
# long where it has to get through before the queue takes the message back.
FAILING_SECONDS = 2
WORKING_SECONDS = 180


def _failing(resources: Resources) -> None:
    """The worker may not write, and its messages are dead-letter messages after one attempt."""
    role = find(resources, "AWS::IAM::Role", "WorkerFunction")
    role["Policies"].append({"PolicyName": "Denied", "PolicyDocument": DENIED})
    queue = find(resources, "AWS::SQS::Queue", "WorkerQueue")
    queue["VisibilityTimeout"] = FAILING_SECONDS
    queue["RedrivePolicy"]["maxReceiveCount"] = 1


@dataclass(frozen=True, kw_only=True)
class Failing:
    """The stack, and what is asked of it."""

    deployed: Deployed
    outputs: dict[str, str]

    def command(self, *arguments: str, **options: Any) -> Ran:
        return command(self.deployed, *arguments, **options)

    def send(self, item_id: str) -> str:
        """Post an item; gives its trace id."""
        sent = self.command("send", STACK, "--sampled", "--json", "--body", json.dumps({"id": item_id, **BODY}))
        [answer] = sent.json()["answers"]
        assert answer["status"] == 202, sent
        return str(answer["trace_id"])

    def undelivered(self, item_id: str, trace_id: str) -> None:
        """Put a message where SNS puts what it cannot deliver: without the mark of a queue, with the trace header."""
        header = f"Root={trace_id};Parent=53995c3f42cd8ad8;Sampled=1"
        self.deployed.client("sqs").send_message(
            QueueUrl=self.outputs["DeadLetterQueueUrl"],
            MessageBody=json.dumps({"id": item_id, **BODY}),
            MessageAttributes={
                "kind": {"DataType": "String", "StringValue": "order"},
                "mark": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
            },
            MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": header}},
        )

    def waiting(self) -> int:
        """How many dead-letter messages are visible."""
        asked = self.deployed.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs["DeadLetterQueueUrl"], AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(asked["Attributes"]["ApproximateNumberOfMessages"])

    def send_and_fail(self, item_id: str) -> str:
        """Posts an item and waits until it has failed and is a dead-letter message; returns its trace id."""
        trace_id = self.send(item_id)
        wait_for(lambda: any("end_time" in segment for segment in self.attempts(trace_id)), what="the failed attempt")
        wait_for(lambda: self.waiting() == 1, what="the dead-letter message")
        return trace_id

    def mend(self) -> None:
        """Lets the worker write, and gives it time."""
        self._set_visibility_timeout(WORKING_SECONDS)
        self.deployed.client("iam").delete_role_policy(RoleName=self._role(), PolicyName="Denied")

    def spoil(self) -> None:
        """Undoes `mend`."""
        self._set_visibility_timeout(FAILING_SECONDS)
        self.deployed.client("iam").put_role_policy(
            RoleName=self._role(), PolicyName="Denied", PolicyDocument=json.dumps(DENIED)
        )

    def _set_visibility_timeout(self, seconds: int) -> None:
        self.deployed.client("sqs").set_queue_attributes(
            QueueUrl=self.outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(seconds)}
        )

    def _role(self) -> str:
        roles = self.deployed.client("iam").list_roles()["Roles"]
        return next(str(role["RoleName"]) for role in roles if role["RoleName"].startswith(f"{STACK}-OrdersWorker"))

    def item(self, item_id: str) -> Any:
        found = self.deployed.client("dynamodb").get_item(
            TableName=self.outputs["TableName"], Key={"id": {"S": item_id}}, ConsistentRead=True
        )
        return found.get("Item")

    def attempts(self, trace_id: str) -> list[dict[str, Any]]:
        """The worker's segments in a trace, in order of time."""
        workers = [one for one in self.deployed.documents(trace_id) if "WorkerFunction" in one["name"]]
        return sorted(workers, key=lambda document: document["start_time"])


@pytest.fixture(scope="module")
def stack(bridged: Deployed, copies: Copies) -> Failing:
    return Failing(deployed=bridged, outputs=copies.deploy(STACK, _failing))


@pytest.fixture
def failing(stack: Failing) -> Iterator[Failing]:
    """The stack with a failing worker and without messages, before and after."""
    yield stack
    stack.deployed.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    stack.spoil()


def test_nothing_failed_and_nothing_to_redrive(failing: Failing) -> None:
    ran = failing.command("failed", STACK)
    assert (ran.status, ran.out) == (0, "OrdersWorkerDeadLetterQueue: 0 dead-letter messages\n")
    ran = failing.command("redrive", STACK, "--yes")
    assert ran.status == 3
    assert ran.err == f"traced-pipeline: The stack {STACK} has no dead-letter messages: there is nothing to redrive.\n"
    ran = failing.command("redrive", "Nope")
    assert ran.status == 3
    assert "There is no stack 'Nope'" in ran.err


def _retrying(resources: Resources) -> None:
    """The worker may not write, and its messages are tried again after three minutes."""
    _failing(resources)
    queue = find(resources, "AWS::SQS::Queue", "WorkerQueue")
    queue["VisibilityTimeout"] = 180
    queue["RedrivePolicy"]["maxReceiveCount"] = 3


def test_what_is_still_retried_is_said_instead_of_nothing(bridged: Deployed, copies: Copies) -> None:
    copies.deploy("Retrying", _retrying)
    sent = command(bridged, "send", "Retrying", "--body", json.dumps({"id": "retried-1", **BODY}))
    assert sent.status == 0, sent

    def retried() -> Any:
        ran = command(bridged, "failed", "Retrying")
        assert ran.status == 0, ran
        return ran.out if "OrdersWorkerQueue: " in ran.out else None

    shown = wait_for(retried, what="a message that is retried")
    assert "OrdersWorkerDeadLetterQueue: 0 dead-letter messages" in shown
    assert "OrdersWorkerQueue: 1 in flight, next attempt within 180 s" in shown
    [queue] = command(bridged, "failed", "Retrying", "--json").json()["source_queues"]
    assert (queue["in_flight"], queue["visibility_timeout_seconds"]) == (1, 180)


def test_messages_that_another_reader_holds_are_not_taken_for_none(failing: Failing) -> None:
    failing.undelivered("held-1", new_trace_id())
    queue, client = failing.outputs["DeadLetterQueueUrl"], failing.deployed.client("sqs")
    [held] = client.receive_message(QueueUrl=queue, VisibilityTimeout=600)["Messages"]
    ran = failing.command("redrive", STACK, "--yes")
    assert ran.status == 1
    assert "Nothing was moved. 1 dead-letter message of OrdersWorkerDeadLetterQueue cannot be read now" in ran.err
    assert "cannot be read now" in failing.command("failed", STACK).out
    client.change_message_visibility(QueueUrl=queue, ReceiptHandle=held["ReceiptHandle"], VisibilityTimeout=0)
    assert "held-1" in failing.command("failed", STACK).out


def test_messages_are_listed_with_trace_attempts_and_reason_and_stay(failing: Failing) -> None:
    began = time.time()
    trace_id, lost = failing.send_and_fail("listed-1"), new_trace_id()
    failing.undelivered("listed-2", lost)
    ran = failing.command("failed", STACK, "--json")
    assert failing.waiting() == 2, "what was looked at is visible again at once"
    [queue] = ran.json()["queues"]
    messages = {json.loads(message["body"])["id"]: message for message in queue["messages"]}
    worked, undelivered = messages["listed-1"], messages["listed-2"]
    assert worked["trace_id"] == trace_id
    assert worked["traced"] is True
    assert worked["origin"] == "queue"
    assert worked["attempts"] == 1
    assert worked["evidence"] == "trace"
    assert "AccessDeniedException" in worked["reason"]
    assert 0 < worked["age_seconds"] < time.time() - began + 1
    assert 60 < worked["kept_seconds"] < 14 * 86_400
    assert undelivered["trace_id"] == lost
    assert undelivered["traced"] is False
    assert undelivered["origin"] == "subscription"
    assert undelivered["attempts"] == 0
    assert "SNS could not deliver it" in undelivered["reason"]
    assert ran.json()["unread"] == []

    shown = failing.command("failed", STACK).out
    assert "2 dead-letter messages" in shown
    assert f"trace {trace_id} · from the queue OrdersWorkerQueue · 1 attempt · " in shown
    assert f"trace {lost} (not recorded) · not delivered by SNS" in shown
    assert failing.waiting() == 2


def test_the_reason_of_an_unrecorded_message_is_in_the_log(failing: Failing) -> None:
    body = json.dumps({"id": "logged-1", **BODY})
    header = f"Root={new_trace_id()};Sampled=0"
    assert failing.command("send", STACK, "--trace-header", header, "--body", body).status == 0

    def logged() -> Any:
        [queue] = failing.command("failed", STACK, "--json").json()["queues"]
        return next((message for message in queue["messages"] if message["evidence"] == "log"), None)

    message = wait_for(logged, what="the reason in the log")
    assert failing.waiting() == 1
    assert message["traced"] is False
    assert message["reason"].startswith("ClientError: An error occurred (AccessDeniedException)")


@pytest.mark.parametrize("options", [[], ["--resend"]])
def test_redriven_messages_arrive_and_their_traces_go_on(failing: Failing, options: list[str]) -> None:
    suffix = "moved" if not options else "sent"
    ids = [f"worked-{suffix}", f"undelivered-{suffix}"]
    traces = [failing.send_and_fail(ids[0]), new_trace_id()]
    failing.undelivered(ids[1], traces[1])
    failing.mend()

    ran = failing.command("redrive", STACK, "--yes", "--json", *options)
    assert ran.status == 0, ran
    [queue] = ran.json()["queues"]
    assert (queue["moved"], queue["resent"]) == ((0, 2) if options else (1, 1))
    assert set(queue["trace_ids"]) == set(traces)
    assert failing.waiting() == 0
    for item_id, trace_id in zip(ids, traces, strict=True):
        item = wait_for(partial(failing.item, item_id), what=f"the item {item_id}")
        assert item["trace_id"]["S"] == trace_id
    wait_for(lambda: len(failing.attempts(traces[0])) == 2, what="the second attempt in the trace")
    first, again = failing.attempts(traces[0])
    assert first["fault"] is True
    assert "fault" not in again
    assert first["parent_id"] == again["parent_id"]
    [worker] = wait_for(lambda: failing.attempts(traces[1]), what="the worker in the lost message's trace")
    assert worker["parent_id"] == "53995c3f42cd8ad8"


def test_the_senders_attributes_travel_along(failing: Failing) -> None:
    mapping = failing.deployed.client("lambda").list_event_source_mappings(
        EventSourceArn=failing.deployed.client("sqs").get_queue_attributes(
            QueueUrl=failing.outputs["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
    )["EventSourceMappings"][0]["UUID"]
    functions, sqs = failing.deployed.client("lambda"), failing.deployed.client("sqs")
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        failing.undelivered("attributes-1", new_trace_id())
        assert failing.command("redrive", STACK, "--yes").status == 0
        [message] = sqs.receive_message(
            QueueUrl=failing.outputs["QueueUrl"], MessageAttributeNames=["All"], WaitTimeSeconds=20
        )["Messages"]
        attributes = message["MessageAttributes"]
        assert attributes["kind"] == {"DataType": "String", "StringValue": "order"}
        assert attributes["mark"] == {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
        sqs.delete_message(QueueUrl=failing.outputs["QueueUrl"], ReceiptHandle=message["ReceiptHandle"])
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)


def test_it_asks_first(failing: Failing) -> None:
    failing.mend()
    failing.undelivered("asked-1", new_trace_id())
    ran = failing.command("redrive", STACK)
    assert ran.status == 1
    assert "1 message to be resent to OrdersWorkerQueue and deleted here." in ran.err
    assert "there is no terminal to ask at" in ran.err
    for answer, status, left in ((b"n\n", 1, 1), (b"y\n", 0, 0)):
        terminal, theirs = os.openpty()
        try:
            os.write(terminal, answer)
            assert failing.command("redrive", STACK, stdin=theirs).status == status
        finally:
            os.close(theirs)
            os.close(terminal)
        assert failing.waiting() == left
    wait_for(lambda: failing.item("asked-1"), what="the item")


def test_what_may_not_be_looked_at_is_said(failing: Failing) -> None:
    failing.undelivered("denied-1", new_trace_id())
    iam = failing.deployed.client("iam")
    iam.create_user(UserName="postman")
    allowed = ["cloudformation:*", "apigateway:GET", "sns:*", "sqs:Get*", "sqs:ReceiveMessage"]
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": allowed, "Resource": "*"}]}
    iam.put_user_policy(UserName="postman", PolicyName="look", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="postman")["AccessKey"]
    environment = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    ran = failing.command("failed", STACK, "--json", environment=environment)
    assert ran.status == 0, ran
    assert len(ran.json()["queues"][0]["messages"]) == 1
    reasons = " ".join(unread["reason"] for unread in ran.json()["unread"])
    assert "need the permission xray:BatchGetTraces" in reasons
    assert "need the permission sqs:ChangeMessageVisibility" in reasons
