"""A worker's batches, which depend on each other and on the kind of its queue."""

from __future__ import annotations

from aws_cdk import Token
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from .checks import Check, PipelineError
from .queue_checks import kind_is_known
from .worker_options import WorkerOptions

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_LARGEST_WITHOUT_WINDOW = 10
_LARGEST_OF_FIFO = 10


def check_batches(options: WorkerOptions, topic: sns.ITopic) -> None:
    """Checks batch size and batching window against each other and against the queue.

    Raises:
        PipelineError: Lambda would refuse the event source mapping.
    """
    size, window = options.batch_size, options.max_batching_window
    if _is_fifo(options.queue, topic):
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


def _is_fifo(queue: sqs.IQueue | None, topic: sns.ITopic) -> bool:
    if queue is None:
        return topic.fifo
    return queue.fifo and kind_is_known(queue)
