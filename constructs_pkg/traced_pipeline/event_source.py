"""The event source mapping by which Lambda passes a queue's messages to a function."""

from __future__ import annotations

from aws_cdk import Names
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError
from .customer_keys import warn_of_imported_filter_key
from .resource import resource_of
from .worker_options import WorkerOptions


def map_queue(
    scope: Construct, queue: sqs.IQueue, target: lambda_.IFunction, options: WorkerOptions
) -> lambda_.EventSourceMapping:
    """Creates the mapping of a queue and a function.

    Args:
        scope: The hop; it gets the warnings.
        queue: The queue.
        target: The function, or the alias that stands for it.
        options: The worker's settings.

    Raises:
        PipelineError: There is such a mapping already.
    """
    # The id is that of the CDK's own event source, whose grant is wider than what Lambda needs.
    construct_id = f"SqsEventSource:{Names.node_unique_id(queue.node)}"
    if target.node.try_find_child(construct_id) is not None:
        raise PipelineError(
            Check.DUPLICATE_EVENT_SOURCE,
            f"function {target.node.path} works through queue {queue.node.path} already, and Lambda has one event "
            "source mapping of a queue and a function; give the worker a function or a queue of its own",
        )
    mapping = target.add_event_source_mapping(
        construct_id,
        event_source_arn=queue.queue_arn,
        batch_size=options.batch_size,
        max_batching_window=options.max_batching_window,
        max_concurrency=options.max_concurrency,
        filters=[dict(pattern) for pattern in options.filters] if options.filters else None,
        filter_encryption=options.filter_encryption,
        metrics_config=_metrics() if options.event_source_metrics else None,
        report_batch_item_failures=True,
    )
    if options.filter_encryption is not None:
        warn_of_imported_filter_key(scope, options.filter_encryption)
    _provision_pollers(mapping, options)
    return mapping


def _metrics() -> lambda_.MetricsConfig:
    # The only ones that Lambda has for queues.
    return lambda_.MetricsConfig(metrics=[lambda_.MetricType.EVENT_COUNT])


def _provision_pollers(mapping: lambda_.EventSourceMapping, options: WorkerOptions) -> None:
    if options.minimum_pollers is None and options.maximum_pollers is None:
        return
    # The L2 refuses more than 2000 pollers, which is what Lambda takes for Kafka.
    resource = resource_of(mapping, lambda_.CfnEventSourceMapping)
    resource.provisioned_poller_config = lambda_.CfnEventSourceMapping.ProvisionedPollerConfigProperty(
        minimum_pollers=options.minimum_pollers, maximum_pollers=options.maximum_pollers
    )
