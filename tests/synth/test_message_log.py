"""A log line for each message, and the metrics of these lines: what switches them on, and what is made of them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from traced_pipeline import (
    Check,
    ContainerWorkerOptions,
    PipelineError,
    TracedPipeline,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, synthesize, warnings

FILTER = "AWS::Logs::MetricFilter"
VARIABLE = "TRACE_BRIDGE_MESSAGE_LOG"
MANAGED_LOG_GROUPS = "@aws-cdk/aws-lambda:useCdkManagedLogGroup"
LINES: dict[str, Any] = {"message_log": True}
METRICS: dict[str, Any] = {"message_log": True, "message_metrics": True}
LINE = {"logger": "trace_bridge.messages", "duration_ms": 812.4, "queue_ms": 118, "attempt": 1}


def image() -> ecs.ContainerImage:
    return ecs.ContainerImage.from_registry("registry.example.com/bill:1")


def _variables_of_container(template: Synthesized) -> dict[str, Any]:
    (container,) = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    return {variable["Name"]: variable["Value"] for variable in container["Environment"]}


def test_lines_and_metrics_are_off_unless_asked_for(default: Synthesized) -> None:
    assert VARIABLE not in default.variables("Worker")
    assert default.all(FILTER) == {}


def test_every_kind_of_worker_can_have_them(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(**METRICS))
    bill = orders.add_container_worker("Bill", ContainerWorkerOptions(image=image(), **METRICS))
    audit = orders.add_worker("Audit", WorkerOptions(**LINES))
    repair = orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table, **METRICS))
    template = synthesize(stack)
    for name in ("OrdersWorkerFunction", "Audit", "Repair"):
        assert template.variables(name)[VARIABLE] == "true"
    assert _variables_of_container(template)[VARIABLE] == "true"
    assert VARIABLE not in template.variables("Ingest")
    assert [worker.has_message_metrics for worker in (orders.worker, bill, audit, repair)] == [True, True, False, True]
    groups = [f["LogGroupName"] for f in template.all(FILTER).values()]
    wanted = [orders.worker.traced_function.log_group, bill.log_group, repair.traced_function.log_group]
    assert sorted(map(str, groups)) == sorted(2 * [str(stack.resolve(group.log_group_name)) for group in wanted])
    assert warnings(stack) == []


def _matches(pattern: str, line: dict[str, Any]) -> bool:
    """Whether a line matches a filter pattern of JSON, of the kind that is used here.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    inner = re.fullmatch(r"\{ (.*) \}", pattern)
    assert inner
    for condition in inner[1].split(" && "):
        parts = re.fullmatch(r"\(\$\.(\w+) = (.+)\)", condition)
        assert parts, condition
        name, wanted = parts.groups()
        if name not in line or (wanted != "*" and str(line[name]) != wanted.strip('"')):
            return False
    return True


def test_a_metric_is_of_its_lines_alone(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(**METRICS))
    template = synthesize(stack)
    duration, queue_time = (template.one(FILTER, name) for name in ("MessageDuration", "MessageQueueTime"))
    again = {**LINE, "attempt": 2}
    assert [_matches(duration["FilterPattern"], line) for line in (LINE, again)] == [True, True]
    assert [_matches(queue_time["FilterPattern"], line) for line in (LINE, again)] == [True, False]
    for made in (duration, queue_time):
        assert not _matches(made["FilterPattern"], {**LINE, "logger": "shop"})
        assert not _matches(made["FilterPattern"], {"logger": "trace_bridge.messages", "attempt": 1})
    longest = orders.worker.metric_message_duration(statistic="p99")
    wait = orders.worker.metric_message_queue_time(statistic="p50")
    for filter_, metric, value in ((duration, longest, "$.duration_ms"), (queue_time, wait, "$.queue_ms")):
        assert filter_["MetricTransformations"] == [
            {
                "MetricNamespace": metric.namespace,
                "MetricName": metric.metric_name,
                "MetricValue": value,
                "Unit": "Milliseconds",
            }
        ]
        assert metric.namespace == "TracedPipeline/Shop-Orders-Worker"
        assert not metric.dimensions
    assert (longest.statistic, wait.statistic) == ("p99", "p50")


def test_workers_of_two_stacks_have_metrics_of_their_own(new_stack: NewStack) -> None:
    namespaces = set()
    for name in ("Shop", "Shop2"):
        stack = new_stack(name)
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(**METRICS))
        audit = orders.add_worker("Audit", WorkerOptions(**METRICS))
        namespaces |= {worker.metric_message_duration().namespace for worker in (orders.worker, audit)}
    assert len(namespaces) == 4


