"""A dashboard that reads like the pipeline: its hops from left to right."""

from __future__ import annotations

from typing import TypeAlias, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from .container_worker import ContainerWorker
from .dead_letter_worker import DeadLetterWorker
from .existing_api import own_api
from .ingest_api import IngestApi
from .pipeline_metrics import PipelineMetrics
from .queue_worker import QueueWorker

_HOPS = 6
_WIDTH = 24 // _HOPS
_HEIGHT = 5
_PERIOD = Duration.minutes(5)

Worker: TypeAlias = QueueWorker | ContainerWorker | DeadLetterWorker
Widgets: TypeAlias = list[cloudwatch.IWidget]
Rows: TypeAlias = tuple[Widgets, Widgets]
"""What passes each hop, and below it how long that takes."""


def add_traces(dashboard: cloudwatch.Dashboard, pipeline: PipelineMetrics) -> None:
    """Adds a pipeline's trace group, as wide as all hops, since a trace passes all of them."""
    meaning = "## Traces\nAbout how many requests X-Ray recorded: those that were sampled."
    count = pipeline.metric_approximate_trace_count(period=_PERIOD, label="traces")
    dashboard.add_widgets(_text(meaning), _graph("Traces", count, hops=_HOPS - 1))


def add_pipeline(
    dashboard: cloudwatch.Dashboard, ingest: IngestApi, topic: sns.ITopic, worker: QueueWorker, table: dynamodb.ITable
) -> None:
    """Adds the hops of a pipeline, from left to right.

    Args:
        dashboard: The dashboard.
        ingest: The ingest API and its function.
        topic: The topic.
        worker: The worker that writes to the table.
        table: The table.
    """
    for front, back in zip(_front_rows(ingest, topic), _worker_rows(worker, table), strict=True):
        dashboard.add_widgets(*front, *back)


