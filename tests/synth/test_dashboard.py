"""The dashboard, widget by widget: the hops of the pipeline from left to right, by metrics that AWS has."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ecs as ecs
from traced_pipeline import ContainerWorkerOptions, IngestOptions, PipelineMonitoring, TracedPipeline, WorkerOptions

from scripts.draw_dashboard import watched
from tests.support.documented_metrics import DOCUMENTED, OWN
from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize

Widget = dict[str, Any]

WORKED_ON = ("waiting", "in flight", "dead-letter messages")
LASTED = ("invocation p50", "invocation p99")
INVOKED = ("invocations", "errors", "throttles")
WIDGETS: dict[tuple[int, int], tuple[str, tuple[str, ...]]] = {
    (4, 0): ("Traces", ("traces",)),
    (0, 5): ("API: requests", ("requests", "4xx", "5xx")),
    (4, 5): ("Ingest: invocations", INVOKED),
    (8, 5): ("Topic: messages", ("published", "delivered", "failed")),
    (12, 5): ("Worker queue: messages", WORKED_ON),
    (16, 5): ("Worker: invocations", INVOKED),
    (20, 5): ("Table: throttles", ("writes", "reads")),
    (0, 10): ("API: time (ms)", ("p50", "p99")),
    (4, 10): ("Ingest: time (ms)", LASTED),
    (12, 10): ("Worker queue: time (s)", ("age of the oldest", "message p99")),
    (16, 10): ("Worker: time (ms)", (*LASTED, "message p99")),
    (20, 10): ("Table: time (ms)", ("PutItem, average",)),
    (12, 15): ("Repair queue: messages", WORKED_ON),
    (16, 15): ("Repair: invocations", INVOKED),
    (12, 20): ("Repair queue: time (s)", ("age of the oldest",)),
    (16, 20): ("Repair: time (ms)", LASTED),
    (12, 25): ("Audit queue: messages", WORKED_ON),
    (16, 25): ("Audit: invocations", INVOKED),
    (12, 30): ("Audit queue: time (s)", ("age of the oldest",)),
    (16, 30): ("Audit: time (ms)", LASTED),
    (12, 35): ("Bill queue: messages", WORKED_ON),
    (16, 35): ("Bill: used (%)", ("CPU", "memory")),
    (12, 40): ("Bill queue: time (s)", ("age of the oldest",)),
}
"""Title and labels of each graph, by column and row of its upper left corner."""

RESOURCES = {
    "Traces": {"Shop-Orders"},
    "API": {"Shop-Orders", "OrdersIngestApiDeploymentStageprod"},
    "Ingest": {"OrdersIngestFunction"},
    "Topic": {"OrdersTopic"},
    "Worker queue": {"OrdersWorkerQueue", "OrdersWorkerDeadLetterQueue"},
    "Worker": {"OrdersWorkerFunction"},
    "Table": {"OrdersTable", "PutItem"},
    "Repair queue": {"OrdersWorkerDeadLetterQueue", "OrdersWorkerRepairDeadLetterQueue"},
    "Repair": {"OrdersWorkerRepairFunction"},
    "Audit queue": {"OrdersAuditQueue", "OrdersAuditDeadLetterQueue"},
    "Audit": {"OrdersAuditFunction"},
    "Bill queue": {"OrdersBillQueue", "OrdersBillDeadLetterQueue"},
    "Bill": {"OrdersCluster", "OrdersBillService"},
}
"""What the metrics of a hop's graphs are about: the values of their dimensions."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Synthesized:
    """The pipeline of the picture, and a worker in containers."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("watched")), context=context), "Shop")
    image = ecs.ContainerImage.from_registry("registry.example.com/bill:1")
    watched(stack).add_container_worker("Bill", ContainerWorkerOptions(image=image))
    return synthesize(stack)


@pytest.fixture(scope="module")
def widgets(template: Synthesized) -> list[Widget]:
    return widgets_of(template)


@pytest.fixture(scope="module")
def graphs(widgets: list[Widget]) -> list[Widget]:
    return [widget for widget in widgets if widget["type"] == "metric"]


def widgets_of(template: Synthesized) -> list[Widget]:
    """The dashboard's widgets, with the logical id of a resource in braces for what is known at deployment."""
    parts = template.one("AWS::CloudWatch::Dashboard")["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else f"{{{_logical_id(part)}}}" for part in parts))
    every: list[Widget] = body["widgets"]
    return every


def _logical_id(reference: dict[str, Any]) -> str:
    return str(reference["Fn::GetAtt"][0] if "Fn::GetAtt" in reference else reference["Ref"])


def metrics_of(widget: Widget) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of a graph's metrics."""
    for namespace, name, *more in [m for m in widget["properties"]["metrics"] if isinstance(m[0], str)]:
        dimensions = [part for part in more if isinstance(part, str)]
        yield namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True))


def place(widget: Widget) -> tuple[int, int]:
    return widget["x"], widget["y"]


def test_each_graph_is_in_its_place_with_its_title_and_labels(graphs: list[Widget]) -> None:
    found = {
        place(widget): (
            widget["properties"]["title"],
            tuple(m[-1]["label"] for m in widget["properties"]["metrics"] if m[-1].get("visible", True)),
        )
        for widget in graphs
    }
    assert found == WIDGETS


