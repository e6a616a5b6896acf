"""What an alarm's description tells whoever is called by it: what is wrong, and what to do next."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, NestedStack, Stack
from traced_pipeline import Check, MonitoringOptions, PipelineError, PipelineMonitoring, TracedPipeline, WorkerOptions
from traced_pipeline_cli.commands.arguments import parse
from traced_pipeline_cli.commands.main import COMMANDS

from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
_LONGEST_DESCRIPTION = 1024
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-queues.html
_LONGEST_NAME = 80
_TRACE_ID = "1-00000000-000000000000000000000000"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Synthesized:
    """A pipeline that is watched, with a worker on its dead-letter queue."""
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("described")), context=context), "Shop")
    orders = TracedPipeline(stack, "Orders")
    orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    return synthesize(stack)


def parts_of(text: Any) -> list[Any]:
    """The texts and references that a text is joined of."""
    return list(text["Fn::Join"][1]) if isinstance(text, dict) else [text]


def description_of(alarm: dict[str, Any]) -> str:
    """What an alarm's description says, with `?` for what is known at deployment."""
    return "".join(part if isinstance(part, str) else "?" for part in parts_of(alarm["AlarmDescription"]))


def test_an_alarm_names_what_is_wrong_as_it_is_deployed(template: Synthesized) -> None:
    for alarm in template.all("AWS::CloudWatch::Alarm").values():
        named = [d["Value"] for d in alarm["Dimensions"] if d["Name"] != "Stage"]
        parts = parts_of(alarm["AlarmDescription"])
        for value in named:
            assert value in parts if isinstance(value, dict) else value in description_of(alarm)


@pytest.mark.parametrize(
    ("metric", "wrong", "next_step"),
    [
        ("ApproximateNumberOfMessagesVisible", "accepted and are not done", "failed Shop"),
        ("ApproximateNumberOfMessagesVisible", "accepted and are not done", "redrive Shop"),
        ("ApproximateAgeOfOldestMessage", "older than 900 s in 3 of the last 5 minutes", "verify Shop"),
        ("Errors", "failed in 3 of the last 5 minutes", "failed Shop"),
        ("Throttles", "throttled", "verify Shop"),
        ("5XXError", "more than 1 % of its requests with 5xx", "verify Shop"),
        ("Latency", "took longer than 5000 ms", "trace --latest Shop --count 20"),
    ],
)
def test_an_alarm_says_what_is_wrong_and_what_to_do_next(
    template: Synthesized, metric: str, wrong: str, next_step: str
) -> None:
    alarms = [a for a in template.all("AWS::CloudWatch::Alarm").values() if a["MetricName"] == metric]
    assert alarms
    for alarm in alarms:
        description = description_of(alarm)
        assert wrong in description
        assert f"`traced-pipeline {next_step}`" in description
        assert description.endswith(".")


def test_a_description_leaves_room_for_the_names_of_what_is_deployed(template: Synthesized) -> None:
    for alarm in template.all("AWS::CloudWatch::Alarm").values():
        assert len(description_of(alarm)) + 2 * _LONGEST_NAME < _LONGEST_DESCRIPTION


def test_the_commands_are_those_of_the_command_line(template: Synthesized) -> None:
    for alarm in template.all("AWS::CloudWatch::Alarm").values():
        typed = re.findall(r"`traced-pipeline ([^`]+)`", description_of(alarm))
        assert typed
        for line in typed:
            parse(line.replace("TRACE_ID", _TRACE_ID).split(), COMMANDS)


def test_the_alarm_on_failed_invocations_says_where_the_exceptions_are(
    template: Synthesized, new_stack: NewStack
) -> None:
    stack = new_stack()
    options = MonitoringOptions(queries=False)
    PipelineMonitoring(stack, "Watch", pipeline=TracedPipeline(stack, "Orders"), options=options)
    for of, expected in ((template, '"Shop-Orders/failures by cause"'), (synthesize(stack), "log group ")):
        alarms = [a for a in of.all("AWS::CloudWatch::Alarm").values() if a["MetricName"] == "Errors"]
        assert alarms
        assert all(expected in description_of(alarm) for alarm in alarms)
    names = {query["Name"] for query in template.all("AWS::Logs::QueryDefinition").values()}
    assert "Shop-Orders/failures by cause" in names


def test_an_alarm_of_a_nested_stack_names_the_stack_that_is_deployed(new_stack: NewStack) -> None:
    stack = new_stack()
    nested = NestedStack(stack, "Nested")
    TracedPipeline(nested, "Orders")
    alarm = synthesize(nested).one("AWS::CloudWatch::Alarm")
    assert f"`traced-pipeline failed {stack.stack_name}`" in description_of(alarm)


def numbers(stack: Stack) -> float:
    """A number that is known at deployment only."""
    name = f"Number{len(stack.node.children)}"
    return CfnParameter(stack, name, type="Number").value_as_number


def test_a_threshold_of_a_deployment_is_filled_in_then(new_stack: NewStack) -> None:
    stack = new_stack()
    options = MonitoringOptions(
        longest_wait=Duration.seconds(numbers(stack)),
        longest_request=Duration.millis(numbers(stack)),
        server_errors=numbers(stack),
    )
    PipelineMonitoring(stack, "Watch", pipeline=TracedPipeline(stack, "Orders"), options=options)
    alarms = synthesize(stack).all("AWS::CloudWatch::Alarm").values()
    found = {alarm["Threshold"]["Ref"]: alarm for alarm in alarms if isinstance(alarm["Threshold"], dict)}
    assert len(found) == 3
    assert all({"Ref": name} in parts_of(alarm["AlarmDescription"]) for name, alarm in found.items())


def test_a_long_threshold_is_written_out(new_stack: NewStack) -> None:
    stack = new_stack()
    options = MonitoringOptions(longest_wait=Duration.days(13))
    PipelineMonitoring(stack, "Watch", pipeline=TracedPipeline(stack, "Orders"), options=options)
    alarm = synthesize(stack).one("AWS::CloudWatch::Alarm", "WatchWorkerWaiting")
    assert "was older than 1123200 s in" in description_of(alarm)


@pytest.mark.parametrize(("name", "unit"), [("longest_wait", "seconds"), ("longest_request", "millis")])
def test_a_threshold_of_a_deployment_in_another_unit_is_refused(new_stack: NewStack, name: str, unit: str) -> None:
    stack = new_stack()
    options: dict[str, Any] = {name: Duration.minutes(numbers(stack))}
    orders = TracedPipeline(stack, "Orders")
    with pytest.raises(
        PipelineError, match=rf"{name} is known at deployment only, .* give Duration.{unit}\("
    ) as caught:
        PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(**options))
    assert caught.value.check is Check.OPTION_VALUE
