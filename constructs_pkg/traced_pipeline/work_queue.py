"""The queue of a worker: one that is created, or an existing one."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Duration, Stack, Token
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, refuse_settings, warn
from .environments import check_environment, refuse_other_account, refuse_other_region
from .existing_function import own_function
from .limits import limits_of
from .options import WorkerOptions
from .resource import resource_of

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_VISIBILITY_FACTOR = 6
SAME_REGION = "Lambda works through queues of a function's own Region only"
"""Why a worker's queue or function is refused: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
_SAME_PLACE = "SNS and SQS move messages to dead-letter queues of the same account and Region only"
_SQS_DEFAULT_VISIBILITY_SECONDS = 30
_OF_A_CREATED_QUEUE = ("visibility_timeout", "max_receive_count")
_DEAD_LETTER_DAYS = 14


@dataclass(frozen=True, kw_only=True)
class WorkQueue:
    """A worker's queue, and the place for what could not be delivered or processed."""

    queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue


def make_queue(scope: Construct, *, options: WorkerOptions, fifo: bool, function_timeout: Duration | None) -> WorkQueue:
    """Create a worker's queue and dead-letter queue.

    Args:
        scope: Where to create them.
        options: The worker's settings.
        fifo: Whether the topic before it is FIFO.
        function_timeout: The worker function's; None if it is not known.

    Raises:
        PipelineError: The visibility timeout cannot be derived or is too short, or the given dead-letter
            queue is of the other kind.
    """
    visibility = options.visibility_timeout or _derived_visibility(options, function_timeout)
    _check_visibility(scope, visibility, function_timeout, "visibility_timeout")
    dead_letters = options.dead_letter_queue or dead_letter_queue(scope, options=options, fifo=fifo)
    _check_dead_letters(scope, dead_letters, fifo=fifo)
    queue = sqs.Queue(
        scope,
        "Queue",
        fifo=fifo or None,
        encryption=sqs.QueueEncryption.KMS if options.queue_key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=options.queue_key,
        enforce_ssl=True,
        visibility_timeout=visibility,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=options.max_receive_count),
    )
    return WorkQueue(queue=queue, dead_letter_queue=dead_letters)


def dead_letter_queue(scope: Construct, *, options: WorkerOptions, fifo: bool) -> sqs.Queue:
    """Create a queue that keeps messages as long as SQS can, for a person to look at."""
    return sqs.Queue(
        scope,
        "DeadLetterQueue",
        fifo=fifo or None,
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
    _check_kind(scope, queue, topic)
    if not isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_NOT_MANAGED,
            f"queue {queue.node.path} is imported, so that its access policy, visibility timeout and redrive "
            "policy cannot be set from here; where it is made, let sns.amazonaws.com send to it for the "
            "topic and keep its visibility timeout at six times the function's timeout",
        )
    else:
        _check_stack(scope, queue, topic)
        resource = resource_of(queue, sqs.CfnQueue)
        seconds = Stack.of(queue).resolve(resource.visibility_timeout)
        if seconds is None or isinstance(seconds, int | float):
            visibility = Duration.seconds(_SQS_DEFAULT_VISIBILITY_SECONDS if seconds is None else seconds)
            _check_visibility(scope, visibility, function_timeout, f"visibility timeout of {queue.node.path}")
    own = queue.dead_letter_queue if isinstance(queue, sqs.Queue) else None
    if own is None and isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_WITHOUT_DEAD_LETTER_QUEUE,
            f"queue {queue.node.path} has no dead-letter queue, so that a message that always fails comes "
            "again until it expires; make it with dead_letter_queue=sqs.DeadLetterQueue(...)",
        )
    fifo = queue.fifo if _kind_is_known(queue) else topic.fifo
    dead_letters = (
        options.dead_letter_queue
        or (own.queue if own else None)
        or dead_letter_queue(scope, options=options, fifo=fifo)
    )
    _check_dead_letters(scope, dead_letters, fifo=fifo)
    return WorkQueue(queue=queue, dead_letter_queue=dead_letters)


def timeout_of(function: lambda_.IFunction) -> Duration | None:
    """Returns the timeout of an existing function; None if it cannot be known."""
    own = own_function(function)
    if own is None:
        return None
    return own.timeout or Duration.seconds(3)


