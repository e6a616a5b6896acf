"""Reads topics, queues and what works through them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..aws.read_errors import Reads
from ..json_text import read_json
from ..traces.model import JsonObject
from .model import EventSource, Queue, Subscription, Topic, unversioned

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_sns import SNSClient
    from types_boto3_sqs import SQSClient

# SQS's defaults: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html.
_DEFAULT_RETENTION_SECONDS = 345_600
_DEFAULT_VISIBILITY_SECONDS = 30


def read_topic(reads: Reads, client: SNSClient, arn: str) -> Topic:
    """Returns a topic with the queues subscribed to it."""
    name = arn.rsplit(":", 1)[-1]
    attributes = reads.read(f"the topic {name}", lambda: client.get_topic_attributes(TopicArn=arn)["Attributes"])
    return Topic(
        arn=arn,
        active=None if attributes is None else attributes.get("TracingConfig") == "Active",
        subscriptions=reads.read_route(f"the subscriptions of the topic {name}", lambda: _subscriptions(client, arn)),
    )


def _subscriptions(client: SNSClient, topic: str) -> tuple[Subscription, ...]:
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    subscriptions = []
    for listed in (subscription for page in pages for subscription in page["Subscriptions"]):
        arn = listed.get("SubscriptionArn", "")
        # One that waits for confirmation has no ARN yet.
        if listed.get("Protocol") != "sqs" or not arn.startswith("arn:"):
            continue
        attributes = client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        policy = attributes.get("FilterPolicy")
        subscriptions.append(
            Subscription(
                arn=arn,
                topic=topic,
                queue=listed.get("Endpoint", ""),
                filter_policy=policy if policy and json_object(policy) else None,
                dead_letter_queue=_dead_letters(attributes.get("RedrivePolicy")),
            )
        )
    return tuple(subscriptions)


def read_queue(reads: Reads, client: SQSClient, *, url: str | None = None, arn: str | None = None) -> Queue | None:
    """Returns a queue by its URL or ARN; None where it may not be read."""
    name = (url or "").rsplit("/", 1)[-1] or (arn or "").rsplit(":", 1)[-1]
    # A queue of the stack comes by its URL; one by its ARN alone may be somebody else's, on a branch of its own.
    read = reads.read if url is None else reads.read_route
    return read(f"the queue {name}", lambda: _queue(client, url or queue_url(client, arn or "")))


def queue_url(client: SQSClient, arn: str) -> str:
    """Returns the URL of the queue of an ARN.

    Raises:
        botocore.exceptions.ClientError: There is none, or AWS refused.
    """
    account, name = arn.split(":")[4:6]
    return client.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]


def _queue(client: SQSClient, url: str) -> Queue:
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"]).get("Attributes", {})
    redrive = json_object(attributes.get("RedrivePolicy"))
    attempts = redrive.get("maxReceiveCount")
    return Queue(
        url=url,
        arn=attributes.get("QueueArn", ""),
        policy=json_object(attributes.get("Policy")) or None,
        key=attributes.get("KmsMasterKeyId") or None,
        dead_letter_queue=_dead_letters(attributes.get("RedrivePolicy")),
        attempts=int(attempts) if isinstance(attempts, (int, str)) else None,
        waiting=int(attributes.get("ApproximateNumberOfMessages", "0")),
        in_flight=int(attributes.get("ApproximateNumberOfMessagesNotVisible", "0")),
        visibility_timeout=int(attributes.get("VisibilityTimeout", _DEFAULT_VISIBILITY_SECONDS)),
        retention=int(attributes.get("MessageRetentionPeriod", _DEFAULT_RETENTION_SECONDS)),
    )


def event_sources_of(reads: Reads, client: LambdaClient, queue: str) -> tuple[EventSource, ...]:
    """Returns the event source mappings of a queue; none where they may not be read."""

    def listed() -> tuple[EventSource, ...]:
        pages = client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue)
        return tuple(
            EventSource(
                id=mapping.get("UUID", ""),
                queue=queue,
                function=unversioned(mapping.get("FunctionArn", "")),
                state=mapping.get("State", ""),
                filtered=bool(mapping.get("FilterCriteria", {}).get("Filters")),
                reports_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
            )
            for page in pages
            for mapping in page["EventSourceMappings"]
        )

    return reads.read_route(f"the event source mappings of the queue {queue.rsplit(':', 1)[-1]}", listed) or ()


def _dead_letters(redrive_policy: str | None) -> str | None:
    target = json_object(redrive_policy).get("deadLetterTargetArn")
    return target if isinstance(target, str) else None


def json_object(text: str | None) -> JsonObject:
    """Returns a JSON object from its text; an empty one where the text is none."""
    value = read_json(text or "")
    return value if isinstance(value, dict) else {}
