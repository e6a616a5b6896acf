"""FIFO topics and their queues: where each looks for duplicates."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.support.account import Account

Publish = Callable[[Any, str, str, str], None]


def _one(sns: Any, arn: str, group: str, deduplication_id: str) -> None:
    sns.publish(TopicArn=arn, Message="m", MessageGroupId=group, MessageDeduplicationId=deduplication_id)


def _batch(sns: Any, arn: str, group: str, deduplication_id: str) -> None:
    entry = {"Id": "1", "Message": "m", "MessageGroupId": group, "MessageDeduplicationId": deduplication_id}
    assert sns.publish_batch(TopicArn=arn, PublishBatchRequestEntries=[entry])["Failed"] == []


WAYS: dict[str, Publish] = {"Publish": _one, "PublishBatch": _batch}


class Pair:
    """A FIFO topic and the queue that is subscribed to it.

    Args:
        aws: The local AWS.
        cleaning: Deletes both in the end.
        topic: More attributes of the topic.
        queue: Likewise.
    """

    def __init__(self, aws: Account, cleaning: ExitStack, *, topic: dict[str, str], queue: dict[str, str]) -> None:
        self.sns, self._sqs = aws.client("sns"), aws.client("sqs")
        self.arn = self.sns.create_topic(Name="twice.fifo", Attributes={"FifoTopic": "true", **topic})["TopicArn"]
        cleaning.callback(self.sns.delete_topic, TopicArn=self.arn)
        self._url = self._sqs.create_queue(QueueName="twice.fifo", Attributes={"FifoQueue": "true", **queue})[
            "QueueUrl"
        ]
        cleaning.callback(self._sqs.delete_queue, QueueUrl=self._url)
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": json.dumps({"Statement": statement})})
        raw = {"RawMessageDelivery": "true"}
        self.sns.subscribe(TopicArn=self.arn, Protocol="sqs", Endpoint=attributes["QueueArn"], Attributes=raw)

    def delivered(self) -> list[tuple[str, str]]:
        """Group and deduplication id of each message in the queue."""
        received = self._sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, AttributeNames=["All"], WaitTimeSeconds=0
        )
        attributes = [message["Attributes"] for message in received.get("Messages", [])]
        return [(each["MessageGroupId"], each["MessageDeduplicationId"]) for each in attributes]


@pytest.fixture
def pair(aws: Account) -> Iterator[Callable[..., Pair]]:
    with ExitStack() as cleaning:
        yield lambda **attributes: Pair(aws, cleaning, **attributes)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("scope", "delivered"),
    [
        ({}, [("a", "1")]),
        ({"FifoThroughputScope": "Topic"}, [("a", "1")]),
        ({"FifoThroughputScope": "MessageGroup"}, [("a", "1"), ("b", "1")]),
    ],
    ids=["by default", "topic", "message group"],
)
def test_a_topic_looks_for_duplicates_where_its_scope_says(
    pair: Any, way: str, scope: dict[str, str], delivered: list[tuple[str, str]]
) -> None:
    made = pair(topic=scope, queue={"DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"})
    for group in ("a", "a", "b", "b"):
        WAYS[way](made.sns, made.arn, group, "1")
    assert made.delivered() == delivered


@pytest.mark.parametrize("queue", ["queue", "messageGroup"])
def test_a_queue_looks_for_duplicates_itself(pair: Any, queue: str) -> None:
    made = pair(topic={"FifoThroughputScope": "MessageGroup"}, queue={"DeduplicationScope": queue})
    for group in ("a", "b"):
        _one(made.sns, made.arn, group, "1")
    assert made.delivered() == [("a", "1"), ("b", "1")][: 1 if queue == "queue" else 2]


def test_the_body_is_the_id_where_the_topic_says_so(pair: Any) -> None:
    topic = {"FifoThroughputScope": "MessageGroup", "ContentBasedDeduplication": "true"}
    made = pair(topic=topic, queue={"DeduplicationScope": "messageGroup"})
    sent = [("a", "x"), ("a", "x"), ("b", "x"), ("a", "y")]
    ids = {
        (group, body): made.sns.publish(TopicArn=made.arn, Message=body, MessageGroupId=group)["MessageId"]
        for group, body in sent
    }
    assert len(set(ids.values())) == 3
    delivered = made.delivered()
    assert [group for group, _ in delivered] == ["a", "b", "a"]
    assert delivered[0][1] == delivered[1][1] != delivered[2][1]
