"""The queue of a worker: one that is created, or an existing one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, refuse_settings, warn
from .environments import check_environment, refuse_other_region
from .fifo_throughput import FifoThroughput, check_existing_scope, throughput_of
from .queue_checks import check_dead_letter_queue, check_kind, check_queue_stack, kind_is_known
from .queue_options import QueueOptions
from .resource import resource_of

_SQS_DEFAULT_VISIBILITY_SECONDS = 30
_OF_A_CREATED_QUEUE = ("visibility_timeout", "max_receive_count", "deduplication_scope", "fifo_throughput_limit")
_DEAD_LETTER_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class WorkQueue:
    """A worker's queue, and the place for what could not be delivered or processed."""

    queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """What a worker's queue has to suit: a function, or containers.

    Attributes:
        same_region: Why the queue must be of the worker's own Region, for a message.
        visibility: What its visibility timeout has to be, for a message.
        check_visibility: Checks a visibility timeout; gets what has it, for the message.
    """

    same_region: str
    visibility: str
    check_visibility: Callable[[Duration, str], None]


def make_queue(
    scope: Construct, *, options: QueueOptions, topic: sns.ITopic, visibility_timeout: Duration, consumer: Consumer
) -> WorkQueue:
    """Creates a worker's queue and dead-letter queue, of the topic's kind.

    Args:
        scope: Where to create them.
        options: The worker's settings.
        topic: The topic before it.
        visibility_timeout: The queue's visibility timeout.
        consumer: What the queue has to suit.

    Raises:
        PipelineError: The visibility timeout is too short, or the given dead-letter queue is of the other kind.
    """
    consumer.check_visibility(visibility_timeout, "visibility_timeout")
    throughput = throughput_of(scope, options, topic)
    failed = options.dead_letter_queue or dead_letter_queue(
        scope, options=options, fifo=topic.fifo, throughput=throughput
    )
    check_dead_letter_queue(scope, failed, fifo=topic.fifo)
    queue = sqs.Queue(
        scope,
        "Queue",
        fifo=topic.fifo or None,
        deduplication_scope=throughput.deduplication_scope,
        fifo_throughput_limit=throughput.fifo_throughput_limit,
        encryption=sqs.QueueEncryption.KMS if options.queue_key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=options.queue_key,
        enforce_ssl=True,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=sqs.DeadLetterQueue(queue=failed, max_receive_count=options.max_receive_count),
    )
    return WorkQueue(queue=queue, dead_letter_queue=failed)


def dead_letter_queue(
    scope: Construct, *, options: QueueOptions, fifo: bool, throughput: FifoThroughput | None = None
) -> sqs.Queue:
    """Creates a queue that keeps messages as long as SQS can, so that people can look into them."""
    return sqs.Queue(
        scope,
        "DeadLetterQueue",
        fifo=fifo or None,
        deduplication_scope=throughput.deduplication_scope if throughput else None,
        fifo_throughput_limit=throughput.fifo_throughput_limit if throughput else None,
        encryption=sqs.QueueEncryption.KMS if options.queue_key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=options.queue_key,
        enforce_ssl=True,
        retention_period=Duration.days(_DEAD_LETTER_DAYS),
    )


def use_queue(
    scope: Construct,
    queue: sqs.IQueue,
    *,
    options: QueueOptions,
    topic: sns.ITopic,
    consumer: Consumer,
) -> WorkQueue:
    """Returns an existing queue with its dead-letter queue, which is created if it has none.

    Raises:
        PipelineError: The queue cannot work behind the topic or with its consumer.
    """
    refuse_settings(options, _OF_A_CREATED_QUEUE, existing="a queue", instead="leave out queue")
    refuse_other_region(scope, queue, queue.queue_arn, "queue", why=consumer.same_region)
    check_environment(scope, queue, queue.queue_arn, "queue")
    check_kind(scope, queue, topic)
    check_existing_scope(scope, queue, topic)
    if not isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_NOT_MANAGED,
            f"queue {queue.node.path} is imported, so that its access policy, visibility timeout and redrive "
            "policy cannot be set from here; where it is made, let sns.amazonaws.com send to it for the "
            f"topic and {consumer.visibility}",
        )
    else:
        check_queue_stack(scope, queue, topic)
        resource = resource_of(queue, sqs.CfnQueue)
        seconds = Stack.of(queue).resolve(resource.visibility_timeout)
        if seconds is None or isinstance(seconds, int | float):
            visibility = Duration.seconds(_SQS_DEFAULT_VISIBILITY_SECONDS if seconds is None else seconds)
            consumer.check_visibility(visibility, f"visibility timeout of {queue.node.path}")
    own = queue.dead_letter_queue if isinstance(queue, sqs.Queue) else None
    if own is not None and options.dead_letter_queue not in (None, own.queue):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"dead_letter_queue is given, but queue {queue.node.path} has {own.queue.node.path} already, where the "
            "messages go that fail; leave dead_letter_queue out, or make the queue with the one you want",
        )
    if own is not None or options.dead_letter_queue is not None:
        # No queue is made that it could encrypt.
        refuse_settings(options, ("queue_key",), existing="a queue", instead="leave it out")
    if own is None and isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_WITHOUT_DEAD_LETTER_QUEUE,
            f"queue {queue.node.path} has no dead-letter queue, so that a message that always fails comes "
            "again until it expires; make it with dead_letter_queue=sqs.DeadLetterQueue(...)",
        )
    fifo = queue.fifo if kind_is_known(queue) else topic.fifo
    failed = (
        options.dead_letter_queue
        or (own.queue if own else None)
        or dead_letter_queue(scope, options=options, fifo=fifo)
    )
    check_dead_letter_queue(scope, failed, fifo=fifo)
    return WorkQueue(queue=queue, dead_letter_queue=failed)


