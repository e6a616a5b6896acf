"""What is checked of a worker's batches, and of where its messages go."""

from __future__ import annotations

from aws_cdk import Stack, Token
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import IConstruct

from .checks import Check, PipelineError
from .queue_checks import kind_is_known
from .worker_options import WorkerOptions

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_LARGEST_WITHOUT_WINDOW = 10
_LARGEST_OF_FIFO = 10


def check_batches(options: WorkerOptions, *, fifo: bool) -> None:
    """Checks batch size and batching window against each other and against the queue.

    Args:
        options: The worker's settings.
        fifo: Whether the queue is FIFO.

    Raises:
        PipelineError: Lambda would refuse the event source mapping.
    """
    size, window = options.batch_size, options.max_batching_window
    if fifo:
        if window is not None and not window.is_unresolved() and window.to_seconds() > 0:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f"max_batching_window is {window.to_seconds():g} s, but Lambda waits for no batch of a FIFO queue; "
                "leave it out",
            )
        if not Token.is_unresolved(size) and size > _LARGEST_OF_FIFO:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f"batch_size is {size}, but a FIFO queue gives at most {_LARGEST_OF_FIFO}; give a smaller one",
            )
        return
    if Token.is_unresolved(size) or size <= _LARGEST_WITHOUT_WINDOW:
        return
    if window is None or (not window.is_unresolved() and window.to_seconds() < 1):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"batch_size is {size}, but more than {_LARGEST_WITHOUT_WINDOW} need a max_batching_window of at least "
            "1 s; give one, or a smaller batch_size",
        )


def check_scaling(options: WorkerOptions) -> None:
    """Checks the settings of provisioned mode against each other and against those it excludes.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html

    Raises:
        PipelineError: Lambda would refuse the event source mapping.
    """
    fewest, most = options.minimum_pollers, options.maximum_pollers
    if options.max_concurrency is not None and not (fewest is None and most is None):
        given = " and ".join(
            name for name in ("minimum_pollers", "maximum_pollers") if getattr(options, name) is not None
        )
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"max_concurrency and {given} are given, but Lambda scales a queue by one or the other; leave out "
            f"max_concurrency, or {given}",
        )
    if fewest is None or most is None or Token.is_unresolved(fewest) or Token.is_unresolved(most):
        return
    if fewest > most:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"minimum_pollers is {fewest}, but must be at most maximum_pollers, which is {most}",
        )


def check_loop(scope: IConstruct, options: WorkerOptions, topic: sns.ITopic) -> None:
    """Refuses the reference handler for a topic that it publishes to itself: each message would come back to it.

    Lambda stops such a loop after some rounds: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html

    Args:
        scope: The hop.
        options: The worker's settings; a filter may keep out what the worker publishes.
        topic: The topic before the worker's queue.

    Raises:
        PipelineError: Nothing keeps what the worker publishes out of its queue.
    """
    filtered = options.filters or options.filter_policy or options.filter_policy_with_message_body
    if options.handler is not None or options.publish_to is None or filtered:
        return
    stack = Stack.of(scope)
    if stack.resolve(options.publish_to.topic_arn) == stack.resolve(topic.topic_arn):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"publish_to is {options.publish_to.node.path}, the topic that the worker gets its messages from, and the "
            "reference handler publishes each of them: they would come back to it again and again; give another topic, "
            "or a filter_policy that keeps them out",
        )


def is_fifo(queue: sqs.IQueue | None, topic: sns.ITopic) -> bool:
    """Returns whether a worker's queue is FIFO: the existing one, or the one that is made of the topic's kind."""
    if queue is None:
        return topic.fifo
    return queue.fifo and kind_is_known(queue)
