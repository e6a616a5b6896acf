"""The stack's layer, for functions that are made otherwise."""

from __future__ import annotations

from aws_cdk import aws_lambda as lambda_
from traced_pipeline import TraceBridgeLayer, TracedPipeline

from tests.support.stacks import NewStack
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
