"""Customer keys of the queues behind a topic, which SNS must be able to use."""

from __future__ import annotations

from aws_cdk import FeatureFlags
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
        PipelineError: Topic and queue have the same key, and the CDK restricts the queue key's use to the topic: a
            circular dependency.
    """
    keys = [options.queue_key]
    keys += [queue.encryption_master_key for queue in (options.queue, options.dead_letter_queue) if queue is not None]
    for key in (key for key in keys if key is not None):
        _check_key(scope, topic, key)


def let_sns_use_key(topic: sns.ITopic, queue: sqs.IQueue, dead_letter_queue: sqs.IQueue) -> None:
    """Let SNS encrypt what it puts into a dead-letter queue whose customer key is not the queue's.

    The CDK sees to the queue's key only.
    https://docs.aws.amazon.com/sns/latest/dg/sns-enable-encryption-for-topic-sqs-queue-subscriptions.html
    """
    own, key = queue.encryption_master_key, dead_letter_queue.encryption_master_key
    if key is None or (own is not None and own.node.path == key.node.path):
        return
    key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("sns.amazonaws.com")],
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=["*"],
            conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
        )
    )


def _check_key(scope: Construct, topic: sns.ITopic, key: kms.IKey) -> None:
    if not isinstance(key, kms.Key | kms.Alias):
        warn(
            scope,
            Check.KEY_NOT_MANAGED,
            f"key {key.node.path} is imported, so that its policy cannot be changed from here, but it encrypts a queue "
            "behind a topic; where it is made, let sns.amazonaws.com call kms:GenerateDataKey and kms:Decrypt",
        )
    if not isinstance(topic, sns.Topic) or topic.master_key is None:
        return
    restricted = FeatureFlags.of(scope).is_enabled(_RESTRICTED_DECRYPTION)
    if restricted and topic.master_key.node.path == key.node.path:
        raise PipelineError(
            Check.SHARED_KEY,
            f"topic and queue share the key {key.node.path}, whose policy would name the topic "
            "that it encrypts: a circular dependency; give the queue a key of its own with queue_key",
        )
