"""FIFO queues: where they look for duplicates, and what their quota of messages per second is for."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, warn
from .queue_options import QueueOptions
from .resource import resource_of

# As CloudFormation writes them.
_SNS_GROUP, _SQS_GROUP = "MessageGroup", "messageGroup"
_ABOUT = (
    "SNS looks for duplicates in each message group alone, and drops none that another group has as well; the queue "
    "drops these"
)


@dataclass(frozen=True, kw_only=True)
class FifoThroughput:
    """The two settings of a FIFO queue, as the CDK takes them; None where SQS's own defaults hold."""

    deduplication_scope: sqs.DeduplicationScope | None = None
    fifo_throughput_limit: sqs.FifoThroughputLimit | None = None


def throughput_of(scope: Construct, options: QueueOptions, topic: sns.ITopic) -> FifoThroughput:
    """Returns the settings of a worker's created queues.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html

    Args:
        scope: The hop; it gets the warning.
        options: The worker's settings.
        topic: The topic before the queue.

    Raises:
        PipelineError: The settings are for FIFO queues and the topic is standard, or they contradict each other.
    """
    given = [name for name in ("deduplication_scope", "fifo_throughput_limit") if getattr(options, name) is not None]
    if not topic.fifo:
        if given:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f"{' and '.join(given)} given for the queue of a standard topic, which is no FIFO queue; leave out "
                f"{' and '.join(given)}, or make the topic with fifo=True",
            )
        return FifoThroughput()
    by_group = _is_by_group(topic)
    deduplication, limit = options.deduplication_scope, options.fifo_throughput_limit
    if by_group:
        deduplication = deduplication or sqs.DeduplicationScope.MESSAGE_GROUP
        if deduplication is sqs.DeduplicationScope.MESSAGE_GROUP:
            limit = limit or sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID
    if (
        limit is sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID
        and deduplication is not sqs.DeduplicationScope.MESSAGE_GROUP
    ):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "fifo_throughput_limit is PER_MESSAGE_GROUP_ID, which SQS takes only where it looks for duplicates in each "
            "message group; give deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP",
        )
    if by_group and deduplication is sqs.DeduplicationScope.QUEUE:
        warn(
            scope,
            Check.DEDUPLICATION_SCOPE,
            f"deduplication_scope is QUEUE behind topic {topic.node.path}, where {_ABOUT}; leave it out",
        )
    return FifoThroughput(deduplication_scope=deduplication, fifo_throughput_limit=limit)


def check_existing_scope(scope: Construct, queue: sqs.IQueue, topic: sns.ITopic) -> None:
    """Warns where an existing queue drops messages that the topic before it takes for different ones.

    Args:
        scope: The hop; it gets the warning.
        queue: The queue.
        topic: The topic before it.
    """
    if not isinstance(queue, sqs.Queue) or not queue.fifo or not _is_by_group(topic):
        return
    if Stack.of(queue).resolve(resource_of(queue, sqs.CfnQueue).deduplication_scope) != _SQS_GROUP:
        warn(
            scope,
            Check.DEDUPLICATION_SCOPE,
            f"queue {queue.node.path} looks for duplicates in the whole queue, but is behind topic {topic.node.path}, "
            f"where {_ABOUT}; make it with deduplication_scope=sqs.DeduplicationScope.MESSAGE_GROUP",
        )


def _is_by_group(topic: sns.ITopic) -> bool:
    if not isinstance(topic, sns.Topic):
        return False
    return bool(Stack.of(topic).resolve(resource_of(topic, sns.CfnTopic).fifo_throughput_scope) == _SNS_GROUP)
