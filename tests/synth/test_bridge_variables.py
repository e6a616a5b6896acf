"""What the constructs set for the bridge is what the bridge reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Fn, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    ContainerWorkerOptions,
    FunctionOptions,
    Handler,
    IngestOptions,
    PipelineError,
    TracedFunction,
    TracedPipeline,
    TraceEverything,
    WorkerOptions,
)
from traced_pipeline.bridge_variables import wrong_variables

from tests.support.bridge import Settings
from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize


def settings(variables: dict[str, Any]) -> Settings:
    return Settings.from_environment({name: value for name, value in variables.items() if isinstance(value, str)})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (WorkerOptions(), Settings()),
        (WorkerOptions(tracing="linked"), Settings()),
        (WorkerOptions(tracing="unbridged"), Settings(enabled=False)),
        (WorkerOptions(raw_message_delivery=False), Settings(envelope="sns")),
        (WorkerOptions(message_log=True), Settings(message_log=True)),
    ],
    ids=["default", "linked", "unbridged", "envelope", "message log"],
)
def test_a_workers_settings(new_stack: NewStack, options: WorkerOptions, expected: Settings) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", worker=options)
    assert settings(synthesize(stack).variables("Worker")) == expected


def test_a_worker_behind_a_topic_that_is_not_traced(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", topic=sns.Topic(stack, "Plain"))
    assert settings(synthesize(stack).variables("Worker")) == Settings(queue_segment="always")


def test_an_existing_worker(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=make_function(stack)))
    variables = synthesize(stack).variables("Mine")
    assert "TRACE_BRIDGE_ENVELOPE" in variables
    assert settings(variables) == Settings()


def test_a_handler_that_the_bridge_calls(new_stack: NewStack, elsewhere: object) -> None:
    stack = new_stack()
    options = WorkerOptions(handler=Handler("handlers/orders", "app.handler"), zero_code=True)
    TracedPipeline(stack, "Orders", worker=options)
    assert synthesize(stack).variables("Worker")["TRACE_BRIDGE_HANDLER"] == "app.handler"


CODE = Handler(lambda_.Code.from_inline("def handler(event, context): ..."), "index.handler")
IMAGE = ecs.ContainerImage.from_registry("registry.example.com/shop/audit:1.4.2")
Variables = dict[str, str]


def of_container(stack: Stack, variables: Variables) -> object:
    options = ContainerWorkerOptions(image=IMAGE, environment=variables)
    return TracedPipeline(stack, "Orders").add_container_worker("Audit", options)


def of_function(stack: Stack, variables: Variables) -> object:
    return TracedFunction(stack, "Report", options=FunctionOptions(handler=CODE, environment=variables))


def of_argument(stack: Stack, variables: Variables) -> object:
    return TracedFunction(stack, "Report", options=FunctionOptions(handler=CODE), environment=variables)


def of_ingest(stack: Stack, variables: Variables) -> object:
    return TracedPipeline(stack, "Orders", ingest=IngestOptions(environment=variables))


def of_worker(stack: Stack, variables: Variables) -> object:
    return TracedPipeline(stack, "Orders", worker=WorkerOptions(environment=variables))


def of_existing(stack: Stack, variables: Variables) -> object:
    handler = make_function(stack, environment=variables)
    return TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=handler))


MAKERS = {
    "ingest": of_ingest,
    "worker": of_worker,
    "existing": of_existing,
    "container": of_container,
    "function": of_function,
    "argument": of_argument,
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_a_misspelt_variable_is_refused_with_the_nearest_one(
    new_stack: NewStack, make: Callable[[Stack, Variables], object]
) -> None:
    where = "function Shop/Mine" if make is of_existing else "environment"
    message = (
        f"{where} has TRACE_BRIDGE_MAX_WORKER, which is no setting of trace_bridge; "
        "did you mean TRACE_BRIDGE_MAX_WORKERS?"
    )
    with pytest.raises(PipelineError, match=re.escape(message)) as caught:
        make(new_stack(), {"TRACE_BRIDGE_MAX_WORKER": "4"})
    assert caught.value.check is Check.OPTION_VALUE


VALUES = {
    "true", "Off", "2", "drop", "follow_lambda", "SAMPLE", "udp", "tcp", "always", "none", "sns", "SNS", "parent",
    "link", "xray", "datadog", "auto", "0.5", "1", "1.5", "1001", "-1", "900000", "nan", "", " ", " 1 ", "example.com",
    "*.example.com, [::1]", "https://example.com", "::1", "a,,b",
}  # fmt: skip


@pytest.mark.parametrize("field", sorted(Settings().as_dict()))
@pytest.mark.parametrize("value", sorted(VALUES))
def test_a_value_is_refused_where_the_bridge_would_refuse_it(
    field: str, value: str, caplog: pytest.LogCaptureFixture
) -> None:
    variables = {f"TRACE_BRIDGE_{field.upper()}": value}
    try:
        Settings.from_environment(variables)
        refused = "nothing is recorded" in caplog.text
    except ValueError:
        refused = True
    assert bool([*wrong_variables(variables)]) == refused


def test_a_wrong_value_is_refused_with_those_that_are_right(new_stack: NewStack) -> None:
    message = "environment has TRACE_BRIDGE_EMITTER='foo', but it must be one of 'auto', 'udp', 'api'"
    with pytest.raises(PipelineError, match=message) as caught:
        of_worker(new_stack(), {"TRACE_BRIDGE_EMITTER": "foo"})
    assert caught.value.check is Check.OPTION_VALUE


def test_a_value_that_only_the_deployment_knows_is_taken(new_stack: NewStack) -> None:
    of_worker(new_stack(), {"TRACE_BRIDGE_EMITTER": Fn.import_value("Emitter"), "TRACE_BRIDGE_ENGINE": "otel"})


def test_a_consumer_that_is_found_is_reported_with_its_misspelt_variable(new_app: Callable[..., App]) -> None:
    stack = Stack(new_app(), "Shop")
    mine = lambda_.Function(
        stack,
        "Mine",
        code=lambda_.Code.from_asset("runtime/handlers/worker"),
        handler="app.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        environment={"TRACE_BRIDGE_EMITER": "api"},
    )
    mine.add_event_source_mapping("Work", event_source_arn=sqs.Queue(stack, "Queue").queue_arn)
    tracing = TraceEverything.below(stack, bridge=True)
    synthesize(stack)
    [finding] = [finding for finding in tracing.report if finding.path == "Shop/Mine/Resource"]
    assert (
        "it has the variable TRACE_BRIDGE_EMITER, which is no setting of trace_bridge; did you mean "
        "TRACE_BRIDGE_EMITTER?" in finding.reason
    )
