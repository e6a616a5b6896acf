"""Dead-letter messages: who put them there, where they belong, and how they are resent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from traced_pipeline_cli.aws.read_errors import Reads
from traced_pipeline_cli.aws.stack import Pipeline
from traced_pipeline_cli.commands.failed import _facts
from traced_pipeline_cli.dead_letters.causes import Reason
from traced_pipeline_cli.dead_letters.message import Attribute, DeadLetterMessage, held
from traced_pipeline_cli.dead_letters.queues import DeadLetterQueue, dead_letter_queues
from traced_pipeline_cli.dead_letters.redrive import DuplicatedError, RedriveError, move_back, resend_message
from traced_pipeline_cli.render.json_dead_letters import failed_json

from .deployments import ACCOUNT, DEAD, QUEUE, SUBSCRIPTION, TOPIC, queue

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
FIFO = f"{QUEUE}.fifo"
PLACE = queue(DEAD, dead_letter_queue=None, attempts=None)
OF_LAMBDA = {
    "RequestID": Attribute(type="String", value="r-1"),
    "ErrorCode": Attribute(type="Number", value="200"),
    "ErrorMessage": Attribute(type="String", value="no id"),
}


def message(
    body: str = "{}", message_attributes: dict[str, Attribute] | None = None, **attributes: str
) -> DeadLetterMessage:
    return DeadLetterMessage(
        message_id="m-1",
        receipt="r-1",
        body=body,
        attributes={"SentTimestamp": "1700000000500", **attributes},
        message_attributes=message_attributes or {},
    )


@pytest.fixture
def sqs() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client("sqs", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="s")
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def test_who_put_a_letter_there() -> None:
    assert message(DeadLetterQueueSourceArn=QUEUE).origin == "queue"
    assert message().origin == "subscription"
    assert message(message_attributes={"ErrorMessage": OF_LAMBDA["ErrorMessage"]}).origin == "subscription"
    failed = message(message_attributes=OF_LAMBDA)
    assert (failed.origin, failed.error) == ("function", "no id")
    assert message(AWSTraceHeader=HEADER).trace_id == "1-5759e988-bd862e3fe1be46a994272793"
    assert message(AWSTraceHeader="Sampled=1").trace_id is None
    assert message().sent == 1_700_000_000.5


def test_where_a_letter_belongs() -> None:
    work, audit = queue(), queue(f"{QUEUE}-audit", attempts=5)
    other = f"arn:aws:sns:us-east-1:{ACCOUNT}:other"
    place = DeadLetterQueue(
        queue=PLACE,
        source_queues=(work, audit),
        subscriptions=(SUBSCRIPTION, replace(SUBSCRIPTION, topic=other, queue=audit.arn)),
        subscribed_queues={work.arn: work, audit.arn: audit},
    )
    assert place.source_queue_of(message(DeadLetterQueueSourceArn=audit.arn)) == audit
    assert place.attempts_of(message(DeadLetterQueueSourceArn=audit.arn)) == 5
    assert place.source_queue_of(message(DeadLetterQueueSourceArn="arn:of:another")) is None
    assert place.source_queue_of(message(json.dumps({"TopicArn": other}))) == audit
    assert place.source_queue_of(message(json.dumps({"TopicArn": TOPIC}))) == work
    assert place.source_queue_of(message("raw")) is None, "either could be meant"
    assert place.attempts_of(message("raw")) == 0
    single = replace(place, subscriptions=(SUBSCRIPTION,))
    assert single.source_queue_of(message("raw")) == work
    unsubscribed = replace(place, subscriptions=(), source_queues=(work,))
    assert unsubscribed.source_queue_of(message("raw", OF_LAMBDA)) == work
    assert unsubscribed.attempts_of(message("raw", OF_LAMBDA)) is None


def test_a_letter_is_sent_home_as_it_was_and_then_deleted(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    source_queue = queue()
    own = {"kind": Attribute(type="String", value="order"), "mark": Attribute(type="Binary", value=b"\x00")}
    sent = {
        "QueueUrl": source_queue.url,
        "MessageBody": "body",
        "MessageAttributes": {
            "kind": {"DataType": "String", "StringValue": "order"},
            "mark": {"DataType": "Binary", "BinaryValue": b"\x00"},
        },
        "MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": HEADER}},
    }
    stub.add_response("send_message", {}, sent)
    stub.add_response("delete_message", {}, {"QueueUrl": PLACE.url, "ReceiptHandle": "r-1"})
    resend_message(client, PLACE, message("body", {**own, **OF_LAMBDA}, AWSTraceHeader=HEADER), source_queue)


def test_a_fifo_queue_gets_the_group_and_an_id_it_has_not_seen(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    source_queue = queue(FIFO)
    sent = {
        "QueueUrl": source_queue.url,
        "MessageBody": "body",
        "MessageAttributes": {},
        "MessageGroupId": "customer-1",
        "MessageDeduplicationId": "redrive-m-1",
    }
    stub.add_response("send_message", {}, sent)
    stub.add_response("delete_message", {})
    resend_message(
        client, PLACE, message("body", MessageGroupId="customer-1", MessageDeduplicationId="d-1"), source_queue
    )


def test_a_fair_queue_gets_the_group_again(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    source_queue = queue()
    sent = {
        "QueueUrl": source_queue.url,
        "MessageBody": "body",
        "MessageAttributes": {},
        "MessageGroupId": "customer-1",
    }
    stub.add_response("send_message", {}, sent)
    stub.add_response("delete_message", {})
    resend_message(client, PLACE, message("body", MessageGroupId="customer-1"), source_queue)


def test_a_letter_that_cannot_be_sent_is_not_deleted(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    stub.add_client_error("send_message", "AccessDenied")
    with pytest.raises(client.exceptions.ClientError):
        resend_message(client, PLACE, message(), queue())


def test_a_letter_in_both_queues_is_said(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    stub.add_response("send_message", {})
    stub.add_client_error("delete_message", "AccessDenied")
    with pytest.raises(
        DuplicatedError,
        match=r"m-1 was sent to work, but could not be deleted from dead, .* permission sqs:DeleteMessage",
    ):
        resend_message(client, PLACE, message(), queue())


def test_a_move_task_is_waited_for_and_its_failure_said(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    seen: list[tuple[int, int]] = []
    stub.add_response("start_message_move_task", {}, {"SourceArn": DEAD})
    for status, moved in (("RUNNING", 1), ("COMPLETED", 2)):
        task = {"Status": status, "ApproximateNumberOfMessagesMoved": moved, "ApproximateNumberOfMessagesToMove": 2}
        stub.add_response("list_message_move_tasks", {"Results": [task]})
    move = move_back(client, PLACE, timeout=20, progress=lambda moved, wanted: seen.append((moved, wanted)))
    assert (move.status, move.moved, seen) == ("COMPLETED", 2, [(1, 2), (2, 2)])
    stub.add_response("start_message_move_task", {})
    task = {"Status": "FAILED", "FailureReason": "AccessDenied"}
    stub.add_response("list_message_move_tasks", {"Results": [task]})
    with pytest.raises(RedriveError, match="failed after 0 messages: AccessDenied"):
        move_back(client, PLACE, timeout=20)
    stub.add_response("start_message_move_task", {})
    stub.add_response("list_message_move_tasks", {"Results": [{"Status": "RUNNING"}]})
    assert move_back(client, PLACE, timeout=0).status == "RUNNING"


def test_letters_are_put_back_whatever_happens(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    messages = [{"MessageId": f"m-{number}", "ReceiptHandle": f"r-{number}", "Body": ""} for number in range(12)]
    stub.add_response("receive_message", {"Messages": messages[:10]})
    stub.add_response("receive_message", {"Messages": messages[10:]})
    stub.add_response("receive_message", {})
    for part in (messages[:10], messages[10:]):
        entries = [
            {"Id": str(index), "ReceiptHandle": one["ReceiptHandle"], "VisibilityTimeout": 0}
            for index, one in enumerate(part)
        ]
        answer: dict[str, list[Any]] = {"Successful": [], "Failed": []}
        stub.add_response("change_message_visibility_batch", answer, {"QueueUrl": PLACE.url, "Entries": entries})
    reads = Reads()

    def interrupted() -> None:
        with held(client, PLACE.url, limit=100, reads=reads) as messages:
            assert len(messages) == 12
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reads.unread == []


def pipeline(**changes: Any) -> Pipeline:
    """A stack with one queue."""
    nothing: dict[str, Any] = dict.fromkeys(
        ("api_url", "api_id", "stage", "api_path", "dead_letter_queue_url", "table")
    )
    lists: dict[str, Any] = {
        "functions": (),
        "topics": (),
        "queues": (PLACE.url,),
        "tables": (),
        "outputs": {},
        "apis": (),
    }
    return Pipeline(
        **{"stack": "S", "status": "CREATE_COMPLETE", "queue_url": PLACE.url, **nothing, **lists, **changes}
    )


@pytest.mark.parametrize("changes", [{}, {"queues": (), "dead_letter_queue_url": PLACE.url}])
def test_a_queue_that_could_not_be_read_is_not_taken_for_none(
    sqs: tuple[Any, Stubber], changes: dict[str, Any]
) -> None:
    client, stub = sqs
    stub.add_client_error("get_queue_attributes", "AccessDenied", "not authorized to perform: sqs:GetQueueAttributes")
    session: Any = SimpleNamespace(client=lambda _: client)
    found = dead_letter_queues(session, pipeline(**changes), Reads())
    assert (found.queues, found.complete) == ((), False)


def test_all_queues_are_read(sqs: tuple[Any, Stubber]) -> None:
    client, stub = sqs
    stub.add_response("get_queue_attributes", {"Attributes": {"QueueArn": DEAD}})
    session: Any = SimpleNamespace(client=lambda _: client)
    found = dead_letter_queues(session, pipeline(queues=(), dead_letter_queue_url=PLACE.url), Reads())
    assert ([place.queue.arn for place in found.queues], found.complete) == ([DEAD], True)


def test_no_age_is_negative_where_the_clock_is_behind() -> None:
    sent = message(DeadLetterQueueSourceArn=QUEUE)
    place = DeadLetterQueue(queue=PLACE, source_queues=(queue(),), subscriptions=(), subscribed_queues={})
    reasons = {sent.message_id: Reason(text="", evidence="none", traced=None)}
    found: Any = failed_json("S", [(place, [sent], reasons)], (), (), sent.sent - 100)
    assert found["queues"][0]["messages"][0]["age_seconds"] == 0
    assert "0.0 ms old" in _facts(place, sent, reasons[sent.message_id], sent.sent - 100)