def _derived_visibility(options: WorkerOptions, function_timeout: Duration | None) -> Duration:
    window = options.max_batching_window or Duration.seconds(0)
    if function_timeout is None or function_timeout.is_unresolved() or window.is_unresolved():
        raise PipelineError(
            Check.VISIBILITY_UNKNOWN,
            "the queue's visibility timeout cannot be derived from a function timeout that is not known at "
            "synthesis; give visibility_timeout, at least six times the function's timeout",
        )
    derived = _VISIBILITY_FACTOR * function_timeout.to_seconds() + window.to_seconds()
    longest = limits_of(WorkerOptions)["visibility_timeout"]
    if longest.most is not None and derived > longest.most:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"timeout is {function_timeout.to_seconds():g} s, which makes a visibility timeout of {derived:g} s, but "
            f"SQS takes at most {longest.most:g} s; shorten timeout, or give visibility_timeout; see {longest.source}",
        )
    return Duration.seconds(derived)


def _check_visibility(scope: Construct, visibility: Duration, function_timeout: Duration | None, what: str) -> None:
    if function_timeout is None or function_timeout.is_unresolved() or visibility.is_unresolved():
        return
    given, timeout = visibility.to_seconds(), function_timeout.to_seconds()
    if given < timeout:
        raise PipelineError(
            Check.VISIBILITY_TOO_SHORT,
            f"{what} is {given:g} s, but the function may work for {timeout:g} s, and Lambda refuses a queue "
            "that hands its messages out again meanwhile; leave visibility_timeout out, or give at least "
            f"{_VISIBILITY_FACTOR * timeout:g} s",
        )
    if given < _VISIBILITY_FACTOR * timeout:
        warn(
            scope,
            Check.VISIBILITY_BELOW_RECOMMENDED,
            f"{what} is {given:g} s; AWS recommends six times the function's timeout of {timeout:g} s, which "
            f"is {_VISIBILITY_FACTOR * timeout:g} s, so that a throttled batch can be tried again",
        )


def _kind_is_known(queue: sqs.IQueue) -> bool:
    return isinstance(queue, sqs.Queue) or not Token.is_unresolved(queue.queue_name)


def _check_kind(scope: Construct, queue: sqs.IQueue, topic: sns.ITopic) -> None:
    # https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html
    if not _kind_is_known(queue) or queue.fifo == topic.fifo:
        return
    if queue.fifo:
        raise PipelineError(
            Check.FIFO_MISMATCH,
            f"queue {queue.node.path} is FIFO, but the topic before it is standard, and SNS delivers to FIFO queues "
            "from FIFO topics only; make both of one kind",
        )
    warn(
        scope,
        Check.ORDER_LOST,
        f"queue {queue.node.path} is standard, but the topic before it is FIFO: messages may come out of order and "
        "more than once; make the queue with fifo=True, or acknowledge this if the worker needs neither",
    )


def _check_dead_letters(scope: Construct, queue: sqs.IQueue, *, fifo: bool) -> None:
    refuse_other_region(scope, queue, queue.queue_arn, "dead-letter queue", why=_SAME_PLACE)
    refuse_other_account(scope, queue, queue.queue_arn, "dead-letter queue", why=_SAME_PLACE)
    if not isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_NOT_MANAGED,
            f"dead-letter queue {queue.node.path} is imported, so that its access policy cannot be set from here; "
            "where it is made, let sns.amazonaws.com send to it for the topic",
        )
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    if _kind_is_known(queue) and queue.fifo != fifo:
        kinds = {True: "FIFO", False: "standard"}
        raise PipelineError(
            Check.FIFO_MISMATCH,
            f"dead-letter queue {queue.node.path} is {kinds[queue.fifo]}, but the queue before it is {kinds[fifo]}; "
            "SQS moves messages between queues of one kind only",
        )


def check_dead_letters_stack(scope: Construct, queue: sqs.IQueue | None, topic: sns.ITopic) -> None:
    """Refuses a given dead-letter queue whose policy would wait for the topic of the stack that waits for it.

    Raises:
        PipelineError: It is made in another stack than topic and worker.
    """
    if isinstance(queue, sqs.Queue) and isinstance(topic, sns.Topic):
        _check_stack(scope, queue, topic, "dead-letter queue")


def _check_stack(scope: Construct, queue: sqs.Queue, topic: sns.ITopic, what: str = "queue") -> None:
    here, there = Stack.of(scope), Stack.of(queue)
    if there.node.path != here.node.path and Stack.of(topic).node.path == here.node.path:
        raise PipelineError(
            Check.QUEUE_IN_OTHER_STACK,
            f"{what} {queue.node.path} belongs to stack {there.node.path}, topic and worker to "
            f"{here.node.path}: each stack would wait for the other; make it in {here.node.path}, or "
            f"put the worker into {there.node.path} and give it the topic",
        )
