"""A worker behind a topic: subscription, queue, dead-letter queue and function."""

from __future__ import annotations

from dataclasses import replace

from aws_cdk import Duration, Stack, Token
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from . import bridge_environment
from .checks import Check, PipelineError, names_path, refuse_settings, warn
from .environments import check_environment, refuse_other_region, table_name_for
from .event_source import map_queue
from .existing_function import adopt_function, existing_function, own_function, reserved_executions_of, timeout_of
from .existing_topic import check_topic, is_passive
from .filter_checks import check_filter_policies, check_filters
from .function import TracedFunction
from .function_options import Handler
from .grants import Actions, grant_poll, grant_publish, grant_table
from .handler_code import reference_publisher
from .message_size import check_next_topic, check_queue_size
from .option_checks import check_options, checks_arguments
from .queue_checks import check_dead_letters_stack
from .queue_subscription import subscribe_queue
from .references import check_reference, check_references
from .roles import check_rights
from .table_checks import REFERENCE_ACTIONS, check_table
from .visibility import check_visibility, visibility_for_function
from .wiring_checks import check_wiring
from .work_queue import Consumer, make_queue, use_queue
from .worker_checks import check_batches, check_loop, check_scaling
from .worker_options import WorkerOptions

# What the bridge reads in its variables of the envelope and of the queue's segment.
_NO_ENVELOPE, _SNS_ENVELOPE = "none", "sns"
_ALWAYS = "always"
_ZERO_CODE = f", by the handler trace_bridge.auto.handler and its own one in {bridge_environment.HANDLER}"
# https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
_SAME_REGION = "Lambda works through queues of a function's own Region only"
_REFERENCE_CLIENTS = "the reference handler reaches its own Region only"


class QueueWorker(Construct):
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
        check_dead_letters_stack(self, options.dead_letter_queue, topic)
        check_batches(options, topic)
        check_scaling(options)
        check_loop(self, options, topic)
        check_topic(self, topic)
        check_filter_policies(options)
        check_filters(self, options)
        _check_destinations(self, options, topic)
        check_table(options)
        self._function, self._target, timeout, needed = self._make_function(topic, options)
        consumer = Consumer(
            same_region=_SAME_REGION,
            visibility="keep its visibility timeout at six times the function's timeout",
            check_visibility=lambda visibility, what: check_visibility(self, visibility, timeout, what),
        )
        if options.queue is not None:
            work = use_queue(self, options.queue, options=options, topic=topic, consumer=consumer)
        else:
            visibility = visibility_for_function(options, timeout)
            work = make_queue(self, options=options, topic=topic, visibility_timeout=visibility, consumer=consumer)
        self._queue, self._dead_letter_queue = work.queue, work.dead_letter_queue
        check_queue_size(self, topic, self._queue, "queue")
        check_queue_size(self, topic, self._dead_letter_queue, "dead-letter queue")
        self._subscription = subscribe_queue(
            self, topic, queue=self._queue, dead_letter_queue=self._dead_letter_queue, options=options
        )
        self._event_source_mapping = map_queue(self, self._queue, self._target, options)
        to_poll = () if self._target.role is None else grant_poll(self._queue, self._target)
        check_rights(self, self._target, needed + to_poll)
        _check_concurrency(self, options, self._function)
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
        return self._function

    @property
    def alias(self) -> lambda_.Alias | None:
        """The alias of the function that Lambda invokes, if there is one."""
        return self._target if isinstance(self._target, lambda_.Alias) else None

    @property
    def event_source_mapping(self) -> lambda_.EventSourceMapping:
        """The mapping by which Lambda passes the queue's messages to the function."""
        return self._event_source_mapping

    @property
    def subscription(self) -> sns.Subscription:
        """The subscription."""
        return self._subscription

    def _make_function(
        self, topic: sns.ITopic, options: WorkerOptions
    ) -> tuple[lambda_.IFunction, lambda_.IFunction, Duration | None, Actions]:
        environment: dict[str, str] = {}
        if options.table is not None:
            environment["TABLE_NAME"] = table_name_for(self, options.table)
        if options.publish_to is not None:
            environment["TOPIC_ARN"] = options.publish_to.topic_arn
        if not options.raw_message_delivery:
            environment[bridge_environment.ENVELOPE] = _SNS_ENVELOPE
        existing = existing_function(options)
        if existing is not None:
            refuse_settings(options, ("tracing",), existing="a function", instead="give a Handler instead")
            refuse_settings(
                options, ("zero_code",), existing="a function", how=_ZERO_CODE, instead="give a Handler instead"
            )
            _check_stack(self, existing, topic)
            refuse_other_region(self, existing, existing.function_arn, "function", why=_SAME_REGION)
            if own_function(existing) is not None:
                # Said either way, so that a function behind two queues is warned of where they differ.
                environment.setdefault(bridge_environment.ENVELOPE, _NO_ENVELOPE)
            adopt_function(self, existing, options, environment=environment, must_be_active=False)
            return existing, existing, timeout_of(existing), _grant(options, existing)
        if options.handler is None:
            actions = REFERENCE_ACTIONS if options.table_actions is None else options.table_actions
            options = replace(options, handler=_reference_worker(options), table_actions=actions)
        if is_passive(topic) and bridge_environment.QUEUE_SEGMENT not in (options.environment or {}):
            # X-Ray infers the queue from an active topic's segments; behind a passive one the bridge draws it.
            environment[bridge_environment.QUEUE_SEGMENT] = _ALWAYS
        traced = TracedFunction(
            self,
            "Function",
            options=options,
            environment=environment,
            active=options.tracing != "continued",
            bridge=options.tracing != "unbridged",
            zero_code=options.zero_code,
        )
        return traced.function, traced.target, traced.timeout, _grant(options, traced.function)