def test_metrics_that_are_not_made_are_refused_with_what_to_do(new_stack: NewStack) -> None:
    worker = TracedPipeline(new_stack(), "Orders").worker
    for metric in (worker.metric_message_duration, worker.metric_message_queue_time):
        with pytest.raises(PipelineError, match=r"message_log=True and message_metrics=True .at Shop/Orders/Worker."):
            metric()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"message_metrics": True}, "message_metrics is on, but message_log is off"),
        ({"message_log": True, "tracing": "unbridged"}, 'message_log is on, but tracing is "unbridged"'),
        (
            {"message_log": True, "environment": {"TRACE_BRIDGE_ENABLED": "No"}},
            "message_log is on, but TRACE_BRIDGE_ENABLED in environment turns the bridge off",
        ),
        (
            {"message_log": True, "environment": {"AWS_XRAY_SDK_ENABLED": "false"}},
            "message_log is on, but AWS_XRAY_SDK_ENABLED in environment turns the bridge off",
        ),
    ],
    ids=["no lines", "no bridge", "turned off", "turned off for the SDK"],
)
def test_what_nothing_would_write_is_refused(new_stack: NewStack, options: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=said) as caught:
        TracedPipeline(new_stack(), "Orders", worker=WorkerOptions(**options))
    assert caught.value.check is Check.OPTION_CONFLICT


def test_metrics_without_lines_are_refused_of_containers_too(new_stack: NewStack) -> None:
    orders = TracedPipeline(new_stack(), "Orders")
    with pytest.raises(PipelineError, match="message_metrics is on, but message_log is off"):
        orders.add_container_worker("Bill", ContainerWorkerOptions(image=image(), message_metrics=True))


class TestExistingFunctions:
    def test_with_a_log_group_of_its_own(self, new_stack: NewStack) -> None:
        stack = new_stack()
        group = logs.LogGroup(stack, "Mine")
        function = make_function(stack, "Own", log_group=group)
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=function, **METRICS))
        template = synthesize(stack)
        assert template.variables("Own")[VARIABLE] == "true"
        assert {str(f["LogGroupName"]) for f in template.all(FILTER).values()} == {
            str(stack.resolve(group.log_group_name))
        }
        assert orders.worker.has_message_metrics

    def test_whose_log_group_lambda_makes_has_lines_and_no_metrics(self, new_stack: NewStack) -> None:
        stack = new_stack(**{MANAGED_LOG_GROUPS: False})
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=make_function(stack, "First"), **LINES))
        with pytest.raises(PipelineError, match="function Shop/Second has no log group of its own"):
            orders.add_worker("Audit", WorkerOptions(handler=make_function(stack, "Second"), **METRICS))
        assert synthesize(stack).variables("First")[VARIABLE] == "true"

    def test_whose_log_group_the_cdk_makes_have_metrics_of_it(self, new_stack: NewStack) -> None:
        stack = new_stack(**{MANAGED_LOG_GROUPS: True})
        function = make_function(stack, "Own")
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=function, **METRICS))
        filters = synthesize(stack).all(FILTER).values()
        assert {str(f["LogGroupName"]) for f in filters} == {str(stack.resolve(function.log_group.log_group_name))}

    def test_that_are_imported_are_said_to_need_the_variable(self, new_stack: NewStack) -> None:
        stack = new_stack()
        function = lambda_.Function.from_function_name(stack, "Theirs", "theirs")
        orders = TracedPipeline(stack, "Orders")
        hidden = Duration.minutes(3)
        orders.add_worker("Audit", WorkerOptions(handler=function, visibility_timeout=hidden, **LINES))
        assert any(f"the variable {VARIABLE}" in warning for warning in warnings(stack))
        with pytest.raises(PipelineError, match="function Shop/Theirs is imported"):
            orders.add_worker("Bill", WorkerOptions(handler=function, visibility_timeout=hidden, **METRICS))


@pytest.mark.parametrize(("first", "second"), [(METRICS, LINES), (LINES, METRICS), (METRICS, METRICS)])
def test_metrics_of_a_log_group_with_the_lines_of_two_workers_are_refused(
    new_stack: NewStack, first: dict[str, Any], second: dict[str, Any]
) -> None:
    stack = new_stack()
    group = logs.LogGroup(stack, "Shared")
    orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(log_group=group, **first))
    with pytest.raises(PipelineError, match="Shop/Shared holds the lines of worker Shop/Orders/Worker too"):
        orders.add_worker("Audit", WorkerOptions(log_group=group, **second))


def test_a_log_group_may_be_shared_where_no_metrics_are_made(new_stack: NewStack) -> None:
    stack = new_stack()
    group = logs.LogGroup(stack, "Shared")
    orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(log_group=group, **LINES))
    orders.add_worker("Audit", WorkerOptions(log_group=group, **LINES))
    orders.add_container_worker("Bill", ContainerWorkerOptions(image=image(), log_group=group))
    assert synthesize(stack).all(FILTER) == {}
