"""The subscription of a worker's queue to a topic, wherever the two are."""

from __future__ import annotations

from aws_cdk import ArnFormat, Names, Stack, Stage, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk.region_info import RegionInfo
from constructs import Construct

from .checks import Check, PipelineError
from .customer_keys import let_sns_use_key
from .grants import let_account_subscribe
from .message_size import check_queue_size
from .queue_options import QueueOptions
from .stacks import outermost_stack

_SNS = "sns.amazonaws.com"


def subscribe_queue(
    scope: Construct,
    topic: sns.ITopic,
    *,
    queue: sqs.IQueue,
    dead_letter_queue: sqs.IQueue,
    options: QueueOptions,
) -> sns.Subscription:
    """Subscribes a queue to a topic, and lets SNS send to it and to its dead-letter queue.

    It takes the place of the CDK's `SqsSubscription`, which knows neither a customer key that the topic has as well,
    nor the key of the dead-letter queue, nor a nested stack's queue behind a topic of the stack around it.

    Args:
        scope: The hop; it gets the warnings.
        topic: The topic.
        queue: The queue.
        dead_letter_queue: Where messages end that SNS cannot deliver.
        options: The worker's settings.

    Raises:
        PipelineError: The queue is subscribed already, or SNS can never use a key.
    """
    check_queue_size(scope, topic, queue, "queue")
    check_queue_size(scope, topic, dead_letter_queue, "dead-letter queue")
    name = Names.node_unique_id(topic.node)
    if queue.node.try_find_child(name) is not None:
        raise PipelineError(
            Check.DUPLICATE_SUBSCRIPTION,
            f"queue {queue.node.path} is subscribed to topic {topic.node.path} already, and SNS takes one subscription "
            "of a queue to a topic; use the one there is, or leave the queue out to have one created",
        )
    topic_region = _region_of(topic)
    service = _sns_as_known_in(Stack.of(queue).region, topic_region)
    may_send = iam.PolicyStatement(
        resources=[queue.queue_arn],
        actions=["sqs:SendMessage"],
        principals=[service],
        conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
    )
    policy = queue.add_to_resource_policy(may_send).policy_dependable
    let_sns_use_key(scope, topic=topic, queue=queue, service=service)
    if not _same_key(queue, dead_letter_queue):
        let_sns_use_key(scope, topic=topic, queue=dead_letter_queue, service=service)
    subscription = sns.Subscription(
        _construct(queue),
        name,
        topic=topic,
        endpoint=queue.queue_arn,
        protocol=sns.SubscriptionProtocol.SQS,
        region=topic_region if _must_name_region(topic, queue) else None,
        raw_message_delivery=options.raw_message_delivery,
        filter_policy=options.filter_policy,
        filter_policy_with_message_body=options.filter_policy_with_message_body,
        dead_letter_queue=dead_letter_queue,
    )
    if policy is not None:
        subscription.node.add_dependency(policy)
    let_account_subscribe(topic, queue)
    _deploy_after(queue, topic)
    return subscription


def _same_key(queue: sqs.IQueue, other: sqs.IQueue) -> bool:
    key, its = queue.encryption_master_key, other.encryption_master_key
    return key is not None and its is not None and key.node.path == its.node.path


def _construct(queue: sqs.IQueue) -> Construct:
    if not isinstance(queue, Construct):
        raise TypeError(f"{queue.node.path} is no construct")
    return queue


def _region_of(topic: sns.ITopic) -> str | None:
    """Returns a topic's Region; None where it is not known before deployment."""
    region = topic.env.region
    if not isinstance(topic, sns.Topic):
        region = Stack.of(topic).split_arn(topic.topic_arn, ArnFormat.SLASH_RESOURCE_NAME).region or region
    return region


def _must_name_region(topic: sns.ITopic, queue: sqs.IQueue) -> bool:
    if not isinstance(topic, sns.Topic):
        return True
    return not Token.is_unresolved(topic.env.region) and topic.env.region != queue.env.region


def _sns_as_known_in(region: str, topic_region: str | None) -> iam.ServicePrincipal:
    """Returns the principal of SNS for a delivery, which in Regions that are opted into is one of its own.

    https://docs.aws.amazon.com/sns/latest/dg/sns-cross-region-delivery.html
    """
    if (
        topic_region is None
        or Token.is_unresolved(topic_region)
        or Token.is_unresolved(region)
        or topic_region == region
    ):
        return iam.ServicePrincipal(_SNS)
    for name in (region, topic_region):
        if RegionInfo.get(name).is_opt_in_region:
            return iam.ServicePrincipal.from_static_service_principle_name(f"sns.{name}.amazonaws.com")
    return iam.ServicePrincipal(_SNS)


def _deploy_after(queue: sqs.IQueue, topic: sns.ITopic) -> None:
    # Across accounts and Regions the topic is known by its name, which lets neither stack wait for the other. Stacks of
    # different stages cannot: there the order is the deployment's.
    here, there = outermost_stack(queue), outermost_stack(topic)
    if isinstance(topic, sns.Topic) and here.node.path != there.node.path and Stage.of(queue) is Stage.of(topic):
        # Older CDKs have `add_dependency` alone, which newer ones warn of.
        depend = getattr(here, "add_stack_dependency", None) or here.add_dependency
        depend(there)
