"""The queue of a worker: one that is created, or an existing one."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, refuse_settings, warn
from .environments import check_environment, refuse_other_region
from .fifo_throughput import FifoThroughput, check_existing_scope, throughput_of
from .limits import limits_of
from .queue_checks import (
    VISIBILITY_FACTOR,
    check_dead_letters,
    check_kind,
    check_queue_stack,
    check_visibility,
    kind_is_known,
)
from .resource import resource_of
from .worker_options import WorkerOptions

SAME_REGION = "Lambda works through queues of a function's own Region only"
"""Why a worker's queue or function is refused: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""

_SQS_DEFAULT_VISIBILITY_SECONDS = 30
_OF_A_CREATED_QUEUE = ("visibility_timeout", "max_receive_count", "deduplication_scope", "fifo_throughput_limit")
_DEAD_LETTER_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class WorkQueue:
    """A worker's queue, and the place for what could not be delivered or processed."""

    queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue


def make_queue(
    scope: Construct, *, options: WorkerOptions, topic: sns.ITopic, function_timeout: Duration | None
) -> WorkQueue:
    """Creates a worker's queue and dead-letter queue, of the topic's kind.

    Args:
        scope: Where to create them.
        options: The worker's settings.
        topic: The topic before it.
        function_timeout: The worker function's; None if it is not known.

    Raises:
        PipelineError: The visibility timeout cannot be derived or is too short, or the given dead-letter
            queue is of the other kind.
    """
    visibility = options.visibility_timeout or _derived_visibility(options, function_timeout)
    check_visibility(scope, visibility, function_timeout, "visibility_timeout")
    throughput = throughput_of(scope, options, topic)
    dead_letters = options.dead_letter_queue or dead_letter_queue(
        scope, options=options, fifo=topic.fifo, throughput=throughput
    )
    check_dead_letters(scope, dead_letters, fifo=topic.fifo)
    queue = sqs.Queue(
        scope,
        "Queue",
        fifo=topic.fifo or None,
        deduplication_scope=throughput.deduplication_scope,
        fifo_throughput_limit=throughput.fifo_throughput_limit,
        encryption=sqs.QueueEncryption.KMS if options.queue_key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=options.queue_key,
        enforce_ssl=True,
        visibility_timeout=visibility,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=options.max_receive_count),
    )
    return WorkQueue(queue=queue, dead_letter_queue=dead_letters)


def dead_letter_queue(
    scope: Construct, *, options: WorkerOptions, fifo: bool, throughput: FifoThroughput | None = None
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
    options: WorkerOptions,
    topic: sns.ITopic,
    function_timeout: Duration | None,
) -> WorkQueue:
    """Returns an existing queue with its dead-letter queue, which is created if it has none.

    Raises:
        PipelineError: The queue cannot work behind the topic or with the function.
    """
    refuse_settings(options, _OF_A_CREATED_QUEUE, existing="a queue", instead="leave out queue")
    refuse_other_region(scope, queue, queue.queue_arn, "queue", why=SAME_REGION)
    check_environment(scope, queue, queue.queue_arn, "queue")
    check_kind(scope, queue, topic)
    check_existing_scope(scope, queue, topic)
    if not isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_NOT_MANAGED,
            f"queue {queue.node.path} is imported, so that its access policy, visibility timeout and redrive "
            "policy cannot be set from here; where it is made, let sns.amazonaws.com send to it for the "
            "topic and keep its visibility timeout at six times the function's timeout",
        )
    else:
        check_queue_stack(scope, queue, topic)
        resource = resource_of(queue, sqs.CfnQueue)
        seconds = Stack.of(queue).resolve(resource.visibility_timeout)
        if seconds is None or isinstance(seconds, int | float):
            visibility = Duration.seconds(_SQS_DEFAULT_VISIBILITY_SECONDS if seconds is None else seconds)
            check_visibility(scope, visibility, function_timeout, f"visibility timeout of {queue.node.path}")
    own = queue.dead_letter_queue if isinstance(queue, sqs.Queue) else None
    if own is None and isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_WITHOUT_DEAD_LETTER_QUEUE,
            f"queue {queue.node.path} has no dead-letter queue, so that a message that always fails comes "
            "again until it expires; make it with dead_letter_queue=sqs.DeadLetterQueue(...)",
        )
    fifo = queue.fifo if kind_is_known(queue) else topic.fifo
    dead_letters = (
        options.dead_letter_queue
        or (own.queue if own else None)
        or dead_letter_queue(scope, options=options, fifo=fifo)
    )
    check_dead_letters(scope, dead_letters, fifo=fifo)
    return WorkQueue(queue=queue, dead_letter_queue=dead_letters)


def _derived_visibility(options: WorkerOptions, function_timeout: Duration | None) -> Duration:
    window = options.max_batching_window or Duration.seconds(0)
    if function_timeout is None or function_timeout.is_unresolved() or window.is_unresolved():
        raise PipelineError(
            Check.VISIBILITY_UNKNOWN,
            "the queue's visibility timeout cannot be derived from a function timeout that is not known at "
            "synthesis; give visibility_timeout, at least six times the function's timeout",
        )
    derived = VISIBILITY_FACTOR * function_timeout.to_seconds() + window.to_seconds()
    longest = limits_of(WorkerOptions)["visibility_timeout"]
    if longest.most is not None and derived > longest.most:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"timeout is {function_timeout.to_seconds():g} s, which makes a visibility timeout of {derived:g} s, but "
            f"SQS takes at most {longest.most:g} s; shorten timeout, or give visibility_timeout; see {longest.source}",
        )
    return Duration.seconds(derived)
