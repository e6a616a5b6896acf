"""Environment variables that a construct sets itself, and that the options name too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import (
    Check,
    ContainerWorkerOptions,
    FunctionOptions,
    Handler,
    IngestOptions,
    PipelineError,
    TracedFunction,
    TracedPipeline,
    WorkerOptions,
)

from tests.support.stacks import NewStack
from tests.support.templates import synthesize

CODE = Handler(lambda_.Code.from_inline("def handler(event, context): ..."), "index.handler")
IMAGE = ecs.ContainerImage.from_registry("registry.example.com/shop/audit:1.4.2")


def worker(**options: object) -> Callable[[Stack], object]:
    return lambda stack: TracedPipeline(stack, "Orders", worker=WorkerOptions(**options))  # type: ignore[arg-type]


def container(stack: Stack) -> object:
    options = ContainerWorkerOptions(image=IMAGE, environment={"QUEUE_URL": "mine"})
    return TracedPipeline(stack, "Orders").add_container_worker("Audit", options)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (worker(environment={"TABLE_NAME": "mine"}), "TABLE_NAME"),
        (
            worker(environment={"TRACE_BRIDGE_ENVELOPE": "none"}, raw_message_delivery=False),
            "TRACE_BRIDGE_ENVELOPE",
        ),
        (worker(environment={"TRACE_BRIDGE_ENABLED": "true"}, tracing="unbridged"), "TRACE_BRIDGE_ENABLED"),
        (
            worker(environment={"TRACE_BRIDGE_HANDLER": "mine.handler"}, handler=CODE, zero_code=True),
            "TRACE_BRIDGE_HANDLER",
        ),
        (
            lambda stack: TracedPipeline(stack, "Orders", ingest=IngestOptions(environment={"TOPIC_ARN": "mine"})),
            "TOPIC_ARN",
        ),
        (container, "QUEUE_URL"),
    ],
    ids=["table", "envelope", "unbridged", "zero_code", "topic", "container"],
)
def test_another_value_is_refused(new_stack: NewStack, make: Callable[[Stack], object], name: str) -> None:
    with pytest.raises(
        PipelineError, match=f"environment has {name}, with another value than the construct sets"
    ) as caught:
        make(new_stack())
    assert caught.value.check is Check.OPTION_CONFLICT


def test_the_same_value_is_taken(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    options = WorkerOptions(handler=CODE, table=orders.table, environment={"TABLE_NAME": orders.table.table_name})
    orders.add_worker("Audit", options)
    expected = stack.resolve(orders.table.table_name)
    assert synthesize(stack).variables("AuditFunction")["TABLE_NAME"] == expected


@pytest.mark.parametrize("off", ["0", "False", " no "])
def test_another_word_for_the_same_is_taken(new_stack: NewStack, off: str) -> None:
    stack = new_stack()
    worker(environment={"TRACE_BRIDGE_ENABLED": off}, tracing="unbridged")(stack)
    assert synthesize(stack).variables("Worker")["TRACE_BRIDGE_ENABLED"] == "false"


def test_a_variable_that_nothing_sets_is_free(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    orders.add_worker("Audit", WorkerOptions(handler=CODE, environment={"TABLE_NAME": "mine"}))
    assert synthesize(stack).variables("AuditFunction")["TABLE_NAME"] == "mine"


def test_the_argument_of_a_function_wins_over_its_options(new_stack: NewStack) -> None:
    stack = new_stack()
    options = FunctionOptions(handler=CODE, environment={"LEVEL": "info", "CURRENCY": "EUR"})
    TracedFunction(stack, "Report", options=options, environment={"LEVEL": "debug"})
    variables = synthesize(stack).variables("Report")
    assert (variables["LEVEL"], variables["CURRENCY"]) == ("debug", "EUR")
