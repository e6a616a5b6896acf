"""What the constructs set for the bridge is what the bridge reads."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import aws_sns as sns
from traced_pipeline import Handler, TracedPipeline, WorkerOptions

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