def _reference_worker(options: WorkerOptions) -> Handler:
    if options.table is None and options.publish_to is None:
        raise PipelineError(
            Check.WORKER_DESTINATION,
            "the reference handler has nowhere to put its messages; give WorkerOptions a table or a topic to "
            "publish_to, or a handler of your own",
        )
    return reference_publisher("worker", options.publish_to)


def _grant(options: WorkerOptions, function: lambda_.IFunction) -> Actions:
    """Lets the function reach what the hop writes to; returns what its role needs."""
    if function.role is None:
        return ()
    table, topic = options.table, options.publish_to
    to_table = () if table is None else grant_table(table, function, options.table_actions)
    to_topic = () if topic is None else grant_publish(topic, function)
    return to_table + to_topic


def _check_destinations(scope: Construct, options: WorkerOptions, before: sns.ITopic) -> None:
    table, topic = options.table, options.publish_to
    if table is not None:
        if options.handler is None:
            refuse_other_region(scope, table, table.table_arn, "table", why=_REFERENCE_CLIENTS)
        check_environment(scope, table, table.table_arn, "table")
    if topic is not None:
        if options.handler is None:
            refuse_other_region(scope, topic, topic.topic_arn, "topic", why=_REFERENCE_CLIENTS)
            check_next_topic(scope, before, topic)
        check_topic(scope, topic)


def _check_stack(scope: Construct, function: lambda_.IFunction, topic: sns.ITopic) -> None:
    own, here = own_function(function), Stack.of(scope).node.path
    if own is None or not isinstance(topic, sns.Topic):
        return
    there = Stack.of(own).node.path
    if there not in (here, "") and Stack.of(topic).node.path == there:
        raise PipelineError(
            Check.FUNCTION_IN_OTHER_STACK,
            f"function {own.node.path} and topic {topic.node.path} belong to stack {there}, the queue between them to "
            f"{here}: each stack would wait for the other; put the worker into {there}",
        )


def _check_concurrency(scope: Construct, options: WorkerOptions, function: lambda_.IFunction) -> None:
    most, reserved = options.max_concurrency, options.reserved_concurrent_executions
    if reserved is None:
        reserved = reserved_executions_of(function)
    if most is None or reserved is None or Token.is_unresolved(most) or Token.is_unresolved(reserved):
        return
    if most > reserved:
        warn(
            scope,
            Check.CONCURRENCY_ABOVE_RESERVED,
            f"max_concurrency is {most}, but the function has {reserved:g} executions reserved: Lambda will "
            "throttle the queue's batches, and messages may end in the dead-letter queue unprocessed; keep "
            "max_concurrency at or below reserved_concurrent_executions",
        )
