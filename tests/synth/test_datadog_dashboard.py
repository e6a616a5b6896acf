"""The dashboard for Datadog reads like the pipeline, and shows metrics that Datadog has."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sqs as sqs
from traced_pipeline import DatadogForwarding, TracedPipeline, WorkerOptions

from tests.support.datadog import forwarding, tags_of
from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, refusal, synthesize

_DATADOG = "https://docs.datadoghq.com/integrations"
DOCUMENTED: dict[str, tuple[set[str], str]] = {
    "aws.apigateway": ({"count", "4xxerror", "5xxerror", "latency.p50", "latency.p99"}, "amazon-api-gateway"),
    "aws.lambda": ({"invocations", "errors", "throttles", "duration.p50", "duration.p99"}, "amazon-lambda"),
    "aws.sns": (
        {"number_of_messages_published", "number_of_notifications_delivered", "number_of_notifications_failed"},
        "amazon-sns",
    ),
    "aws.sqs": (
        {
            "approximate_number_of_messages_visible",
            "approximate_number_of_messages_not_visible",
            "approximate_age_of_oldest_message",
        },
        "amazon-sqs",
    ),
    "aws.dynamodb": (
        {"write_throttle_events", "read_throttle_events", "successful_request_latency"},
        "amazon-dynamodb",
    ),
    "aws.ecs": ({"service.running", "service.cpuutilization", "service.memory_utilization"}, "amazon-ecs"),
}
"""The metrics that are used, and the page of the integration. Those of SQS were read in public monitors."""
QUERY = re.compile(
    r"(?P<aggregation>sum|avg|max):(?P<family>aws\.[a-z]+)\.(?P<metric>[a-z0-9_.]+)"
    r"\{\$env,traced_pipeline:(?P<hop>[a-z0-9.-]+)\}(?P<count>\.as_count\(\))?"
)
KINDS = {
    "aws.apigateway": "AWS::ApiGateway::Stage",
    "aws.lambda": "AWS::Lambda::Function",
    "aws.sns": "AWS::SNS::Topic",
    "aws.sqs": "AWS::SQS::Queue",
    "aws.dynamodb": "AWS::DynamoDB::GlobalTable",
    "aws.ecs": "AWS::ECS::Service",
}


@pytest.fixture(scope="module")
def dashboard(read_in_datadog: DatadogForwarding) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(read_in_datadog.dashboard_json)
    return found


@pytest.fixture(scope="module")
def template(datadog_template: Synthesized) -> Synthesized:
    return datadog_template


def queries_of(widget: dict[str, Any]) -> list[re.Match[str]]:
    queries = [q["query"] for r in widget["definition"].get("requests", []) for q in r.get("queries", [])]
    found = [QUERY.fullmatch(query) for query in queries]
    assert all(found), queries
    return [match for match in found if match is not None]


def titles(dashboard: dict[str, Any]) -> list[list[str]]:
    rows: dict[int, list[tuple[int, str]]] = {}
    for widget in dashboard["widgets"]:
        title = widget["definition"].get("title", widget["definition"].get("content"))
        rows.setdefault(widget["layout"]["y"], []).append((widget["layout"]["x"], title))
    return [[title for _, title in sorted(row)] for _, row in sorted(rows.items())]


def test_reads_from_left_to_right(dashboard: dict[str, Any]) -> None:
    first, second, *others = titles(dashboard)
    assert first == [
        "API: requests",
        "ingest: invocations",
        "Topic: messages",
        "worker queue: messages",
        "worker: invocations",
        "Table: throttled requests",
    ]
    assert second[3:5] == ["worker queue: age of the oldest message", "worker: time"]
    starts = [row[0].split("\n")[0] for row in others]
    assert starts == [
        "## worker.repair",
        "## audit",
        "Time of audit",
        "## audit.repair",
        "## bill",
        "Time of bill",
        "Log lines",
    ]


def test_has_no_widget_over_another(dashboard: dict[str, Any]) -> None:
    taken = [
        (x, y)
        for layout in (widget["layout"] for widget in dashboard["widgets"])
        for x in range(layout["x"], layout["x"] + layout["width"])
        for y in range(layout["y"], layout["y"] + layout["height"])
    ]
    assert len(taken) == len(set(taken))
    assert {x for x, _ in taken} == set(range(12))


def test_shows_metrics_that_datadog_has_and_all_of_those(dashboard: dict[str, Any]) -> None:
    shown = {(m["family"], m["metric"]) for widget in dashboard["widgets"] for m in queries_of(widget)}
    assert shown == {(family, metric) for family, (metrics, _) in DOCUMENTED.items() for metric in metrics}


def test_sums_counts_and_no_times(dashboard: dict[str, Any]) -> None:
    for widget in dashboard["widgets"]:
        for match in queries_of(widget):
            assert (match["aggregation"] == "sum") == bool(match["count"])
            timed = re.search("latency|duration|age_of|utilization", match["metric"])
            assert not (timed and match["count"])


def test_selects_what_the_template_tags(dashboard: dict[str, Any], template: Synthesized) -> None:
    for widget in dashboard["widgets"]:
        for match in queries_of(widget):
            tagged = [tags_of(r).get("traced_pipeline") for r in template.all(KINDS[match["family"]]).values()]
            assert tagged.count(match["hop"]) == 1, match[0]


def test_begins_with_the_environment(dashboard: dict[str, Any]) -> None:
    (variable,) = dashboard["template_variables"]
    assert (variable["name"], variable["prefix"], variable["defaults"]) == ("env", "env", ["prod"])


def test_lists_lines_and_traces(dashboard: dict[str, Any]) -> None:
    lists = [w["definition"]["requests"][0]["query"] for w in dashboard["widgets"][-2:]]
    assert [(q["data_source"], q["query_string"]) for q in lists] == [
        ("logs_stream", "$env traced_pipeline:shop-orders.*"),
        ("trace_stream", "$env"),
    ]


def test_has_the_name_that_is_chosen(new_stack: NewStack) -> None:
    stack = new_stack()
    found = json.loads(forwarding(stack, name="orders").dashboard_json)
    assert found["title"] == "Pipeline orders"
    assert "traced_pipeline:orders.worker}" in json.dumps(found)
    assert tags_of(synthesize(stack).one("AWS::SNS::Topic"))["traced_pipeline"] == "orders.topic"


def test_takes_no_longer_name(new_stack: NewStack) -> None:
    stack = new_stack()
    assert "at most 100" in refusal(lambda: forwarding(stack, name="x" * 101))


def test_says_what_is_made_elsewhere(new_stack: NewStack) -> None:
    stack = new_stack()
    table = dynamodb.Table.from_table_name(stack, "Mine", "mine")
    jobs = sqs.Queue.from_queue_arn(stack, "Jobs", "arn:aws:sqs:eu-west-1:111111111111:jobs")
    orders = TracedPipeline(stack, "Orders", table=table, worker=WorkerOptions(queue=jobs))
    first = titles(json.loads(forwarding(stack, orders).dashboard_json))[0]
    assert "The queue is made elsewhere" in first[3]
    assert "The table is made elsewhere" in first[5]