def add_worker(dashboard: cloudwatch.Dashboard, worker: Worker, meaning: str) -> None:
    """Adds the hops of a further worker, below those of the first one: its queue, and what works on it.

    Args:
        dashboard: The dashboard.
        worker: The worker.
        meaning: What it is, in a sentence.
    """
    heading = _text(f"## {worker.node.id}\n{meaning}", hops=_HOPS // 2, rows=2)
    # In Python, the CDK's types of rows and columns lack properties of IWidget that it does not ask them for.
    rows = [cast("cloudwatch.IWidget", cloudwatch.Row(*widgets)) for widgets in _worker_rows(worker, None)]
    dashboard.add_widgets(heading, cast("cloudwatch.IWidget", cloudwatch.Column(*rows)))


def _front_rows(ingest: IngestApi, topic: sns.ITopic) -> Rows:
    if own_api(ingest.api) is None:
        unknown = "The API is made elsewhere, so that the name of its stage is not known here."
        api: tuple[cloudwatch.IWidget, cloudwatch.IWidget] = (_text(unknown), _text("Time of the API"))
    else:
        api = (
            _graph(
                "API: requests",
                ingest.metric_count(period=_PERIOD, label="requests"),
                ingest.metric_client_error(period=_PERIOD, label="4xx"),
                ingest.metric_server_error(period=_PERIOD, label="5xx"),
            ),
            _graph(
                "API: time (ms)",
                *(ingest.metric_latency(period=_PERIOD, statistic=s, label=s) for s in ("p50", "p99")),
            ),
        )
    counts, times = _function("Ingest", ingest.function)
    published = _graph(
        "Topic: messages",
        topic.metric_number_of_messages_published(period=_PERIOD, label="published"),
        topic.metric_number_of_notifications_delivered(period=_PERIOD, label="delivered"),
        topic.metric_number_of_notifications_failed(period=_PERIOD, label="failed"),
    )
    # https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
    delivery = _text("SNS has no metric of the time that a delivery takes; a trace shows it.")
    return [api[0], counts, published], [api[1], times, delivery]


def _worker_rows(worker: Worker, table: dynamodb.ITable | None) -> Rows:
    name = worker.node.id
    messages = [
        worker.metric_approximate_number_of_messages_visible(period=_PERIOD, label="waiting"),
        worker.metric_approximate_number_of_messages_not_visible(period=_PERIOD, label="in flight"),
    ]
    if worker.dead_letter_queue is not None:
        messages.append(worker.metric_dead_letter_messages(period=_PERIOD, label="dead-letter messages"))
    waiting = _graph(f"{name} queue: messages", *messages)
    wait = _graph(f"{name} queue: time (s)", *_waits_of(worker))
    counts, times = _container(name, worker) if isinstance(worker, ContainerWorker) else _function(name, worker)
    if table is None:
        return [waiting, counts], [wait, times]
    throttles = _graph(
        "Table: throttles",
        _of_table(table, "WriteThrottleEvents", "Sum", label="writes"),
        _of_table(table, "ReadThrottleEvents", "Sum", label="reads"),
    )
    latency = _of_table(table, "SuccessfulRequestLatency", "Average", label="PutItem, average", Operation="PutItem")
    return [waiting, counts, throttles], [wait, times, _graph("Table: time (ms)", latency)]


def _of_table(table: dynamodb.ITable, name: str, statistic: str, *, label: str, **dimensions: str) -> cloudwatch.Metric:
    return table.metric(
        name,
        period=_PERIOD,
        statistic=statistic,
        label=label,
        dimensions_map={"TableName": table.table_name, **dimensions},
    )


def _waits_of(worker: Worker) -> list[cloudwatch.IMetric]:
    waits: list[cloudwatch.IMetric] = [
        worker.metric_approximate_age_of_oldest_message(period=_PERIOD, label="age of the oldest"),
    ]
    if worker.has_message_metrics:
        wait = worker.metric_message_queue_time(period=_PERIOD, statistic="p99")
        waits.append(
            cloudwatch.MathExpression(
                expression="wait / 1000", using_metrics={"wait": wait}, period=_PERIOD, label="message p99"
            )
        )
    return waits


def _durations_of(worker: lambda_.IFunction | Worker) -> list[cloudwatch.IMetric]:
    if isinstance(worker, QueueWorker | ContainerWorker | DeadLetterWorker) and worker.has_message_metrics:
        return [worker.metric_message_duration(period=_PERIOD, statistic="p99", label="message p99")]
    return []


def _container(name: str, worker: ContainerWorker) -> tuple[cloudwatch.IWidget, cloudwatch.IWidget]:
    used = _graph(
        f"{name}: used (%)",
        worker.metric_cpu_utilization(period=_PERIOD, label="CPU"),
        worker.metric_memory_utilization(period=_PERIOD, label="memory"),
    )
    durations = _durations_of(worker)
    if durations:
        return used, _graph(f"{name}: time (ms)", *durations)
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/available-metrics.html
    return used, _text("ECS has no metric of the time that a message takes; message_metrics=True makes one.")


def _function(
    name: str, function: lambda_.IFunction | QueueWorker | DeadLetterWorker
) -> tuple[cloudwatch.IWidget, cloudwatch.IWidget]:
    counts = _graph(
        f"{name}: invocations",
        function.metric_invocations(period=_PERIOD, label="invocations"),
        function.metric_errors(period=_PERIOD, label="errors"),
        function.metric_throttles(period=_PERIOD, label="throttles"),
    )
    durations = [
        function.metric_duration(period=_PERIOD, statistic=statistic, label=f"invocation {statistic}")
        for statistic in ("p50", "p99")
    ]
    return counts, _graph(f"{name}: time (ms)", *durations, *_durations_of(function))


def _graph(title: str, *metrics: cloudwatch.IMetric, hops: int = 1) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH * hops, height=_HEIGHT)


def _text(markdown: str, *, hops: int = 1, rows: int = 1) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=_WIDTH * hops, height=_HEIGHT * rows)
