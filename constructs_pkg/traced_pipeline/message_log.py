"""The log line that the bridge writes for each message, and the metrics that CloudWatch makes of these lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IConstruct

from . import bridge_environment
from .bridge_variables import turned_off_by
from .checks import Check, PipelineError, names_path
from .container_options import ContainerWorkerOptions
from .existing_function import own_function
from .log_group import own_log_group_name
from .metric_keywords import MetricKeywords
from .names import account_wide_name
from .queue_options import QueueOptions
from .worker_options import WorkerOptions

_ON = "true"
_LINES = "traced-pipeline:message-log"
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
_LONGEST_NAMESPACE = 255
_NAMESPACE = "TracedPipeline/"


@dataclass(frozen=True, kw_only=True)
class MessageFilters:
    """The metric filters of a worker's log group."""

    duration: logs.MetricFilter
    queue_time: logs.MetricFilter


class MessageMetrics(Construct):
    """A worker, each of whose messages may have a log line.

    Percentiles, such as `statistic="p99"`, can be had, as no value is negative.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    """

    _message_filters: MessageFilters | None = None

    @property
    def has_message_metrics(self) -> bool:
        """Whether there are metrics of the messages (`message_metrics`)."""
        return self._message_filters is not None

    @names_path
    def metric_message_duration(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How long the handler worked on a message, in milliseconds; an error without `message_metrics`."""
        return self._filters().duration.metric(**options)

    @names_path
    def metric_message_queue_time(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How long a message waited in the queue until it was first received, in milliseconds; an error likewise."""
        return self._filters().queue_time.metric(**options)

    def _filters(self) -> MessageFilters:
        if self._message_filters is None:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                "there are no metrics of this worker's messages; give its options message_log=True and "
                "message_metrics=True",
            )
        return self._message_filters


def check_message_log(options: ContainerWorkerOptions | WorkerOptions) -> None:
    """Checks the settings of the lines against each other.

    Args:
        options: The worker's settings.

    Raises:
        PipelineError: Nothing would write the lines that are asked for.
    """
    if options.message_metrics and not options.message_log:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "message_metrics is on, but message_log is off, and the metrics are made of its lines; turn message_log on",
        )
    off = turned_off_by(options.environment)
    why = "" if off is None else f"{off} in environment turns the bridge off"
    if isinstance(options, WorkerOptions) and options.tracing == "unbridged":
        why = 'tracing is "unbridged"'
    if options.message_log and why:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"message_log is on, but {why}, and the bridge writes the lines; leave out one of them",
        )


def message_log_variables(options: QueueOptions) -> dict[str, str]:
    """Returns the variable that has the bridge write the lines, if they are asked for."""
    return {bridge_environment.MESSAGE_LOG: _ON} if options.message_log else {}


def filters_of_function(
    worker: Construct, options: QueueOptions, function: lambda_.IFunction, log_group: logs.ILogGroup | None
) -> MessageFilters | None:
    """Makes the metrics of a worker's messages, if they are asked for.

    Args:
        worker: The worker.
        options: Its settings.
        function: Its function.
        log_group: The function's log group; None if the function is an existing one.

    Raises:
        PipelineError: The log group of an existing function is not known, or holds the lines of another worker.
    """
    if log_group is not None or not options.message_log:
        return filters_of_log_group(worker, options, log_group, owner=log_group)
    own = own_function(function)
    name = None if own is None else own_log_group_name(own)
    if options.message_metrics and name is None:
        raise _unknown(function, "is imported" if own is None else "has no log group of its own")
    if options.message_metrics and name is not None:
        log_group = logs.LogGroup.from_log_group_name(worker, "FunctionLogs", name)
    return filters_of_log_group(worker, options, log_group, owner=own)


def filters_of_log_group(
    worker: Construct, options: QueueOptions, log_group: logs.ILogGroup | None, *, owner: IConstruct | None
) -> MessageFilters | None:
    """Makes the metrics of a worker's messages, if they are asked for.

    Args:
        worker: The worker.
        options: Its settings.
        log_group: Where it logs; None if no metrics are asked for, or that is not known.
        owner: What other workers may share: the log group, or an existing function; None if it is imported.

    Raises:
        PipelineError: The log group holds the lines of another worker.
    """
    if options.message_log and owner is not None:
        _refuse_mixed(worker, options, owner)
    if not options.message_metrics or log_group is None:
        return None
    return MessageFilters(
        duration=_filter(worker, "MessageDuration", log_group, "$.duration_ms"),
        # A message that is received again has waited for its first receive once.
        queue_time=_filter(worker, "MessageQueueTime", log_group, "$.queue_ms", " && ($.attempt = 1)"),
    )


def _filter(worker: Construct, name: str, log_group: logs.ILogGroup, value: str, more: str = "") -> logs.MetricFilter:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    pattern = f'{{ ($.logger = "{bridge_environment.MESSAGE_LOGGER}") && ({value} = *){more} }}'
    return logs.MetricFilter(
        worker,
        name,
        log_group=log_group,
        filter_pattern=logs.FilterPattern.literal(pattern),
        metric_namespace=_NAMESPACE + account_wide_name(worker, max_length=_LONGEST_NAMESPACE - len(_NAMESPACE)),
        metric_name=name,
        metric_value=value,
        unit=cloudwatch.Unit.MILLISECONDS,
    )


def _refuse_mixed(worker: Construct, options: QueueOptions, owner: IConstruct) -> None:
    for other in (entry.data for entry in owner.node.metadata if entry.type == _LINES):
        if options.message_metrics or other["metrics"]:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f"{owner.node.path} holds the lines of worker {other['worker']} too, so that metrics of them would be "
                "about the messages of both; give each a log group of its own, or leave out message_metrics",
            )
    owner.node.add_metadata(_LINES, {"worker": worker.node.path, "metrics": options.message_metrics})


def _unknown(function: lambda_.IFunction, why: str) -> PipelineError:
    return PipelineError(
        Check.OPTION_CONFLICT,
        f"message_metrics is on, but function {function.node.path} {why}, so that there is no log group here to make "
        "metrics of; make the function in this app with a log_group, or leave out message_metrics",
    )
