"""Tracing turned on in the stages of an app, as CDK Pipelines have them."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
from aws_cdk import App, Mixins, Stack, Stage
from aws_cdk import aws_sns as sns
from traced_pipeline import BridgeState, TraceEverything

from tests.support.consumers import consumer
from tests.support.templates import synthesize


def stage_with_pipeline(scope: App | Stage | Stack, name: str) -> Stack:
    """Returns the stack of a stage of its own, with a topic and a consumer of SQS."""
    stack = Stack(Stage(scope, name), "Shop")
    sns.Topic(stack, "Topic")
    consumer(stack, "Worker")
    return stack


@pytest.mark.parametrize("bridge", [False, True], ids=["traced", "bridged"])
def test_reaches_each_stage_below_the_scope(new_app: Callable[..., App], bridge: bool) -> None:
    app = new_app()
    alone = stage_with_pipeline(app, "Prod")
    nested = stage_with_pipeline(Stage.of(alone) or app, "Inner")
    delivery = Stack(app, "Delivery")
    sns.Topic(delivery, "News")
    in_stack = stage_with_pipeline(delivery, "Test")
    tracing = TraceEverything.below(app, bridge=bridge)
    for stack in (alone, nested, in_stack):
        template = synthesize(stack)
        function = template.one("AWS::Lambda::Function")
        assert function["TracingConfig"] == {"Mode": "PassThrough" if bridge else "Active"}
        assert (function["Handler"] == "trace_bridge.auto.handler") is bridge
        assert template.one("AWS::SNS::Topic")["TracingConfig"] == "Active"
        assert len(template.all("AWS::XRay::ResourcePolicy")) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app.synth()
    consumers = {f.path: f.bridge for f in tracing.report if f.resource_type == "AWS::Lambda::Function"}
    assert consumers == {
        f"{path}/Shop/Worker/Resource": BridgeState.CONTINUED if bridge else None
        for path in ("Prod", "Prod/Inner", "Delivery/Test")
    }


def test_leaves_stages_beside_the_scope(new_app: Callable[..., App]) -> None:
    app = new_app()
    here, there = stage_with_pipeline(app, "Here"), stage_with_pipeline(app, "There")
    scope = Stage.of(here)
    assert scope is not None
    TraceEverything.below(scope)
    assert synthesize(here).one("AWS::SNS::Topic")["TracingConfig"] == "Active"
    assert "TracingConfig" not in synthesize(there).one("AWS::SNS::Topic")


def test_says_which_stages_were_added_later(new_app: Callable[..., App]) -> None:
    app = new_app()
    stage_with_pipeline(app, "Before")
    TraceEverything.below(app)
    stage_with_pipeline(app, "Later")
    own = Stage.of(stage_with_pipeline(app, "Own"))
    assert own is not None
    TraceEverything.below(own)
    with pytest.warns(UserWarning, match=r"does not reach what was added after it: stage Later;"):
        app.synth()


def test_says_nothing_of_later_stages_whose_stacks_are_reached_otherwise(new_app: Callable[..., App]) -> None:
    app = new_app()
    TraceEverything.below(app)
    by_stack, by_mixin = (stage_with_pipeline(app, name) for name in ("ByStack", "ByMixin"))
    TraceEverything.below(by_stack)
    Mixins.of(by_mixin).apply(TraceEverything())
    Stage(app, "Empty")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        app.synth()
    for stack in (by_stack, by_mixin):
        assert synthesize(stack).one("AWS::SNS::Topic")["TracingConfig"] == "Active"


def test_names_the_stacks_of_a_later_stage_that_are_not_reached(new_app: Callable[..., App]) -> None:
    app = new_app()
    TraceEverything.below(app)
    reached = stage_with_pipeline(app, "Later")
    sns.Topic(Stack(Stage.of(reached) or app, "Left"), "Topic")
    TraceEverything.below(reached)
    with pytest.warns(UserWarning, match=r"does not reach what was added after it: stack Later/Left;"):
        app.synth()
