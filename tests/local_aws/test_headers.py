"""The tracing header, hop by hop: who takes it, who propagates it, who refuses it, and what it outlives."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.functions import invoke
from tests.support.local_aws.tracing import PARENT, ROOT, SAMPLED, fields, receive

OTHER = f"Root={ROOT};Sampled=0"
MALFORMED = ["Root=dummy;Parent=53995c3f42cd8ad8;Sampled=0", "Sampled=1", "nonsense", f"Root={ROOT};Parent=xyz"]


def attribute(header: str) -> dict[str, Any]:
    return {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}


def take(aws: Account, url: str) -> Any:
    """Receive and delete one message."""
    sqs = aws.client("sqs")
    message = receive(sqs, url, MessageAttributeNames=["All"])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return message


def header_of(message: Any) -> str | None:
    found: str | None = (message.get("Attributes") or {}).get("AWSTraceHeader")
    return found


def test_send_message_takes_the_http_header(aws: Account, stack: dict[str, str]) -> None:
    aws.client("sqs", header=SAMPLED).send_message(QueueUrl=stack["SpareUrl"], MessageBody="x")
    assert header_of(take(aws, stack["SpareUrl"])) == SAMPLED


def test_send_message_prefers_the_system_attribute(aws: Account, stack: dict[str, str]) -> None:
    aws.client("sqs", header=SAMPLED).send_message(
        QueueUrl=stack["SpareUrl"], MessageBody="x", MessageSystemAttributes=attribute(OTHER)
    )
    assert header_of(take(aws, stack["SpareUrl"])) == OTHER


def test_send_message_batch_takes_the_header_for_all_and_the_attribute_for_one(
    aws: Account, stack: dict[str, str]
) -> None:
    entries: list[Any] = [
        {"Id": "own", "MessageBody": "own", "MessageSystemAttributes": attribute(OTHER)},
        {"Id": "first", "MessageBody": "first"},
        {"Id": "second", "MessageBody": "second"},
    ]
    answer = aws.client("sqs", header=SAMPLED).send_message_batch(QueueUrl=stack["SpareUrl"], Entries=entries)
    assert not answer.get("Failed")
    found = {message["Body"]: header_of(message) for message in (take(aws, stack["SpareUrl"]) for _ in entries)}
    assert found == {"own": OTHER, "first": SAMPLED, "second": SAMPLED}


@pytest.mark.parametrize("header", MALFORMED)
def test_a_malformed_header_is_refused(aws: Account, stack: dict[str, str], header: str) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        aws.client("sqs", header=header).send_message(QueueUrl=stack["SpareUrl"], MessageBody="x")
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        aws.client("sqs").send_message(
            QueueUrl=stack["SpareUrl"], MessageBody="x", MessageSystemAttributes=attribute(header)
        )


def test_a_malformed_attribute_fails_its_entry_alone(aws: Account, stack: dict[str, str]) -> None:
    entries: list[Any] = [
        {"Id": "bad", "MessageBody": "bad", "MessageSystemAttributes": attribute("nonsense")},
        {"Id": "good", "MessageBody": "good"},
    ]
    answer = aws.client("sqs", header=SAMPLED).send_message_batch(QueueUrl=stack["SpareUrl"], Entries=entries)
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("bad", "InvalidParameterValue")]
    assert header_of(take(aws, stack["SpareUrl"])) == SAMPLED


@pytest.mark.parametrize(("queue", "raw"), [("Queue", False), ("RawQueue", True)], ids=["wrapped", "raw"])
@pytest.mark.parametrize("batch", [False, True], ids=["Publish", "PublishBatch"])
def test_a_topic_hands_the_header_on(aws: Account, stack: dict[str, str], queue: str, raw: bool, batch: bool) -> None:
    for url in (stack["QueueUrl"], stack["RawQueueUrl"]):
        aws.client("sqs").purge_queue(QueueUrl=url)
    sns, sent = aws.client("sns", header=SAMPLED), ["first", "second"] if batch else ["first"]
    given: Any = {"colour": {"DataType": "String", "StringValue": "red"}}
    if batch:
        entries: Any = [{"Id": body, "Message": body, "MessageAttributes": given} for body in sent]
        sns.publish_batch(TopicArn=stack["TopicArn"], PublishBatchRequestEntries=entries)
    else:
        sns.publish(TopicArn=stack["TopicArn"], Message="first", MessageAttributes=given)
    messages = [take(aws, stack[f"{queue}Url"]) for _ in sent]
    # It is a system attribute, so it does not matter whether the message's own attributes are in the body.
    assert [header_of(message) for message in messages] == [SAMPLED] * len(sent)
    bodies = [message["Body"] if raw else json.loads(message["Body"])["Message"] for message in messages]
    assert sorted(bodies) == sent
    assert all(("colour" in message.get("MessageAttributes", {})) is raw for message in messages)


def test_a_topic_leaves_a_malformed_header_behind(aws: Account, stack: dict[str, str]) -> None:
    aws.client("sqs").purge_queue(QueueUrl=stack["QueueUrl"])
    aws.client("sns", header="nonsense").publish(TopicArn=stack["TopicArn"], Message="x")
    assert header_of(take(aws, stack["QueueUrl"])) is None


def test_a_header_outlives_redelivery_the_dead_letter_queue_and_the_way_back(
    aws: Account, stack: dict[str, str]
) -> None:
    sqs = aws.client("sqs", header=SAMPLED)
    sent = sqs.send_message(QueueUrl=stack["PoorUrl"], MessageBody="x")["MessageId"]
    for _ in range(2):
        assert header_of(receive(sqs, stack["PoorUrl"], VisibilityTimeout=0)) == SAMPLED
    sqs.receive_message(QueueUrl=stack["PoorUrl"])
    dead = receive(sqs, stack["DeadUrl"], VisibilityTimeout=0)
    assert (header_of(dead), dead["MessageId"]) == (SAMPLED, sent)

    plain = aws.client("sqs")
    attributes = plain.get_queue_attributes(QueueUrl=stack["DeadUrl"], AttributeNames=["QueueArn"])["Attributes"]
    plain.start_message_move_task(SourceArn=attributes["QueueArn"])
    (task,) = plain.list_message_move_tasks(SourceArn=attributes["QueueArn"])["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    back = take(aws, stack["PoorUrl"])
    assert header_of(back) == SAMPLED
    assert back["MessageId"] != sent


def test_only_letters_of_a_queue_find_their_way_back(aws: Account, stack: dict[str, str]) -> None:
    sqs = aws.client("sqs", header=SAMPLED)
    sqs.send_message(QueueUrl=stack["DeadUrl"], MessageBody="sent by hand")
    arn = sqs.get_queue_attributes(QueueUrl=stack["DeadUrl"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.start_message_move_task(SourceArn=arn)
    (task,) = sqs.list_message_move_tasks(SourceArn=arn)["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert header_of(take(aws, stack["DeadUrl"])) == SAMPLED
    spare = sqs.get_queue_attributes(QueueUrl=stack["SpareUrl"], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    with pytest.raises(ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=spare)


def test_a_message_a_queue_keeps_out_goes_to_the_subscriptions_dead_letter_queue(
    aws: Account, stack: dict[str, str]
) -> None:
    aws.client("sqs").purge_queue(QueueUrl=stack["UndeliveredUrl"])
    aws.client("sns", header=SAMPLED).publish(TopicArn=stack["TopicArn"], Message="kept out")
    message = take(aws, stack["UndeliveredUrl"])
    assert json.loads(message["Body"])["Message"] == "kept out"
    assert header_of(message) == SAMPLED


def test_invoke_propagates_the_header_with_lineage(aws: Account, stack: dict[str, str]) -> None:

    seen = invoke(aws, stack["PassThrough"], header=f"{SAMPLED};Lineage=12345678:0")
    env = fields(seen["env"])
    assert env["Root"] == ROOT
    assert env["Lineage"].startswith("12345678:0|")
    assert PARENT not in seen["env"]
