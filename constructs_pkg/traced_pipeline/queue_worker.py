"""A worker behind a topic: subscription, queue, dead-letter queue and function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, names_path, required
from .dead_letter_worker import DeadLetterWorker
from .existing_topic import check_topic
from .fifo_throughput import check_existing_scope
from .filter_checks import check_filter_policies, check_filters
from .function import TracedFunction
from .function_metrics import FunctionMetrics
from .message_log import MessageMetrics
from .message_size import check_next_topic
from .option_checks import check_options, checks_arguments
from .queue_checks import check_dead_letter_queue_stack, check_kind
from .queue_metrics import QueueMetrics
from .queue_subscription import subscribe_queue
from .references import check_reference, check_references
from .table_checks import check_table
from .visibility import visibility_for_function
from .wiring_checks import check_wiring
from .work_queue import make_queue, use_queue
from .worker_checks import check_batches, check_loop, check_scaling, is_fifo
from .worker_feed import feed_from_queue
from .worker_function import check_destinations, function_as_consumer, make_worker_function, message_filters
from .worker_options import WorkerOptions


class QueueWorker(QueueMetrics, FunctionMetrics, MessageMetrics):
    """A subscription with its queue and dead-letter queue, and the function that works through it.

    Messages of a batch succeed or fail one by one (`ReportBatchItemFailures`). Messages that SNS cannot deliver, and
    those that fail too often, go to the same dead-letter queue. The queue's visibility timeout follows the function's
    timeout.

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        topic: The topic to subscribe to. If it is FIFO, the queues are too.
        options: The hop's settings. Default: those of `WorkerOptions()`; the reference handler needs a
            `table` or a topic to `publish_to`.

    Raises:
        PipelineError: The options contradict each other, or name something that does not exist.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import Handler, QueueWorker, TracedTopic, WorkerOptions

        stack = Stack(App(), "Shop")
        orders, shipped = TracedTopic(stack, "Orders").topic, TracedTopic(stack, "Shipped").topic
        options = WorkerOptions(handler=Handler("handlers/orders", "app.handler"), batch_size=5, publish_to=shipped)
        QueueWorker(stack, "Ship", topic=orders, options=options)
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        options: WorkerOptions | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        options = options or WorkerOptions()
        check_options(options)
        check_reference(self, "topic", topic)
        check_references(self, options)
        check_dead_letter_queue_stack(self, options.dead_letter_queue, topic)
        check_batches(options, fifo=is_fifo(options.queue, topic))
        check_scaling(options)
        check_loop(self, options, topic)
        check_topic(self, topic)
        check_filter_policies(options)
        check_filters(self, options)
        check_destinations(self, options)
        if options.publish_to is not None and options.handler is None:
            check_next_topic(self, topic, options.publish_to)
        check_table(options)
        self._options = options
        self._dead_letter_workers: list[DeadLetterWorker] = []
        self._on_dead_letter_worker: list[Callable[[DeadLetterWorker], None]] = []
        self._made = make_worker_function(self, options, topic=topic)
        self._message_filters = message_filters(self, self._made, options)
        consumer = function_as_consumer(self, self._made.timeout)
        if options.queue is not None:
            work = use_queue(self, options.queue, options=options, topic=topic, consumer=consumer)
        else:
            visibility = visibility_for_function(options, self._made.timeout)
            work = make_queue(self, options=options, topic=topic, visibility_timeout=visibility, consumer=consumer)
        self._queue, self._dead_letter_queue = work.queue, work.dead_letter_queue
        self._subscription = self._subscribe(topic, options)
        self._event_source_mapping = feed_from_queue(self, self._queue, self._made, options)
        check_wiring(self)

    @property
    def queue(self) -> sqs.IQueue:
        """The queue."""
        return self._queue

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """The dead-letter queue."""
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

    @property
    def subscription(self) -> sns.Subscription:
        """The subscription."""
        return self._subscription

    @names_path
    @checks_arguments
    def add_topic(
        self,
        topic: sns.ITopic,
        *,
        filter_policy: Mapping[str, sns.SubscriptionFilter] | None = None,
        filter_policy_with_message_body: Mapping[str, sns.FilterOrPolicy] | None = None,
    ) -> sns.Subscription:
        """Subscribes the worker's queue to a further topic, so that one worker gets the messages of several.

        Args:
            topic: The topic, of the queue's kind, FIFO or standard.
            filter_policy: Which messages SNS delivers to the queue, by message attributes. Default: all.
            filter_policy_with_message_body: Which messages SNS delivers to the queue, by the message body; it excludes
                `filter_policy`. Default: all.

        Returns:
            The subscription.
        """
        options = replace(
            self._options,
            filter_policy=filter_policy,
            filter_policy_with_message_body=filter_policy_with_message_body,
        )
        check_reference(self, "topic", topic)
        check_dead_letter_queue_stack(self, options.dead_letter_queue, topic)
        check_loop(self, options, topic)
        check_topic(self, topic)
        check_filter_policies(options)
        check_kind(self, self._queue, topic)
        check_existing_scope(self, self._queue, topic)
        if options.publish_to is not None and options.handler is None:
            check_next_topic(self, topic, options.publish_to)
        return self._subscribe(topic, options)

    @names_path
    @checks_arguments
    def add_dead_letter_worker(self, construct_id: str, options: WorkerOptions) -> DeadLetterWorker:
        """Adds a worker on the worker's dead-letter queue, which continues the traces of its messages.

        Args:
            construct_id: Id of the worker within this one.
            options: The worker's settings. Its messages have SNS's envelope, or have none, as this worker's have.

        Returns:
            The worker.
        """
        own = self._options
        if own.raw_message_delivery and not options.raw_message_delivery:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                "raw_message_delivery is False, but the messages are those of the worker, which has it on; leave it "
                "out, or turn it off for the worker",
            )
        options = replace(
            options,
            removal_policy=options.removal_policy or own.removal_policy,
            instrumentation=options.instrumentation or own.instrumentation,
            raw_message_delivery=own.raw_message_delivery,
        )
        worker = DeadLetterWorker(self, construct_id, queue=self._dead_letter_queue, options=options)
        self._dead_letter_workers.append(worker)
        for action in self._on_dead_letter_worker:
            action(worker)
        return worker

    def each_dead_letter_worker(self, action: Callable[[DeadLetterWorker], None]) -> None:
        """Calls a function with each worker on the worker's dead-letter queue, including those that are added later.

        Args:
            action: Called with a dead-letter worker: at once, or when it is added.
        """
        self._on_dead_letter_worker.append(action)
        for worker in self._dead_letter_workers:
            action(worker)

    def _subscribe(self, topic: sns.ITopic, options: WorkerOptions) -> sns.Subscription:
        return subscribe_queue(
            self, topic, queue=self._queue, dead_letter_queue=self._dead_letter_queue, options=options
        )
