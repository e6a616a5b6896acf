"""Customer keys of the queues behind a topic, which SNS must be able to use."""

from __future__ import annotations

from aws_cdk import FeatureFlags, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, warn
from .options import WorkerOptions

_RESTRICTED_DECRYPTION = "@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption"


def check_keys(scope: Construct, topic: sns.ITopic, options: WorkerOptions) -> None:
    """Check that SNS can use the keys of the queues behind a topic.

    Raises:
        PipelineError: A queue brought along has the topic's key, and the CDK restricts that key's use to the topic: a
            circular dependency.
    """
    brought = [queue for queue in (options.queue, options.dead_letter_queue) if queue is not None]
    for key in [options.queue_key, *(queue.encryption_master_key for queue in brought)]:
        if key is not None and not isinstance(key, kms.Key | kms.Alias):
            warn(
                scope,
                Check.KEY_NOT_MANAGED,
                f"key {key.node.path} is imported, so that its policy cannot be changed from here, but it encrypts a "
                "queue behind a topic; where it is made, let sns.amazonaws.com use kms:GenerateDataKey and kms:Decrypt",
            )
    if not isinstance(topic, sns.Topic) or not FeatureFlags.of(scope).is_enabled(_RESTRICTED_DECRYPTION):
        return
    for queue in brought:
        key, of_topic = queue.encryption_master_key, topic.master_key
        if key is not None and of_topic is not None and _same(key, of_topic):
            raise PipelineError(
                Check.SHARED_KEY,
                f"topic and queue {queue.node.path} share the key {key.node.path}, whose policy would name the topic "
                "that it encrypts: a circular dependency; make the queue with a key of its own, or leave it to the "
                "worker and give queue_key",
            )


def let_sns_use_key(topic: sns.ITopic, queue: sqs.IQueue, dead_letter_queue: sqs.IQueue) -> None:
    """Let SNS encrypt what it puts into a dead-letter queue whose customer key is not the queue's.

    The CDK sees to the queue's key only.
    https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
    """
    own, key = queue.encryption_master_key, dead_letter_queue.encryption_master_key
    if key is None or (own is not None and _same(own, key)):
        return
    key.add_to_resource_policy(_used_by_sns({"ArnEquals": {"aws:SourceArn": topic.topic_arn}}))


def usable_queue_key(scope: Construct, topic: sns.ITopic, key: kms.IKey) -> kms.IKey:
    """Return the key as a created queue takes it.

    The CDK names the topic in the policy of the queue's key. Where the key must exist before the topic, since it is the
    topic's as well or belongs to another stack, the two would wait for each other. There the policy admits SNS for
    any topic of the account and Region instead, and the queue knows the key by its ARN.

    Args:
        scope: The queue's construct.
        topic: The topic before the queue.
        key: The customer key.
    """
    shared = isinstance(topic, sns.Topic) and topic.master_key is not None and _same(topic.master_key, key)
    elsewhere = Stack.of(key).node.path != Stack.of(scope).node.path
    if not isinstance(key, kms.Key) or not (shared or elsewhere):
        return key
    topics = Stack.of(scope).format_arn(service="sns", resource="*")
    key.add_to_resource_policy(_used_by_sns({"ArnLike": {"aws:SourceArn": topics}}))
    return kms.Key.from_key_arn(scope, "Key", key.key_arn)


def _used_by_sns(conditions: dict[str, object]) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        principals=[iam.ServicePrincipal("sns.amazonaws.com")],
        actions=["kms:Decrypt", "kms:GenerateDataKey"],
        resources=["*"],
        conditions=conditions,
    )


def _same(one: kms.IKey, other: kms.IKey) -> bool:
    return one.node.path == other.node.path
