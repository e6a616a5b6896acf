"""What is checked of a worker's queues."""

from __future__ import annotations

from aws_cdk import Stack, Token
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, warn
from .environments import refuse_other_account, refuse_other_region

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
_SAME_PLACE = "SNS and SQS move messages to dead-letter queues of the same account and Region only"


def kind_is_known(queue: sqs.IQueue) -> bool:
    """Returns whether a queue is known to be FIFO or standard: the name of an imported one shows it."""
    return isinstance(queue, sqs.Queue) or not Token.is_unresolved(queue.queue_name)


def check_kind(scope: Construct, queue: sqs.IQueue, topic: sns.ITopic) -> None:
    """Checks whether SNS delivers to a queue of its kind, FIFO or standard, and what is lost thereby.

    https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html

    Raises:
        PipelineError: The queue is FIFO and the topic is not.
    """
    if not kind_is_known(queue) or queue.fifo == topic.fifo:
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


def check_dead_letter_queue(scope: Construct, queue: sqs.IQueue, *, fifo: bool) -> None:
    """Checks whether messages of a worker's queue can be moved to a dead-letter queue.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html

    Args:
        scope: The hop; it gets the warning.
        queue: The dead-letter queue.
        fifo: Whether the queue before it is FIFO.

    Raises:
        PipelineError: It is of another account, Region or kind than the queue before it.
    """
    refuse_other_region(scope, queue, queue.queue_arn, "dead-letter queue", why=_SAME_PLACE)
    refuse_other_account(scope, queue, queue.queue_arn, "dead-letter queue", why=_SAME_PLACE)
    if not isinstance(queue, sqs.Queue):
        warn(
            scope,
            Check.QUEUE_NOT_MANAGED,
            f"dead-letter queue {queue.node.path} is imported, so that its access policy cannot be set from here; "
            "where it is made, let sns.amazonaws.com send to it for the topic",
        )
    if kind_is_known(queue) and queue.fifo != fifo:
        kinds = {True: "FIFO", False: "standard"}
        raise PipelineError(
            Check.FIFO_MISMATCH,
            f"dead-letter queue {queue.node.path} is {kinds[queue.fifo]}, but the queue before it is {kinds[fifo]}; "
            "SQS moves messages between queues of one kind only",
        )


def check_dead_letter_queue_stack(scope: Construct, queue: sqs.IQueue | None, topic: sns.ITopic) -> None:
    """Refuses a given dead-letter queue whose policy would wait for the topic of the stack that waits for it.

    Raises:
        PipelineError: It is made in another stack than topic and worker.
    """
    if isinstance(queue, sqs.Queue) and isinstance(topic, sns.Topic):
        check_queue_stack(scope, queue, topic, "dead-letter queue")


def check_queue_stack(scope: Construct, queue: sqs.Queue, topic: sns.ITopic, what: str = "queue") -> None:
    """Refuses a queue whose stack would wait for the worker's, which waits for the queue.

    Args:
        scope: The hop.
        queue: The queue.
        topic: The topic before it.
        what: What the queue is, for the message.

    Raises:
        PipelineError: It is made in another stack than topic and worker.
    """
    here, there = Stack.of(scope), Stack.of(queue)
    if there.node.path != here.node.path and Stack.of(topic).node.path == here.node.path:
        raise PipelineError(
            Check.QUEUE_IN_OTHER_STACK,
            f"{what} {queue.node.path} belongs to stack {there.node.path}, topic and worker to "
            f"{here.node.path}: each stack would wait for the other; make it in {here.node.path}, or "
            f"put the worker into {there.node.path} and give it the topic",
        )
