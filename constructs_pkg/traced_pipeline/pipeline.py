"""The whole pipeline: API, function, topic, queue, worker, table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from aws_cdk import RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_xray as xray
from constructs import Construct

from .alarms import dead_letter_alarm
from .checks import names_path
from .container_cluster import make_cluster
from .container_options import ContainerWorkerOptions
from .container_worker import ContainerWorker
from .dead_letter_worker import DeadLetterWorker
from .ingest_api import IngestApi
from .ingest_options import IngestOptions
from .instrumentation import Instrumentation
from .names import account_wide_name
from .option_checks import checks_arguments
from .pipeline_metrics import PipelineMetrics
from .queue_worker import QueueWorker
from .sampling_rule import sampling_rule
from .table import make_table
from .table_options import TableOptions
from .topic import TracedTopic
from .topic_options import TopicOptions
from .trace_group import trace_group as make_trace_group
from .tracing_options import SamplingOptions, TraceGroupOptions
from .worker_options import WorkerOptions

OptionsT = TypeVar("OptionsT", IngestOptions, WorkerOptions)

_API_NAME_LENGTH = 50


class TracedPipeline(PipelineMetrics):
    """A pipeline from an API to a table, in which every request is one trace.

    `IngestApi` → `TracedTopic` → `QueueWorker` → table, with tracing on wherever AWS supports it and
    the bridge in the worker. `TracedPipeline(self, "Orders")` works by itself, with the reference handlers.

    Args:
        scope: Where to create it.
        construct_id: Id of the construct.
        ingest: The ingest API and its function. Default: `IngestOptions()`.
        topic: Settings of the topic to create, or an existing topic. Default: `TopicOptions()`.
        worker: The worker that writes to the table. Default: `WorkerOptions()`.
        table: Settings of the table to create, or an existing table; the reference handler needs a partition key `id`.
            Default: `TableOptions()`.
        sampling: How many of the API's requests X-Ray records. Default: X-Ray's default rule for the account, which is
            one request per second and 5 percent of the others unless someone changed it.
        trace_group: A group of the pipeline's traces in X-Ray. Default: none.
        instrumentation: What records the work of the pipeline's functions, unless their own options say otherwise.
            Default: `Instrumentation.xray()`, the bridge itself.
        dead_letter_alarms: Whether each worker's dead-letter queue has an alarm on its messages, which were accepted
            and could not be processed; that of a dead-letter worker too. `PipelineMonitoring` says whom it notifies.
            Default: it has one.
        removal_policy: What happens to the table and the log groups when they are removed from the stack, unless their
            own options say otherwise. Default: they are kept.

    Raises:
        PipelineError: The options contradict each other, or name something that does not exist.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import Handler, IngestOptions, TracedPipeline, WorkerOptions

        stack = Stack(App(), "Shop")
        ingest = IngestOptions(path="/orders")
        orders = TracedPipeline(stack, "Orders", ingest=ingest, worker=WorkerOptions(batch_size=5))
        orders.add_worker("Audit", WorkerOptions(handler=Handler("handlers/orders", "app.handler")))
        ```
    """

    @names_path
    @checks_arguments
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        ingest: IngestOptions | None = None,
        topic: TopicOptions | sns.ITopic | None = None,
        worker: WorkerOptions | None = None,
        table: TableOptions | dynamodb.ITable | None = None,
        sampling: SamplingOptions | None = None,
        trace_group: TraceGroupOptions | None = None,
        instrumentation: Instrumentation | None = None,
        dead_letter_alarms: bool = True,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, construct_id)
        self._removal_policy = removal_policy
        self._cluster: ecs.Cluster | None = None
        self._instrumentation = instrumentation
        self._has_alarms = dead_letter_alarms
        self._dead_letter_alarms: dict[str, cloudwatch.Alarm] = {}
        self._workers: list[QueueWorker | ContainerWorker] = []
        self._on_worker: list[Callable[[QueueWorker | ContainerWorker], None]] = []
        self._topic = self._make_topic(topic)
        self._table = self._make_table(table)
        self._ingest = self._make_ingest(ingest or IngestOptions())
        worker = worker or WorkerOptions()
        if worker.table is None:
            worker = replace(worker, table=self._table)
        self._worker = self._make_worker("Worker", worker)
        if sampling is not None:
            sampling_rule(self, "Sampling", stage_service_name=self._ingest.service_name, options=sampling)
        self._trace_group = None
        if trace_group is not None:
            service = self._ingest.service_name
            self._trace_group = make_trace_group(self, "TraceGroup", stage_service_name=service, options=trace_group)

    @property
    def api(self) -> apigateway.IRestApi:
        """The REST API."""
        return self._ingest.api

    @property
    def ingest_function(self) -> lambda_.IFunction:
        """The function behind the API."""
        return self._ingest.function

    @property
    def topic(self) -> sns.ITopic:
        """The topic."""
        return self._topic

    @property
    def queue(self) -> sqs.IQueue:
        """The worker's queue."""
        return self._worker.queue

    @property
    def dead_letter_queue(self) -> sqs.IQueue:
        """The worker's dead-letter queue."""
        return self._worker.dead_letter_queue

    @property
    def worker_function(self) -> lambda_.IFunction:
        """The worker's function."""
        return self._worker.function

    @property
    def table(self) -> dynamodb.ITable:
        """The table."""
        return self._table

    @property
    def ingest(self) -> IngestApi:
        """The construct of the ingest API and its function."""
        return self._ingest

    @property
    def worker(self) -> QueueWorker:
        """The construct of the worker."""
        return self._worker

    @property
    def trace_group(self) -> xray.CfnGroup | None:
        """The group of the pipeline's traces; None if there is none."""
        return self._trace_group

    @property
    def dead_letter_alarms(self) -> Mapping[str, cloudwatch.Alarm]:
        """The alarms on the workers' dead-letter queues, by the workers' ids: `Worker`, or `Worker/Repair`."""
        return dict(self._dead_letter_alarms)

    @property
    @names_path
    def url(self) -> str:
        """The URL of the pipeline's route."""
        return self._ingest.url

    @names_path
    @checks_arguments
    def add_worker(self, construct_id: str, options: WorkerOptions | None = None) -> QueueWorker:
        """Adds a worker that gets every message, through a queue of its own.

        Args:
            construct_id: Id of the worker within the pipeline.
            options: The worker's settings. Default: `WorkerOptions()`. With a handler of its own it is
                granted nothing that its options do not name; the reference handler writes to the pipeline's
                table, unless a `table` or a topic to `publish_to` is given.

        Returns:
            The worker.
        """
        options = options or WorkerOptions()
        if options.handler is None and options.table is None and options.publish_to is None:
            options = replace(options, table=self._table)
        return self._make_worker(construct_id, options)

    @names_path
    @checks_arguments
    def add_container_worker(self, construct_id: str, options: ContainerWorkerOptions) -> ContainerWorker:
        """Adds a worker in containers that gets every message, through a queue of its own.

        Workers that name neither a cluster nor a VPC share a cluster, which the first of them creates.

        Args:
            construct_id: Id of the worker within the pipeline.
            options: The worker's settings. It is granted nothing that they do not name.

        Returns:
            The worker.
        """
        if options.cluster is None and options.vpc is None and options.image is not None:
            options = replace(options, cluster=self._shared_cluster())
        if options.removal_policy is None:
            options = replace(options, removal_policy=self._removal_policy)
        worker = ContainerWorker(self, construct_id, topic=self._topic, options=options)
        self._add(worker)
        return worker

    def each_worker(self, action: Callable[[QueueWorker | ContainerWorker], None]) -> None:
        """Calls a function with each worker of the pipeline, including those that are added later.

        Args:
            action: Called with a worker: at once, or when it is added.
        """
        self._on_worker.append(action)
        for worker in self._workers:
            action(worker)

    def _add(self, worker: QueueWorker | ContainerWorker) -> None:
        self._workers.append(worker)
        if self._has_alarms:
            alarm = dead_letter_alarm(worker, "DeadLetterAlarm", worker.dead_letter_queue)
            self._dead_letter_alarms[worker.node.id] = alarm
            if isinstance(worker, QueueWorker):
                worker.each_dead_letter_worker(partial(self._watch_what_fails_again, worker))
        for action in self._on_worker:
            action(worker)

    def _watch_what_fails_again(self, worker: QueueWorker, repair: DeadLetterWorker) -> None:
        if repair.dead_letter_queue is not None:
            alarm = dead_letter_alarm(repair, "DeadLetterAlarm", repair.dead_letter_queue)
            self._dead_letter_alarms[f"{worker.node.id}/{repair.node.id}"] = alarm

    @names_path
    @checks_arguments
    def add_dead_letter_worker(self, construct_id: str, options: WorkerOptions) -> DeadLetterWorker:
        """Adds a worker on the dead-letter queue of the pipeline's worker.

        Args:
            construct_id: Id of the worker within the pipeline's worker.
            options: The worker's settings. It is granted nothing that they do not name.

        Returns:
            The worker.
        """
        return self._worker.add_dead_letter_worker(construct_id, options)

    def _shared_cluster(self) -> ecs.Cluster:
        if self._cluster is None:
            self._cluster = make_cluster(self, vpc=None, removal_policy=self._removal_policy)
        return self._cluster

    def _make_topic(self, topic: TopicOptions | sns.ITopic | None) -> sns.ITopic:
        if topic is None or isinstance(topic, TopicOptions):
            return TracedTopic(self, "Topic", options=topic).topic
        return topic

    def _make_table(self, table: TableOptions | dynamodb.ITable | None) -> dynamodb.ITable:
        if table is not None and not isinstance(table, TableOptions):
            return table
        return make_table(self, "Table", options=table or TableOptions(), removal_policy=self._removal_policy)

    def _make_ingest(self, options: IngestOptions) -> IngestApi:
        if options.api is None and options.api_name is None:
            options = replace(options, api_name=account_wide_name(self, max_length=_API_NAME_LENGTH))
        return IngestApi(self, "Ingest", topic=self._topic, options=self._with_defaults(options))

    def _make_worker(self, construct_id: str, options: WorkerOptions) -> QueueWorker:
        worker = QueueWorker(self, construct_id, topic=self._topic, options=self._with_defaults(options))
        self._add(worker)
        return worker

    def _with_defaults(self, options: OptionsT) -> OptionsT:
        """Returns a hop's options with what the pipeline says where they say nothing."""
        return replace(
            options,
            removal_policy=options.removal_policy or self._removal_policy,
            instrumentation=options.instrumentation or self._instrumentation,
        )
