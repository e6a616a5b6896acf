"""Whether a pipeline works: alarms, a dashboard and saved queries."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm_topic import let_alarms_notify
from .alarms import errors_alarm, latency_alarm, server_errors_alarm, throttles_alarm, waiting_alarm
from .checks import Check, PipelineError, names_path
from .container_worker import ContainerWorker
from .dashboard import add_pipeline, add_traces, add_worker
from .dead_letter_worker import DeadLetterWorker
from .environments import refuse_other_place, refuse_other_region
from .existing_api import own_api
from .ingest_api import IngestApi
from .log_group import log_group_name_of
from .monitoring_options import MonitoringOptions
from .names import account_wide_name, free_id
from .option_checks import check_options, checks_arguments
from .pipeline import TracedPipeline
from .queue_worker import QueueWorker
from .references import check_references
from .resource import identity_of, referenced_resource, resource_of
from .saved_queries import query_name, save_queries

# Metadata of an alarm: the path of a topic of another stack that it notifies.
_NOTIFIES = "traced-pipeline:notifies"
_LONGEST_WAIT = Duration.minutes(15)
_LONGEST_REQUEST = Duration.seconds(5)
_LONGEST_NAME = 200


class PipelineMonitoring(Construct):
    """Watches a pipeline: alarms for what somebody has to act on, a dashboard, and queries of its logs.

    Workers that are added to the pipeline later are watched too. The alarms on dead-letter queues are the pipeline's
    own; here they get the `alarm_topic`.

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        pipeline: The pipeline.
        options: What is watched. Default: `MonitoringOptions()`.

    Raises:
        PipelineError: An option would be ignored or has a value that AWS does not take, or its topic cannot be
            notified.

    Example:
        ```python
        from aws_cdk import App, Stack
        from aws_cdk import aws_sns as sns
        from traced_pipeline import MonitoringOptions, PipelineMonitoring, TracedPipeline

        stack = Stack(App(), "Shop")
        orders = TracedPipeline(stack, "Orders")
        on_call = sns.Topic(stack, "OnCall")
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(alarm_topic=on_call))
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pipeline: TracedPipeline,
        options: MonitoringOptions | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._options = options or MonitoringOptions()
        check_options(self._options)
        check_references(self, self._options)
        topic = self._options.alarm_topic
        _check_place(self, pipeline, topic)
        _check_topic(self, pipeline, self._options)
        _check_thresholds(pipeline, self._options)
        _check_unit("longest_wait", self._options.longest_wait, "seconds")
        _check_unit("longest_request", self._options.longest_request, "millis")
        if topic is not None:
            why = "an alarm notifies topics of its own Region only"
            refuse_other_region(self, topic, topic.topic_arn, "topic", why=why)
            let_alarms_notify(self, topic)
        self._pipeline = pipeline
        self._folder = account_wide_name(pipeline, max_length=_LONGEST_NAME)
        self._alarms: list[cloudwatch.Alarm] = []
        self._log_groups: list[str] = []
        self._dashboard = cloudwatch.Dashboard(self, "Dashboard") if self._options.dashboard else None
        if self._options.alarms and own_api(pipeline.api) is not None:
            self._watch_api(pipeline.ingest)
        if self._dashboard is not None and pipeline.trace_group is not None:
            add_traces(self._dashboard, pipeline)
        self._add_log_group(log_group_name_of(pipeline.ingest_function))
        pipeline.each_worker(self._watch)
        self._queries: Mapping[str, logs.CfnQueryDefinition] = {}
        if self._options.queries:
            self._queries = save_queries(self, self._folder, lambda: self._log_groups)

    @property
    def alarms(self) -> list[cloudwatch.Alarm]:
        """The alarms, without those on dead-letter queues, which are the pipeline's."""
        return list(self._alarms)

    @property
    def dashboard(self) -> cloudwatch.Dashboard | None:
        """The dashboard, if there is one."""
        return self._dashboard

    @property
    def queries(self) -> Mapping[str, logs.CfnQueryDefinition]:
        """The saved queries: `Trace`, `Failures`, `Slowest` and `SlowestMessages`."""
        return self._queries

    def _watch_api(self, ingest: IngestApi) -> None:
        longest = self._options.longest_request or _LONGEST_REQUEST
        self._add_alarm(server_errors_alarm(self, "ServerErrors", ingest, self._options.server_errors))
        self._add_alarm(latency_alarm(self, "Latency", ingest, longest))

    def _watch(self, worker: QueueWorker | ContainerWorker) -> None:
        name = worker.node.id
        self._notify_of_dead_letter_messages(name)
        if self._options.alarms:
            longest = self._options.longest_wait or _LONGEST_WAIT
            self._add_alarm(waiting_alarm(self, self._free_id(name, "Waiting"), worker, longest))
            if isinstance(worker, QueueWorker):
                self._add_alarm(self._errors(self._free_id(name, "Errors"), worker))
                self._add_alarm(throttles_alarm(self, self._free_id(name, "Throttles"), worker))
        if isinstance(worker, ContainerWorker):
            self._add_log_group(worker.log_group.log_group_name)
        else:
            self._add_log_group(log_group_name_of(worker.function))
        if self._dashboard is not None:
            self._show(self._dashboard, worker)
        if isinstance(worker, QueueWorker):
            worker.each_dead_letter_worker(partial(self._watch_repair, name))

    def _watch_repair(self, worker: str, repair: DeadLetterWorker) -> None:
        """Watches a worker on a dead-letter queue, on whose messages the pipeline has an alarm already."""
        self._notify_of_dead_letter_messages(f"{worker}/{repair.node.id}")
        if self._options.alarms:
            names = worker, repair.node.id
            self._add_alarm(self._errors(self._free_id(*names, "Errors"), repair))
            self._add_alarm(throttles_alarm(self, self._free_id(*names, "Throttles"), repair))
        self._add_log_group(log_group_name_of(repair.function))
        if self._dashboard is not None:
            meaning = f"Works on what {worker} could not process: the messages of its dead-letter queue."
            add_worker(self._dashboard, repair, meaning)

    def _show(self, dashboard: cloudwatch.Dashboard, worker: QueueWorker | ContainerWorker) -> None:
        pipeline = self._pipeline
        if worker is pipeline.worker:
            add_pipeline(dashboard, pipeline.ingest, pipeline.topic, pipeline.worker, pipeline.table)
        else:
            meaning = "A further worker behind the topic: the hops before it are those above."
            add_worker(dashboard, worker, meaning)

    def _errors(self, construct_id: str, worker: QueueWorker | DeadLetterWorker) -> cloudwatch.Alarm:
        """Creates the alarm on failed invocations of a function, which says where its exceptions can be read."""
        group = log_group_name_of(worker.function)
        causes = f"its log group {group}" if group is not None else "its log"
        if self._options.queries:
            causes = f'the saved query "{query_name(self._folder, "Failures")}" in CloudWatch Logs Insights'
        return errors_alarm(self, construct_id, worker, causes=causes)

    def _free_id(self, *parts: str) -> str:
        return free_id(self, "".join(parts), "-".join(parts))

    def _notify_of_dead_letter_messages(self, worker: str) -> None:
        alarm = self._pipeline.dead_letter_alarms.get(worker)
        if alarm is not None and not _notifies(alarm, self._options.alarm_topic):
            self._notify(alarm)
            _remember(alarm, self._options.alarm_topic)

    def _add_alarm(self, alarm: cloudwatch.Alarm) -> None:
        self._alarms.append(alarm)
        self._notify(alarm)

    def _notify(self, alarm: cloudwatch.Alarm) -> None:
        if self._options.alarm_topic is not None:
            alarm.add_alarm_action(cloudwatch_actions.SnsAction(self._options.alarm_topic))

    def _add_log_group(self, name: str | None) -> None:
        if name is not None and name not in self._log_groups:
            self._log_groups.append(name)


def _notifies(alarm: cloudwatch.Alarm, topic: sns.ITopic | None) -> bool:
    """Returns whether an alarm, which others may watch as well, notifies a topic already."""
    if topic is None:
        return False
    if (elsewhere := _of_another_stack(alarm, topic)) is not None:
        # Until the app is synthesized, topics of two such stacks may resolve to the same.
        return any((entry.type, entry.data) == (_NOTIFIES, elsewhere) for entry in alarm.node.metadata)
    stack = Stack.of(alarm)
    actions = stack.resolve(resource_of(alarm, cloudwatch.CfnAlarm).alarm_actions) or []
    return stack.resolve(topic.topic_arn) in actions


def _remember(alarm: cloudwatch.Alarm, topic: sns.ITopic | None) -> None:
    """Keeps with an alarm which topic of another stack it notifies."""
    elsewhere = None if topic is None else _of_another_stack(alarm, topic)
    if elsewhere is not None:
        alarm.node.add_metadata(_NOTIFIES, elsewhere)


def _of_another_stack(alarm: cloudwatch.Alarm, topic: sns.ITopic) -> str | None:
    """Returns the path of a topic that is made in another stack than an alarm; None for others."""
    resource = referenced_resource(topic.topic_arn)
    if resource is None or Stack.of(resource).node.path == Stack.of(alarm).node.path:
        return None
    return resource.node.path


def _check_place(scope: Construct, pipeline: TracedPipeline, topic: sns.ITopic | None) -> None:
    """Refuses what alarms of the pipeline cannot be made for, or from which the stacks would wait for each other."""
    here, there = Stack.of(scope), Stack.of(pipeline)
    refuse_other_place(scope, pipeline, "pipeline", why="alarms and queries read their own account and Region only")
    mine = isinstance(topic, sns.Topic) and Stack.of(topic) is here
    if topic is not None and mine and here is not there and pipeline.dead_letter_alarms:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"alarm_topic {topic.node.path} belongs to stack {here.node.path}, and the pipeline, whose own alarms "
            f"notify it, to {there.node.path}: each stack would wait for the other; make the topic in "
            f"{there.node.path} or in a third stack, or put the monitoring beside the pipeline",
        )


def _check_topic(scope: Construct, pipeline: TracedPipeline, options: MonitoringOptions) -> None:
    """Refuses a topic that no alarm would notify, or whose notifications the pipeline would take for its messages."""
    topic = options.alarm_topic
    if topic is None:
        return
    if not options.alarms and not pipeline.dead_letter_alarms:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "alarm_topic is given, but there is no alarm: alarms is False, and the pipeline is made with "
            "dead_letter_alarms=False; turn one of them on, or leave it out",
        )
    if identity_of(scope, topic.topic_arn) == identity_of(scope, pipeline.topic.topic_arn):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"alarm_topic is {topic.node.path}, the topic of the pipeline itself, whose workers would get each alarm "
            "as a message; give another topic",
        )


def _check_thresholds(pipeline: TracedPipeline, options: MonitoringOptions) -> None:
    """Refuses a threshold of an alarm that is not made."""
    left_out, why = ["longest_request", "server_errors"], "alarms is False"
    if not options.alarms:
        left_out.append("longest_wait")
    elif own_api(pipeline.api) is None:
        why = f"API {pipeline.api.node.path} is imported, and alarms of it belong where it is made"
    else:
        return
    defaults = MonitoringOptions()
    given = [name for name in left_out if getattr(options, name) != getattr(defaults, name)]
    if given:
        raise PipelineError(
            Check.OPTION_CONFLICT, f"{' and '.join(given)} given, but {why}; leave it out, or have the alarm made"
        )


def _check_unit(name: str, duration: Duration | None, unit: str) -> None:
    """Refuses a duration that only the deployment knows, in another unit than its metric has."""
    if duration is not None and duration.is_unresolved() and duration.unit_label() != unit:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"MonitoringOptions.{name} is known at deployment only, where it cannot be converted into the unit of its "
            f"metric; give Duration.{unit}(...)",
        )
