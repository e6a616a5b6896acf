"""SNS: topics for larger messages, and the message group of a fair queue."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account

KIBIBYTE = 1024


@pytest.fixture
def topic(aws: Account) -> Iterator[tuple[Any, str]]:
    """SNS, and the ARN of a topic of the test's own."""
    sns = aws.client("sns")
    arn = sns.create_topic(Name="sized")["TopicArn"]
    yield sns, arn
    sns.delete_topic(TopicArn=arn)


def test_the_attribute_decides_what_is_taken(topic: Any) -> None:
    sns, arn = topic
    assert "MaximumMessageSize" not in sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    for most in (256 * KIBIBYTE, KIBIBYTE, KIBIBYTE * KIBIBYTE):
        if most != 256 * KIBIBYTE:
            sns.set_topic_attributes(TopicArn=arn, AttributeName="MaximumMessageSize", AttributeValue=str(most))
        sns.publish(TopicArn=arn, Message="x" * most, Subject="does not count")
        with pytest.raises(ClientError, match="Invalid parameter: Message too long"):
            sns.publish(TopicArn=arn, Message="x" * (most + 1))
        entries = [{"Id": str(number), "Message": "x" * (most // 2 + 1)} for number in range(2)]
        with pytest.raises(sns.exceptions.BatchRequestTooLongException):
            sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=entries)


@pytest.mark.parametrize("size", ["1023", "1048577", "many"])
def test_sizes_that_are_none(topic: Any, size: str) -> None:
    sns, arn = topic
    with pytest.raises(ClientError, match="MaximumMessageSize"):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="MaximumMessageSize", AttributeValue=size)


def test_subscribers_of_a_topic_for_large_messages(topic: Any) -> None:
    sns, arn = topic
    sns.set_topic_attributes(TopicArn=arn, AttributeName="MaximumMessageSize", AttributeValue="262145")
    with pytest.raises(ClientError, match="takes sqs, firehose, lambda only"):
        sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="orders@example.com")
    sns.set_topic_attributes(TopicArn=arn, AttributeName="MaximumMessageSize", AttributeValue="262144")
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="orders@example.com")
    with pytest.raises(ClientError, match="subscriptions of other protocols"):
        sns.set_topic_attributes(TopicArn=arn, AttributeName="MaximumMessageSize", AttributeValue="262145")


def test_a_group_reaches_a_standard_queue(aws: Account, topic: Any) -> None:
    sns, arn = topic
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName="fair")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    sns.publish(TopicArn=arn, Message="one", MessageGroupId="ann")
    [message] = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"], WaitTimeSeconds=5)["Messages"]
    assert message["Attributes"]["MessageGroupId"] == "ann"
    # Only a FIFO queue numbers its messages.
    assert "SequenceNumber" not in message["Attributes"]
    sqs.delete_queue(QueueUrl=url)
