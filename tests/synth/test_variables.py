"""What a user sets is in the template, or refused: no construct replaces it without a word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from constructs import IConstruct
from traced_pipeline import (
    Check,
    ContainerWorker,
    ContainerWorkerOptions,
    Handler,
    IngestApi,
    IngestOptions,
    Instrumentation,
    PipelineError,
    QueueWorker,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)
from traced_pipeline.bridge_environment import SWITCHES, WORDS

from tests.support.stacks import NewStack, make_function
from tests.support.templates import refusal, warnings_of

ADOT = "arn:aws:lambda:eu-west-1:901920570463:layer:aws-otel-python-arm64-ver-1-32-0:1"
IMAGE = ecs.ContainerImage.from_registry("registry.example.com/audit:1")
MINE = "mine"

Variables = Mapping[str, str] | None
Make = Callable[[Stack, Variables], IConstruct]


def _topic(stack: Stack, name: str = "Topic", **options: Any) -> sns.ITopic:
    return TracedTopic(stack, name, options=TopicOptions(**options)).topic


def _ingest(stack: Stack, variables: Variables) -> IConstruct:
    options = IngestOptions(message_group="customer", environment=variables)
    return IngestApi(stack, "Hop", topic=_topic(stack, max_message_size=1_048_576), options=options).function


def _worker(**more: Any) -> Make:
    def make(stack: Stack, variables: Variables) -> IConstruct:
        own = Handler("runtime/handlers/worker", "app.handler")
        options = WorkerOptions(**{"handler": own, "publish_to": _topic(stack, "Next"), **more}, environment=variables)
        return QueueWorker(stack, "Hop", topic=_topic(stack), options=options).function

    return make


def _existing(**more: Any) -> Make:
    def make(stack: Stack, variables: Variables) -> IConstruct:
        mine = make_function(stack, environment=variables, tracing=lambda_.Tracing.ACTIVE)
        options = WorkerOptions(handler=mine, publish_to=_topic(stack, "Next"), **more)
        return QueueWorker(stack, "Hop", topic=_topic(stack), options=options).function

    return make


def _containers(stack: Stack, variables: Variables) -> IConstruct:
    options = ContainerWorkerOptions(
        image=IMAGE,
        publish_to=_topic(stack, "Next"),
        sidecar="adot-collector",
        raw_message_delivery=False,
        environment=variables,
    )
    return ContainerWorker(stack, "Hop", topic=_topic(stack), options=options).service.task_definition


MAKERS: dict[str, Make] = {
    "ingest": _ingest,
    "worker": _worker(zero_code=True, raw_message_delivery=False),
    "unbridged": _worker(tracing="unbridged"),
    "adot": _worker(instrumentation=Instrumentation.adot(ADOT, export="otlp"), tracing="continued"),
    "linked adot": _worker(instrumentation=Instrumentation.adot(ADOT, relation="link", export="daemon")),
    "existing": _existing(),
    "existing with adot": _existing(instrumentation=Instrumentation.adot(ADOT), raw_message_delivery=False),
    "containers": _containers,
}


def _variables_of(made: IConstruct) -> dict[str, object]:
    """The variables that the template will have."""
    resolve, resource = Stack.of(made).resolve, made.node.default_child
    if isinstance(resource, lambda_.CfnFunction):
        # Not by the typed attribute, which resolves to nothing.
        return dict(resolve(resource._cfn_properties["environment"])["variables"])
    assert isinstance(resource, ecs.CfnTaskDefinition)
    (worker,) = [each for each in resolve(resource.container_definitions) if each["name"] == "Worker"]
    return {each["name"]: each["value"] for each in worker["environment"]}


@pytest.mark.parametrize("maker", MAKERS)
def test_a_variable_that_a_construct_sets_too_is_the_users_or_refused(new_stack: NewStack, maker: str) -> None:
    make = MAKERS[maker]
    names = _variables_of(make(new_stack(), None))
    assert names
    for name, value in names.items():
        mine = _another(name, value)
        try:
            made = make(new_stack(), {name: mine})
        except PipelineError as refused:
            assert refused.check is Check.OPTION_CONFLICT
            assert f"has {name}" in str(refused)
            assert "leave it out" in str(refused)
            assert (refused.path or "").startswith("Shop/Hop")
        else:
            assert _variables_of(made)[name] == mine


def _another(name: str, value: object) -> str:
    """A value that a variable may have, but not the one that the construct gives it."""
    if name in SWITCHES:
        return "true" if value == "false" else "false"
    return next(word for word in WORDS.get(name, [MINE]) if word != value)


@pytest.mark.parametrize("maker", MAKERS)
def test_the_value_that_a_construct_sets_itself_is_fine(new_stack: NewStack, maker: str) -> None:
    make = MAKERS[maker]
    before = _variables_of(make(new_stack(), None))
    texts = {name: value for name, value in before.items() if isinstance(value, str)}
    assert texts
    assert _variables_of(make(new_stack(), texts)) == before


def test_a_reference_to_the_same_resource_is_fine(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    variables = {"TABLE_NAME": orders.table.table_name}
    handler = Handler("runtime/handlers/worker", "app.handler")
    options = WorkerOptions(handler=handler, table=orders.table, environment=variables)
    assert set(_variables_of(orders.add_worker("Audit", options).function)) == set(variables)
    again = WorkerOptions(handler=make_function(stack, environment=variables), table=orders.table)
    assert "TABLE_NAME" in _variables_of(orders.add_worker("Again", again).function)


def test_a_refusal_names_the_function_that_exists(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    mine = make_function(stack, environment={"TABLE_NAME": "mine"})
    text = refusal(lambda: orders.add_worker("Again", WorkerOptions(handler=mine, table=orders.table)))
    assert "function Shop/Mine has TABLE_NAME, with another value than the construct sets; leave it out there" in text


def test_a_function_behind_two_hops_is_still_only_warned_of(new_stack: NewStack) -> None:
    stack = new_stack()
    shared, topic = make_function(stack), _topic(stack)
    for name in ("First", "Second"):
        options = WorkerOptions(handler=shared, publish_to=_topic(stack, f"{name}Next"))
        QueueWorker(stack, name, topic=topic, options=options)
    (warning,) = warnings_of(stack, Check.VARIABLE_REPLACED)
    assert "whose variable TOPIC_ARN this one replaces" in warning


@pytest.mark.parametrize("made", ["log group", "function"])
def test_log_settings_of_an_ingest_hop_that_makes_no_log_group_are_refused(new_stack: NewStack, made: str) -> None:
    stack = new_stack()
    first = IngestApi(stack, "First", topic=_topic(stack))
    own: dict[str, Any] = (
        {"log_group": logs.LogGroup(stack, "Logs")}
        if made == "log group"
        else {"handler": make_function(stack, tracing=lambda_.Tracing.ACTIVE)}
    )
    options = IngestOptions(api=first.api, path="/again", log_retention=logs.RetentionDays.ONE_WEEK, **own)
    text = refusal(lambda: IngestApi(stack, "Again", topic=_topic(stack, "Other"), options=options))
    assert "log_retention given for a log group that is made elsewhere" in text
