"""A dashboard that reads like the pipeline: its hops from left to right."""

from __future__ import annotations

from typing import TypeAlias

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

_HOPS = 6
_WIDTH = 24 // _HOPS
_HEIGHT = 5
_PERIOD = Duration.minutes(5)

Widgets: TypeAlias = list[cloudwatch.IWidget]


def front_rows(
    stage: apigateway.Stage | None, function: lambda_.IFunction, topic: sns.ITopic
) -> tuple[Widgets, Widgets]:
    """Returns the widgets of the hops before the queue: what passes them, and how long that takes.

    Args:
        stage: The API's stage; None if it is made elsewhere, so that its name is not known.
        function: The ingest function.
        topic: The topic.
    """
    if stage is None:
        unknown = "The API is made elsewhere, so that the name of its stage is not known here."
        api: tuple[cloudwatch.IWidget, cloudwatch.IWidget] = (_text(unknown), _text("Time of the API"))
    else:
        api = (
            _graph(
                "API: requests",
                stage.metric_count(period=_PERIOD, label="requests"),
                stage.metric_client_error(period=_PERIOD, statistic="Sum", label="4xx"),
                stage.metric_server_error(period=_PERIOD, statistic="Sum", label="5xx"),
            ),
            _graph("API: time (ms)", *(stage.metric_latency(period=_PERIOD, statistic=s) for s in ("p50", "p99"))),
        )
    counts, times = _function("Ingest", function)
    published = _graph(
        "Topic: messages",
        topic.metric_number_of_messages_published(period=_PERIOD, statistic="Sum", label="published"),
        topic.metric_number_of_notifications_delivered(period=_PERIOD, statistic="Sum", label="delivered"),
        topic.metric_number_of_notifications_failed(period=_PERIOD, statistic="Sum", label="failed"),
    )
    # https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
    delivery = _text("SNS has no metric of the time that a delivery takes; a trace shows it.")
    return [api[0], counts, published], [api[1], times, delivery]


def further_front_rows(name: str) -> tuple[Widgets, Widgets]:
    """Returns what stands before the queue of a further worker, whose row begins behind the topic.

    Args:
        name: The worker's id.
    """
    before = _HOPS // 2
    return [_text(f"## {name}\nA further worker behind the topic.", before)], [_text(f"Time of {name}", before)]


def worker_rows(
    name: str,
    queue: sqs.IQueue,
    dead_letter_queue: sqs.IQueue,
    consumer: lambda_.IFunction | ecs.FargateService,
    table: dynamodb.ITable | None,
) -> tuple[Widgets, Widgets]:
    """Returns the widgets of a worker's hops: what passes them, and how long that takes.

    Args:
        name: The worker's id.
        queue: Its queue.
        dead_letter_queue: Its dead-letter queue.
        consumer: The function or service that works through the queue.
        table: The table that it writes to; None if there is none.
    """
    waiting = _graph(
        f"{name} queue: messages",
        queue.metric_approximate_number_of_messages_visible(period=_PERIOD, label="waiting"),
        queue.metric_approximate_number_of_messages_not_visible(period=_PERIOD, label="worked on"),
        dead_letter_queue.metric_approximate_number_of_messages_visible(period=_PERIOD, label="dead-letter messages"),
    )
    age = _graph(
        f"{name} queue: age of the oldest message (s)",
        queue.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="Maximum", label="oldest"),
    )
    if isinstance(consumer, ecs.FargateService):
        counts: cloudwatch.IWidget = _graph(f"{name}: CPU (%)", consumer.metric_cpu_utilization(period=_PERIOD))
        times: cloudwatch.IWidget = _graph(f"{name}: memory (%)", consumer.metric_memory_utilization(period=_PERIOD))
    else:
        counts, times = _function(name, consumer)
    if table is None:
        return [waiting, counts], [age, times]
    written = _graph(
        "Table: throttled requests",
        _of_table(table, "WriteThrottleEvents", "Sum", label="writes"),
        _of_table(table, "ReadThrottleEvents", "Sum", label="reads"),
    )
    latency = _graph("Table: time (ms)", _of_table(table, "SuccessfulRequestLatency", "Average", Operation="PutItem"))
    return [waiting, counts, written], [age, times, latency]


def _of_table(
    table: dynamodb.ITable, name: str, statistic: str, *, label: str | None = None, **dimensions: str
) -> cloudwatch.Metric:
    return table.metric(
        name,
        period=_PERIOD,
        statistic=statistic,
        label=label,
        dimensions_map={"TableName": table.table_name, **dimensions},
    )


def _function(name: str, function: lambda_.IFunction) -> tuple[cloudwatch.IWidget, cloudwatch.IWidget]:
    counts = _graph(
        f"{name}: invocations",
        function.metric_invocations(period=_PERIOD, label="invocations"),
        function.metric_errors(period=_PERIOD, label="errors"),
        function.metric_throttles(period=_PERIOD, label="throttles"),
    )
    durations = [function.metric_duration(period=_PERIOD, statistic=statistic) for statistic in ("p50", "p99")]
    return counts, _graph(f"{name}: time (ms)", *durations)


def _graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH, height=_HEIGHT)


def _text(markdown: str, hops: int = 1) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=_WIDTH * hops, height=_HEIGHT)