def test_each_graph_is_of_the_resources_that_its_title_names(graphs: list[Widget]) -> None:
    found: dict[str, set[str]] = {}
    for widget in graphs:
        hop = widget["properties"]["title"].split(":")[0]
        named = [re.sub(r"\{(.*?)[0-9A-F]{8}\}", r"\1", v) for *_, d in metrics_of(widget) for v in d.values()]
        found.setdefault(hop, set()).update(named)
    assert found == RESOURCES


def test_a_repair_works_on_its_workers_dead_letter_queue(graphs: list[Widget]) -> None:
    queues = {place(w): [dimensions.get("QueueName") for _, _, dimensions in metrics_of(w)] for w in graphs}
    assert queues[12, 15][0] == queues[12, 5][2] != queues[12, 5][0]
    assert queues[12, 15][0] == queues[12, 15][1] != queues[12, 15][2]


def test_texts_stand_where_there_is_no_metric(widgets: list[Widget]) -> None:
    texts = {(place(w), w["width"], w["height"]): w["properties"]["markdown"] for w in widgets if w["type"] == "text"}
    assert "SNS has no metric" in texts.pop(((8, 10), 4, 5))
    assert "ECS has no metric" in texts.pop(((16, 40), 4, 5))
    assert {at: text.split("\n")[0] for at, text in texts.items()} == {
        ((0, 0), 4, 5): "## Traces",
        ((0, 15), 12, 10): "## Repair",
        ((0, 25), 12, 10): "## Audit",
        ((0, 35), 12, 10): "## Bill",
    }


def test_no_place_is_taken_twice_and_none_is_empty_left_of_another(widgets: list[Widget]) -> None:
    taken = [
        (x, y) for w in widgets for x in range(w["x"], w["x"] + w["width"]) for y in range(w["y"], w["y"] + w["height"])
    ]
    assert len(taken) == len(set(taken))
    assert {(x, y) for x in range(20) for y in range(45)} <= set(taken)
    assert max(x for x, _ in taken) < 24


def test_titles_fit_into_their_widgets(graphs: list[Widget]) -> None:
    """A column is four of 24: some 25 characters, before CloudWatch shortens a title."""
    assert [w["properties"]["title"] for w in graphs if len(w["properties"]["title"]) > 25] == []


def test_shows_metrics_that_aws_has_and_every_one_that_is_documented(graphs: list[Widget]) -> None:
    shown = set()
    for widget in graphs:
        for namespace, name, dimensions in metrics_of(widget):
            namespace = OWN if namespace.startswith(OWN) else namespace
            documented, source = DOCUMENTED[namespace, name]
            assert set(dimensions) == documented, (widget["properties"]["title"], source)
            shown.add((namespace, name))
    assert shown == set(DOCUMENTED)


def test_shows_how_long_messages_take_and_wait_where_that_is_measured(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    image = ecs.ContainerImage.from_registry("registry.example.com/bill:1")
    bill = ContainerWorkerOptions(image=image, message_log=True, message_metrics=True)
    orders.add_container_worker("Bill", bill)
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    widgets = {w["properties"].get("title"): w for w in widgets_of(synthesize(stack))}
    assert [name for _, name, _ in metrics_of(widgets["Worker: time (ms)"])] == ["Duration", "Duration"]
    ((namespace, name, duration),) = widgets["Bill: time (ms)"]["properties"]["metrics"]
    assert (namespace, name, duration["stat"]) == ("TracedPipeline/Shop-Orders-Bill", "MessageDuration", "p99")
    _, (expression,), hidden = widgets["Bill queue: time (s)"]["properties"]["metrics"]
    assert (expression["expression"], expression["label"]) == ("wait / 1000", "message p99")
    assert hidden[:2] == ["TracedPipeline/Shop-Orders-Bill", "MessageQueueTime"]
    assert (hidden[2]["id"], hidden[2]["stat"], hidden[2]["visible"]) == ("wait", "p99", False)


def test_has_no_row_of_traces_without_a_trace_group(new_stack: NewStack) -> None:
    stack = new_stack()
    PipelineMonitoring(stack, "Watch", pipeline=TracedPipeline(stack, "Orders"))
    (first, *_) = widgets_of(synthesize(stack))
    assert (place(first), first["properties"]["title"]) == ((0, 0), "API: requests")


def test_has_workers_and_repairs_in_the_order_in_which_they_are_added(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    audit = orders.add_worker("Audit")
    audit.add_dead_letter_worker("Again", WorkerOptions(table=orders.table))
    orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
    texts = [w["properties"]["markdown"] for w in widgets_of(synthesize(stack)) if w["type"] == "text"]
    assert [text.split("\n")[0] for text in texts if text.startswith("##")] == ["## Audit", "## Again", "## Repair"]
    assert "what Audit could not process" in texts[-2]


def test_says_that_nothing_is_known_of_an_api_that_is_made_elsewhere(new_stack: NewStack) -> None:
    stack = new_stack()
    api = apigateway.RestApi.from_rest_api_attributes(stack, "Mine", rest_api_id="a1", root_resource_id="r1")
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders"))
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    widgets = widgets_of(synthesize(stack))
    assert "made elsewhere" in widgets[0]["properties"]["markdown"]
    assert "AWS/ApiGateway" not in json.dumps(widgets)
