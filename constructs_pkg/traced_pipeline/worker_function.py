"""The function of a worker: one that is made, or an existing one, and what it may reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aws_cdk import Duration, Stack, Token
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from . import bridge_environment
from .checks import Check, PipelineError, refuse_settings, refuse_variables, warn
from .durability import is_durable, refuse_durable
from .environments import check_environment, refuse_other_region
from .existing_function import adopt_function, existing_function, own_function, reserved_executions_of, timeout_of
from .existing_topic import check_topic
from .function import TracedFunction
from .function_options import Handler
from .grants import Actions, grant_publish, grant_table
from .handler_code import reference_publisher
from .instrumentation import why_active
from .layer import AUTO_HANDLER
from .message_log import MessageFilters, check_message_log, filters_of_function
from .resource import resource_of
from .table_checks import REFERENCE_ACTIONS
from .visibility import check_visibility
from .work_queue import Consumer
from .worker_options import WorkerOptions, WorkerTracing
from .worker_variables import NO_ENVELOPE, hop_variables, queue_segment_variable

_ZERO_CODE = f", by the handler {AUTO_HANDLER} and its own one in {bridge_environment.HANDLER}"
# https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
_SAME_REGION = "Lambda works through queues of a function's own Region only"
_REFERENCE_CLIENTS = "the reference handler reaches its own Region only"


@dataclass(frozen=True, kw_only=True)
class WorkerFunction:
    """A worker's function.

    Attributes:
        function: The function.
        target: What Lambda invokes: the function, or an alias of it.
        timeout: The function's timeout; None if it is not known.
        needed: What the function's role needs for what the hop writes to.
        traced: Its construct, where the hop makes it.
    """

    function: lambda_.IFunction
    target: lambda_.IFunction
    timeout: Duration | None
    needed: Actions
    traced: TracedFunction | None = None

    @property
    def alias(self) -> lambda_.Alias | None:
        """The alias that Lambda invokes; None where it invokes the function or a version."""
        return self.target if isinstance(self.target, lambda_.Alias) else None


def make_worker_function(scope: Construct, options: WorkerOptions, *, topic: sns.ITopic | None) -> WorkerFunction:
    """Makes a worker's function, or gives an existing one what the worker needs.

    Args:
        scope: The hop.
        options: Its settings.
        topic: The topic before the worker's queue; None where that is a dead-letter queue.

    Raises:
        PipelineError: Settings contradict each other, or name something that does not exist.
    """
    check_message_log(options)
    environment = hop_variables(scope, options)
    existing = existing_function(options)
    if existing is not None:
        return _use_function(scope, existing, options, topic=topic, environment=environment)
    if options.handler is None:
        actions = REFERENCE_ACTIONS if options.table_actions is None else options.table_actions
        options = replace(options, handler=_reference_worker(options), table_actions=actions)
    environment |= queue_segment_variable(topic, options.environment)
    refuse_variables(options.environment, environment)
    traced = TracedFunction(
        scope,
        "Function",
        options=options,
        environment=environment,
        active=_tracing_of(options) != "continued",
        bridge=options.tracing != "unbridged",
        zero_code=options.zero_code,
    )
    return WorkerFunction(
        function=traced.function,
        target=traced.target,
        timeout=traced.timeout,
        needed=_grant(options, traced.function),
        traced=traced,
    )


def message_filters(worker: Construct, made: WorkerFunction, options: WorkerOptions) -> MessageFilters | None:
    """Makes the metrics of the messages that a worker's function works on, if they are asked for.

    Raises:
        PipelineError: The log group of an existing function is not known, or holds the lines of another worker.
    """
    log_group = None if made.traced is None else made.traced.log_group
    return filters_of_function(worker, options, made.function, log_group)


def function_as_consumer(scope: Construct, timeout: Duration | None) -> Consumer:
    """Returns what a queue has to suit where a function works through it.

    Args:
        scope: The hop; it gets the warnings.
        timeout: The function's timeout; None if it is not known.
    """
    return Consumer(
        same_region=_SAME_REGION,
        visibility="keep its visibility timeout at six times the function's timeout",
        check_visibility=lambda visibility, what: check_visibility(scope, visibility, timeout, what),
    )


def check_destinations(scope: Construct, options: WorkerOptions) -> None:
    """Checks the table and the topic that a worker writes to.

    Raises:
        PipelineError: The reference handler cannot reach one of them.
    """
    table, topic = options.table, options.publish_to
    if table is not None:
        if options.handler is None:
            refuse_other_region(scope, table, table.table_arn, "table", why=_REFERENCE_CLIENTS)
        check_environment(scope, table, table.table_arn, "table")
    if topic is not None:
        if options.handler is None:
            refuse_other_region(scope, topic, topic.topic_arn, "topic", why=_REFERENCE_CLIENTS)
        check_topic(scope, topic)


def check_concurrency(scope: Construct, options: WorkerOptions, function: lambda_.IFunction) -> None:
    """Warns where Lambda may pass more batches to a function than it lets run at once."""
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


def _use_function(
    scope: Construct,
    existing: lambda_.IFunction,
    options: WorkerOptions,
    *,
    topic: sns.ITopic | None,
    environment: dict[str, str],
) -> WorkerFunction:
    refuse_settings(options, ("tracing",), existing="a function", instead="give a Handler instead")
    refuse_settings(options, ("zero_code",), existing="a function", how=_ZERO_CODE, instead="give a Handler instead")
    own = own_function(existing)
    if own is not None and is_durable(resource_of(own, lambda_.CfnFunction)):
        refuse_durable(own.node.path)
    _check_stack(scope, existing, topic)
    refuse_other_region(scope, existing, existing.function_arn, "function", why=_SAME_REGION)
    if own is not None:
        # Said either way, so that a function behind two queues is warned of where they differ.
        environment.setdefault(bridge_environment.ENVELOPE, NO_ENVELOPE)
    adopt_function(scope, existing, options, environment=environment, must_be_active=False)
    return WorkerFunction(
        function=existing, target=existing, timeout=timeout_of(existing), needed=_grant(options, existing)
    )


def _tracing_of(options: WorkerOptions) -> WorkerTracing:
    """Returns how the worker is traced, which its instrumentation decides where the options do not."""
    if options.tracing is not None:
        return options.tracing
    return "linked" if why_active(options.instrumentation) else "continued"


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


def _check_stack(scope: Construct, function: lambda_.IFunction, topic: sns.ITopic | None) -> None:
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
