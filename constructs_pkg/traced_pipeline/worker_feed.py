"""From a queue to a worker's function: the mapping, the right to take messages, and what is warned of."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .event_source import map_queue
from .grants import grant_poll
from .roles import check_rights
from .worker_function import WorkerFunction, check_concurrency
from .worker_options import WorkerOptions


def feed_from_queue(
    scope: Construct, queue: sqs.IQueue, worker: WorkerFunction, options: WorkerOptions
) -> lambda_.EventSourceMapping:
    """Lets Lambda pass the messages of a queue to a worker's function.

    Args:
        scope: The hop; it gets the warnings.
        queue: The queue.
        worker: The function.
        options: The worker's settings.

    Raises:
        PipelineError: The function works through the queue already.
    """
    mapping = map_queue(scope, queue, worker.target, options)
    to_poll = () if worker.target.role is None else grant_poll(queue, worker.target)
    check_rights(scope, worker.target, worker.needed + to_poll)
    check_concurrency(scope, options, worker.function)
    return mapping
