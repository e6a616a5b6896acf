"""SNS: topics that are made for larger messages, or for smaller ones.

Sources: SNS Developer Guide, "Publishing large messages with Amazon SNS"; SNS API Reference, "CreateTopic", "Publish"
and "PublishBatch". A topic takes 256 KiB unless its `MaximumMessageSize` says otherwise, 1 KiB to 1 MiB; above 256 KiB
it has subscriptions of queues, functions and Firehose streams only. Measured on AWS, and published in floci-io/floci,
pull request 3953: the attribute is answered only where it was set, a subject does not count, and the limit of 100
subscriptions is looked at when the attribute is set, not by Subscribe.

Assumed: the words of the refusals.
"""

from typing import Any

from ministack.services import sns

Fields = dict[str, Any]

DEFAULT_BYTES = 256 * 1024
LEAST_BYTES, MOST_BYTES = 1024, 1024 * 1024
MOST_SUBSCRIPTIONS = 100
PROTOCOLS = ("sqs", "firehose", "lambda")
ATTRIBUTE = "MaximumMessageSize"


def install() -> None:
    """Lets each topic's own limit decide."""
    # MiniStack's one limit for all topics is lifted; what follows asks each topic.
    sns._SNS_MAX_PAYLOAD_BYTES = MOST_BYTES
    _install_publish()
    _install_batch()
    _install_subscribe()
    _install_attribute()


def check_size(topic: Fields, value: object) -> None:
    """Refuses a size that a topic cannot have.

    Args:
        topic: The topic, as MiniStack keeps it.
        value: The size.

    Raises:
        ValueError: It is no number of bytes in range, or the topic's subscriptions do not go with it.
    """
    size = int(str(value)) if str(value).isdigit() else -1
    if not LEAST_BYTES <= size <= MOST_BYTES:
        raise ValueError(f"Invalid parameter: {ATTRIBUTE} Reason: must be from {LEAST_BYTES} to {MOST_BYTES}")
    subscriptions = topic.get("subscriptions") or []
    if size > DEFAULT_BYTES and len(subscriptions) > MOST_SUBSCRIPTIONS:
        raise ValueError(
            f"Invalid parameter: {ATTRIBUTE} Reason: the topic has more than {MOST_SUBSCRIPTIONS} subscriptions"
        )
    if size > DEFAULT_BYTES and any(subscription.get("protocol") not in PROTOCOLS for subscription in subscriptions):
        raise ValueError(f"Invalid parameter: {ATTRIBUTE} Reason: the topic has subscriptions of other protocols")


def _install_publish() -> None:
    publish = sns.publish_internal

    def publish_within_limit(topic_arn: str, message: Any, *args: Any, **kwargs: Any) -> Any:
        topic = sns._topic_by_arn_any_scope(topic_arn)
        attributes = kwargs.get("message_attributes") or {}
        if topic is not None and _size(message, attributes) > _limit(topic):
            raise sns.SnsPublishError("InvalidParameter", "Invalid parameter: Message too long")
        return publish(topic_arn, message, *args, **kwargs)

    sns.publish_internal = publish_within_limit


def _install_batch() -> None:
    publish = sns._publish_batch

    def publish_within_limit(params: Fields) -> Any:
        topic = sns._topic_by_arn_any_scope(sns._normalize_arn(sns._p(params, "TopicArn")))
        entries = sns._parse_batch_entries(params)
        sizes = [_size(entry.get("message", ""), entry.get("message_attributes") or {}) for entry in entries]
        if topic is not None and sum(sizes) > _limit(topic):
            words = "The length of all the messages put together is more than the limit."
            return sns._error("BatchRequestTooLong", words, 400)
        return publish(params)

    sns._publish_batch = publish_within_limit


def _install_subscribe() -> None:
    subscribe = sns._subscribe

    def subscribe_within_limit(params: Fields) -> Any:
        topic = sns._topic_by_arn_any_scope(sns._normalize_arn(sns._p(params, "TopicArn")))
        if topic is not None and _limit(topic) > DEFAULT_BYTES and sns._p(params, "Protocol") not in PROTOCOLS:
            words = f"Invalid parameter: Protocol Reason: a topic of this {ATTRIBUTE} takes {', '.join(PROTOCOLS)} only"
            return sns._error("InvalidParameter", words, 400)
        return subscribe(params)

    sns._subscribe = subscribe_within_limit


def _install_attribute() -> None:
    set_attribute = sns._set_topic_attributes

    def set_checked(params: Fields) -> Any:
        topic = sns._topic_by_arn_any_scope(sns._normalize_arn(sns._p(params, "TopicArn")))
        if topic is not None and sns._p(params, "AttributeName") == ATTRIBUTE:
            try:
                check_size(topic, sns._p(params, "AttributeValue"))
            except ValueError as problem:
                return sns._error("InvalidParameter", str(problem), 400)
        return set_attribute(params)

    sns._set_topic_attributes = set_checked


def _limit(topic: Fields) -> int:
    return int(topic["attributes"].get(ATTRIBUTE) or DEFAULT_BYTES)


def _size(message: object, attributes: Fields) -> int:
    return int(sns._message_payload_size(message if isinstance(message, str) else str(message), attributes))
