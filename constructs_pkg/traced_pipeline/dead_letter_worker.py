"""A worker on a dead-letter queue."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, names_path, refuse_settings, required
from .filter_checks import check_filters
from .function import TracedFunction
from .function_metrics import FunctionMetrics
from .message_log import MessageMetrics
from .option_checks import check_options, checks_arguments
from .queue_metrics import QueueMetrics
from .references import check_reference, check_references
from .table_checks import check_table
from .visibility import visibility_for_function
from .wiring_checks import check_wiring
from .work_queue import use_dead_letter_queue
from .worker_checks import check_batches, check_scaling
from .worker_feed import feed_from_queue
from .worker_function import check_destinations, function_as_consumer, make_worker_function, message_filters
from .worker_options import WorkerOptions

_OF_A_SUBSCRIPTION = ("queue", "filter_policy", "filter_policy_with_message_body")
_OF_A_CREATED_QUEUE = ("deduplication_scope", "fifo_throughput_limit")


class DeadLetterWorker(QueueMetrics, FunctionMetrics, MessageMetrics):
    """A function that works through a dead-letter queue, in the trace of each message.

    A message keeps its trace header on the way to the dead-letter queue, so that what the function does is in the
    request's one trace, beside the attempts that failed. The queue's visibility timeout follows the function's
    timeout. What fails here too goes to a further dead-letter queue.

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        queue: The dead-letter queue, made in this stack, or imported.
        options: The worker's settings. Those of a subscription stay at their defaults; the reference handler needs
            a `table` or a topic to `publish_to`. `dead_letter_queue`, `queue_key` and `max_receive_count` are those of
            the further dead-letter queue; by default it has the key of the first.

    Raises:
        PipelineError: The options contradict each other, or name something that does not exist.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import DeadLetterWorker, Handler, TracedPipeline, WorkerOptions

        stack = Stack(App(), "Shop")
        orders = TracedPipeline(stack, "Orders")
        options = WorkerOptions(handler=Handler("handlers/orders", "app.handler"))
        DeadLetterWorker(stack, "Repair", queue=orders.dead_letter_queue, options=options)
        ```
    """

    @names_path
    @checks_arguments
    def __init__(self, scope: Construct, construct_id: str, *, queue: sqs.IQueue, options: WorkerOptions) -> None:
        super().__init__(scope, construct_id)
        check_options(options)
        _refuse_settings_of_a_subscription(options)
        refuse_settings(options, _OF_A_CREATED_QUEUE, existing="a dead-letter queue", instead="leave them out")
        check_reference(self, "queue", queue)
        check_references(self, options)
        _check_stack(self, queue)
        check_batches(options, fifo=queue.fifo)
        check_scaling(options)
        check_filters(self, options)
        check_destinations(self, options)
        check_table(options)
        if options.queue_key is None:
            options = replace(options, queue_key=queue.encryption_master_key)
        self._made = make_worker_function(self, options, topic=None)
        self._message_filters = message_filters(self, self._made, options)
        self._queue = queue
        self._dead_letter_queue = use_dead_letter_queue(
            self,
            queue,
            options=options,
            visibility_timeout=partial(visibility_for_function, options, self._made.timeout),
            consumer=function_as_consumer(self, self._made.timeout),
        )
        self._event_source_mapping = feed_from_queue(self, queue, self._made, options)
        check_wiring(self)

    @property
    def queue(self) -> sqs.IQueue:
        """The dead-letter queue that the function works through."""
        return self._queue

    @property
    def dead_letter_queue(self) -> sqs.IQueue | None:
        """The queue for what fails here too; None where the worked-through queue is imported."""
        return self._dead_letter_queue

    @property
    def function(self) -> lambda_.IFunction:
        """The function."""
        return self._made.function

    @property
    @names_path
    def traced_function(self) -> TracedFunction:
        """The construct of the function, with its role and log group; an error where the function is not made here."""
        return required(self._made.traced, "function", "WorkerOptions.handler", instead="function")

    @property
    def alias(self) -> lambda_.Alias | None:
        """The alias of the function that Lambda invokes, if there is one."""
        return self._made.alias

    @property
    def event_source_mapping(self) -> lambda_.EventSourceMapping:
        """The mapping by which Lambda passes the queue's messages to the function."""
        return self._event_source_mapping


def _refuse_settings_of_a_subscription(options: WorkerOptions) -> None:
    given = [name for name in _OF_A_SUBSCRIPTION if getattr(options, name) is not None]
    if given:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"{', '.join(given)} given, but a dead-letter worker has no subscription and no other queue than the "
            "dead-letter queue; leave it out",
        )


def _check_stack(scope: Construct, queue: sqs.IQueue) -> None:
    here, there = Stack.of(scope).node.path, Stack.of(queue).node.path
    if isinstance(queue, sqs.Queue) and here != there:
        raise PipelineError(
            Check.QUEUE_IN_OTHER_STACK,
            f"queue {queue.node.path} belongs to stack {there}, its worker to {here}: each stack would wait for the "
            f"other, since the queue names the one for what fails again; put the worker into {there}",
        )
