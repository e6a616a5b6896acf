"""How large a message may be from hop to hop, where that is known before deployment."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, warn
from .resource import referenced_resource, resource_of
from .synthesis_checks import check_at_synthesis, resources_in_app

# https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
TOPIC_BYTES = 262_144
"""What a topic takes unless it is made for larger messages."""

MOST_SUBSCRIPTIONS = 100
"""How many subscriptions a topic takes that is made for larger messages."""

PROTOCOLS = ("sqs", "firehose", "lambda")
"""Their protocols."""

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
QUEUE_BYTES = 1_048_576
"""What a queue takes unless it is made for smaller messages."""

_PROPERTY = "MaximumMessageSize"
_OWN_SIZE = "traced-pipeline:max-message-size"


def set_message_size(topic: sns.Topic, size: int) -> None:
    """Sets the largest message of a topic, and lets its subscriptions be checked at synthesis.

    Args:
        topic: The topic.
        size: Bytes.
    """
    resource = resource_of(topic, sns.CfnTopic)
    # Older CDKs do not know the property.
    resource.add_property_override(_PROPERTY, size)
    resource.node.add_metadata(_OWN_SIZE, size)
    check_at_synthesis(topic, lambda: _check_subscriptions(topic, size))


def own_message_size(topic: sns.ITopic) -> float | None:
    """Returns the bytes that a topic of this app is made for, where it says so; a token where that is one."""
    if not isinstance(topic, sns.Topic):
        return None
    resource = resource_of(topic, sns.CfnTopic)
    sizes = [entry.data for entry in resource.node.metadata if entry.type == _OWN_SIZE]
    return sizes[-1] if sizes else getattr(resource, "maximum_message_size", None)


def check_queue_size(scope: Construct, topic: sns.ITopic, queue: sqs.IQueue, what: str) -> None:
    """Warns where a queue takes smaller messages than the topic before it.

    Args:
        scope: The hop; it gets the warning.
        topic: The topic.
        queue: The queue, or the dead-letter queue of its subscription.
        what: What it is, for the message.
    """
    takes, gets = _queue_size(queue), _topic_size(topic)
    if takes is not None and gets is not None and takes < gets:
        warn(
            scope,
            Check.MESSAGE_SIZE,
            f"{what} {queue.node.path} takes messages of {takes} bytes, but the topic {topic.node.path} before it "
            f"takes {gets}: SNS cannot deliver what lies between; make the queue with "
            f"max_message_size_bytes={gets}, or the topic for smaller messages",
        )


def check_next_topic(scope: Construct, topic: sns.ITopic, following: sns.ITopic) -> None:
    """Warns where the reference handler publishes to a topic that takes smaller messages than the one before it.

    Args:
        scope: The hop; it gets the warning.
        topic: The topic before the worker's queue.
        following: The topic that the worker publishes to.
    """
    gets, takes = _topic_size(topic), _topic_size(following)
    if takes is not None and gets is not None and takes < gets:
        warn(
            scope,
            Check.MESSAGE_SIZE,
            f"publish_to is {following.node.path}, which takes messages of {takes} bytes, but the topic "
            f"{topic.node.path} before the worker takes {gets}, and the reference handler publishes each message on: "
            f"it fails at what lies between; make the topic with max_message_size={gets}",
        )


def _topic_size(topic: sns.ITopic) -> int | None:
    if not isinstance(topic, sns.Topic):
        return None
    size = own_message_size(topic)
    return _known(topic, TOPIC_BYTES if size is None else size)


def _queue_size(queue: sqs.IQueue) -> int | None:
    if not isinstance(queue, sqs.Queue):
        return None
    size = resource_of(queue, sqs.CfnQueue).maximum_message_size
    return _known(queue, QUEUE_BYTES if size is None else size)


def _known(scope: sns.Topic | sqs.Queue, size: float) -> int | None:
    resolved = Stack.of(scope).resolve(size)
    return int(resolved) if isinstance(resolved, int | float) else None


def _check_subscriptions(topic: sns.Topic, size: float) -> None:
    known = _known(topic, size)
    if known is None or known <= TOPIC_BYTES:
        return
    subscriptions = [
        resource
        for resource in resources_in_app(topic, "AWS::SNS::Subscription")
        if isinstance(resource, sns.CfnSubscription) and _is_of(resource, topic)
    ]
    others = [entry for entry in subscriptions if entry.stack.resolve(entry.protocol) not in PROTOCOLS]
    if others:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"topic {topic.node.path} takes messages of {known} bytes, but subscription {others[0].node.path} is of "
            f"protocol {others[0].protocol!r}, and SNS delivers messages above {TOPIC_BYTES} bytes by "
            f"{', '.join(PROTOCOLS)} only; leave out max_message_size, or give these subscribers a topic of their own",
        )
    if len(subscriptions) > MOST_SUBSCRIPTIONS:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"topic {topic.node.path} takes messages of {known} bytes and has {len(subscriptions)} subscriptions, "
            f"but SNS lets a topic for messages above {TOPIC_BYTES} bytes have {MOST_SUBSCRIPTIONS}; leave out "
            "max_message_size, or give some subscribers a topic of their own",
        )


def _is_of(subscription: sns.CfnSubscription, topic: sns.Topic) -> bool:
    # Not by what the ARNs stand for: to ask that in a stack of another environment gives the topic a name.
    target = referenced_resource(subscription.topic_arn)
    return target is not None and target.node.path == resource_of(topic, sns.CfnTopic).node.path
