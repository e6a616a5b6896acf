"""The stack's layer, for functions that are made otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import (
    Check,
    IngestOptions,
    PipelineError,
    QueueWorker,
    TraceBridgeLayer,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize


def test_a_function_made_otherwise_shares_the_layer_of_the_pipeline(new_stack: NewStack) -> None:
    stack = new_stack()
    mine = lambda_.Function(
        stack,
        "Mine",
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    mine.add_layers(TraceBridgeLayer.of(mine))
    TracedPipeline(stack, "Orders")
    template = synthesize(stack)
    layer = {"Ref": template.name_of("AWS::Lambda::LayerVersion")}
    assert [function["Layers"] for function in template.all("AWS::Lambda::Function").values()] == [[layer]] * 3


def test_without_a_pipeline_it_is_made(new_stack: NewStack) -> None:
    stack = new_stack()
    assert TraceBridgeLayer.of(stack).layer_version_arn == TraceBridgeLayer.of(stack).layer_version_arn
    assert len(synthesize(stack).all("AWS::Lambda::LayerVersion")) == 1


def test_the_xray_sdk_goes_into_the_layer_of_the_functions_that_ask_for_it(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", worker=WorkerOptions(xray_sdk=True))
    mine = make_function(stack)
    mine.add_layers(TraceBridgeLayer.of(mine, xray_sdk=True))
    template = synthesize(stack)
    layers = template.all("AWS::Lambda::LayerVersion")
    plain, with_sdk = sorted(layers, key=lambda name: len(str(layers[name]["Description"])))
    assert layers[with_sdk]["Description"] == "trace_bridge with the X-Ray SDK"
    used = {name: f["Layers"] for name, f in template.all("AWS::Lambda::Function").items()}
    assert {name: layer for name, layer in used.items() if layer == [{"Ref": plain}]}.keys() == {
        template.name_of("AWS::Lambda::Function", "Ingest")
    }
    assert list(used.values()).count([{"Ref": with_sdk}]) == 2


def test_an_existing_function_gets_the_xray_sdk_too_where_it_is_asked_for(new_stack: NewStack) -> None:
    stack = new_stack()
    function = make_function(stack, timeout=Duration.seconds(3))
    TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=function, xray_sdk=True))
    template = synthesize(stack)
    assert template.one("AWS::Lambda::Function", "Mine")["Layers"] == [
        {"Ref": template.name_of("AWS::Lambda::LayerVersion", "WithXRaySdk")}
    ]


@pytest.mark.parametrize("hop", ["ingest", "worker"])
def test_the_xray_sdk_does_not_go_into_a_layer_published_elsewhere(new_stack: NewStack, hop: str) -> None:
    layer = "arn:aws:lambda:eu-west-1:111111111111:layer:trace-bridge:1"
    options: dict[str, Any] = {
        "ingest": IngestOptions(bridge_layer=layer, xray_sdk=True),
        "worker": WorkerOptions(bridge_layer=layer, xray_sdk=True),
    }
    with pytest.raises(PipelineError, match="leave out bridge_layer, or leave out xray_sdk") as caught:
        TracedPipeline(new_stack(), "Orders", **{hop: options[hop]})
    assert caught.value.check is Check.OPTION_CONFLICT


def test_a_layer_published_elsewhere_is_given_once_to_a_function_behind_two_queues(new_stack: NewStack) -> None:
    stack = new_stack()
    function, layer = make_function(stack), "arn:aws:lambda:eu-west-1:111111111111:layer:trace-bridge:1"
    options = WorkerOptions(handler=function, bridge_layer=layer)
    for name in ("First", "Second"):
        QueueWorker(stack, name, topic=TracedTopic(stack, f"{name}Topic").topic, options=options)
    assert synthesize(stack).one("AWS::Lambda::Function", "Mine")["Layers"] == [layer]
