"""Checks of the way from the topic to the worker's queue, and out of it."""

from __future__ import annotations

from collections.abc import Iterator

from ..deployment.model import Deployment, Queue, Subscription, Topic
from ..deployment.resource_policies import ServiceCall, admits
from ..text import readable_name
from .checks import Check
from .finding import Finding

_SNS = "sns.amazonaws.com"


def topic_tracing(deployment: Deployment) -> Iterator[Finding]:
    """A topic records only if it is Active: https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html."""
    for topic in deployment.topics:
        if topic.active is False:
            yield Finding(
                check=Check.TOPIC_NOT_ACTIVE,
                kind="topic",
                name=topic.name,
                text=f"Active tracing is off on the topic {readable_name(topic.name)} (PassThrough): it "
                "propagates the trace but records nothing, and X-Ray cannot infer the queue behind it.",
                fix="Set TracingConfig of the topic to Active; TracedTopic does so by itself.",
            )


def topic_policy(deployment: Deployment) -> Iterator[Finding]:
    """SNS needs a resource policy of X-Ray: https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html."""
    if deployment.xray.policies is None:
        return
    for topic in deployment.topics:
        call = ServiceCall(service=_SNS, action="xray:PutTraceSegments", resource=None, source_arn=topic.arn)
        if topic.active and admits(deployment.xray.policies, call) is False:
            yield Finding(
                check=Check.TOPIC_WITHOUT_XRAY_POLICY,
                kind="topic",
                name=topic.name,
                text=f"No resource policy of X-Ray lets {_SNS} write segments for the topic "
                f"{readable_name(topic.name)}, so that X-Ray drops them silently, and the queue behind them.",
                fix="Add an AWS::XRay::ResourcePolicy that allows it xray:PutTraceSegments; SnsTracePermission makes "
                "the one an account and Region needs.",
            )


def subscriptions(deployment: Deployment) -> Iterator[Finding]:
    """A topic without a queue."""
    for topic in deployment.topics:
        if topic.subscriptions == ():
            yield Finding(
                check=Check.SUBSCRIPTION_MISSING,
                kind="topic",
                name=topic.name,
                text=f"No queue is subscribed to the topic {readable_name(topic.name)}: SNS drops its messages.",
                fix="Subscribe the worker's queue to it (AWS::SNS::Subscription, protocol sqs).",
            )


def subscription_filters(deployment: Deployment) -> Iterator[Finding]:
    """A filter policy that may have taken the message: https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering.html."""
    for topic, subscription, queue in _deliveries(deployment):
        if subscription.filter_policy is not None:
            yield Finding(
                check=Check.SUBSCRIPTION_FILTERS,
                kind="queue",
                name=queue.name,
                text=f"The subscription of the queue {readable_name(queue.name)} to the topic "
                f"{readable_name(topic.name)} has a filter policy, {subscription.filter_policy}, which may have kept "
                "the message out.",
                fix="Send a body the filter lets through (--body), or change the filter policy.",
            )


def queue_policies(deployment: Deployment) -> Iterator[Finding]:
    """SNS sends only where the queue's policy lets it: https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html."""
    for topic, subscription, queue in _deliveries(deployment):
        call = ServiceCall(service=_SNS, action="sqs:SendMessage", resource=queue.arn, source_arn=topic.arn)
        if admits([queue.policy] if queue.policy else [], call) is False:
            kept = (
                "they end in its subscription's dead-letter queue"
                if subscription.dead_letter_queue
                else "SNS drops them"
            )
            yield Finding(
                check=Check.QUEUE_POLICY,
                kind="queue",
                name=queue.name,
                text=f"The policy of the queue {readable_name(queue.name)} does not let {_SNS} send it messages of the "
                f"topic {readable_name(topic.name)}: {kept}.",
                fix="Allow sqs:SendMessage to the principal sns.amazonaws.com, with the topic as aws:SourceArn "
                "(AWS::SQS::QueuePolicy).",
            )


def queue_keys(deployment: Deployment) -> Iterator[Finding]:
    """The AWS managed key admits no other service: https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html."""
    for _, _, queue in _deliveries(deployment):
        if queue.key == "alias/aws/sqs":
            yield Finding(
                check=Check.QUEUE_KEY,
                kind="queue",
                name=queue.name,
                text=f"The queue {readable_name(queue.name)} is encrypted with the AWS managed key alias/aws/sqs, "
                "which SNS cannot use.",
                fix="Encrypt it with SQS's own keys, or with a customer managed key whose policy admits SNS.",
            )


def queues_without_workers(deployment: Deployment) -> Iterator[Finding]:
    """A subscribed queue that no function works through."""
    for _, _, queue in _deliveries(deployment):
        seen = all(read.what != f"the event source mappings of the queue {queue.name}" for read in deployment.unread)
        if seen and not any(source.queue == queue.arn for source in deployment.event_sources):
            yield Finding(
                check=Check.EVENT_SOURCE_MISSING,
                kind="queue",
                name=queue.name,
                text=f"No event source mapping leads from the queue {readable_name(queue.name)} to a function.",
                fix="Add one (AWS::Lambda::EventSourceMapping), or verify the container that polls it by hand.",
            )


def event_sources(deployment: Deployment) -> Iterator[Finding]:
    """What should work through the queue does not, or not through all of it."""
    for source in deployment.event_sources:
        queue, function = deployment.queue(source.queue), deployment.function(source.function)
        if queue is None or function is None:
            continue
        between = f"between the queue {readable_name(queue.name)} and the function {readable_name(function.name)}"
        if source.state not in ("Enabled", "Enabling", "Updating", ""):
            yield Finding(
                check=Check.EVENT_SOURCE_DISABLED,
                kind="function",
                name=function.name,
                text=f"The event source mapping {between} is {source.state}: messages wait in the queue.",
                fix=f"Enable it: aws lambda update-event-source-mapping --uuid {source.id} --enabled.",
            )
        elif source.filtered:
            yield Finding(
                check=Check.EVENT_SOURCE_FILTERS,
                kind="function",
                name=function.name,
                text=f"The event source mapping {between} has filter criteria; Lambda deletes what does not fit.",
                fix="Send a body that fits (--body), or change the criteria.",
            )


def batch_failures(deployment: Deployment) -> Iterator[Finding]:
    """A bridged function whose failed messages Lambda deletes: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html."""
    for source in deployment.event_sources:
        queue, function = deployment.queue(source.queue), deployment.function(source.function)
        if queue is None or function is None or not function.bridged or source.reports_failures:
            continue
        yield Finding(
            check=Check.BATCH_FAILURES_IGNORED,
            kind="function",
            name=function.name,
            text=f"The event source mapping between the queue {readable_name(queue.name)} and the function "
            f"{readable_name(function.name)} has no ReportBatchItemFailures: Lambda deletes the messages that the "
            "bridge reports as failed.",
            fix=f"aws lambda update-event-source-mapping --uuid {source.id} --function-response-types "
            "ReportBatchItemFailures",
        )


def _deliveries(deployment: Deployment) -> Iterator[tuple[Topic, Subscription, Queue]]:
    for topic in deployment.topics:
        for subscription in topic.subscriptions or ():
            if (queue := deployment.queue(subscription.queue)) is not None:
                yield topic, subscription, queue