def use_dead_letter_queue(
    scope: Construct,
    queue: sqs.IQueue,
    *,
    options: QueueOptions,
    visibility_timeout: Callable[[], Duration],
    consumer: Consumer,
) -> sqs.IQueue | None:
    """Prepares a dead-letter queue for a worker of its own.

    It gets a visibility timeout unless it says one itself, and what fails again goes to a further dead-letter queue.

    Args:
        scope: The worker.
        queue: The dead-letter queue.
        options: The worker's settings.
        visibility_timeout: Gives the visibility timeout where it is needed.
        consumer: What the queue has to suit.

    Returns:
        The further dead-letter queue; None where the queue is imported, so that it cannot be given one.

    Raises:
        PipelineError: The visibility timeout cannot be derived or is too short, settings are given for a queue that is
            imported or has them already, or the further queue is of the other kind.
    """
    refuse_other_region(scope, queue, queue.queue_arn, "queue", why=consumer.same_region)
    check_environment(scope, queue, queue.queue_arn, "queue")
    if not isinstance(queue, sqs.Queue):
        given = ("visibility_timeout", "max_receive_count", "dead_letter_queue")
        refuse_settings(options, given, existing="a queue", instead="leave them out")
        warn(
            scope,
            Check.QUEUE_NOT_MANAGED,
            f"dead-letter queue {queue.node.path} is imported, so that its visibility timeout and redrive policy "
            f"cannot be set from here; where it is made, {consumer.visibility}, and give it a dead-letter queue",
        )
        return None
    resource = resource_of(queue, sqs.CfnQueue)
    own = queue.dead_letter_queue
    if own is not None:
        refuse_settings(
            options, ("dead_letter_queue", "max_receive_count"), existing="a redrive policy", instead="leave them out"
        )
    elif resource.redrive_policy is not None:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"dead-letter queue {queue.node.path} has a redrive policy already, by another dead-letter worker or set "
            "on its resource; each message would go to one of the two workers by chance: keep one of them, or make the "
            "queue with dead_letter_queue=sqs.DeadLetterQueue(...)",
        )
    seconds = Stack.of(queue).resolve(resource.visibility_timeout)
    if seconds is None:
        visibility = visibility_timeout()
        consumer.check_visibility(visibility, "visibility_timeout")
        resource.visibility_timeout = visibility.to_seconds()
    else:
        refuse_settings(options, ("visibility_timeout",), existing="a visibility timeout", instead="leave it out")
        if isinstance(seconds, int | float):
            consumer.check_visibility(Duration.seconds(seconds), f"visibility timeout of {queue.node.path}")
    if own is not None:
        return own.queue
    further = options.dead_letter_queue or dead_letter_queue(scope, options=options, fifo=queue.fifo)
    check_dead_letter_queue(scope, further, fifo=queue.fifo)
    _check_no_circle(queue, further)
    resource.redrive_policy = {
        "deadLetterTargetArn": further.queue_arn,
        "maxReceiveCount": options.max_receive_count,
    }
    return further


def _check_no_circle(queue: sqs.IQueue, further: sqs.IQueue) -> None:
    """Refuses a further dead-letter queue from which messages come back; CloudFormation cannot make such queues."""
    after: sqs.IQueue | None = further
    while after is not None and after is not queue:
        own = after.dead_letter_queue if isinstance(after, sqs.Queue) else None
        after = None if own is None else own.queue
    if after is queue:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"dead_letter_queue is {further.node.path}, whose messages come back to {queue.node.path}, the queue that "
            "is worked through; give another queue, or leave it out",
        )
