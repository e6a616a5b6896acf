"""Durable functions, Managed Instances, and Pythons that Lambda has before the CDK."""

from __future__ import annotations

import re
from types import SimpleNamespace

import botocore.session
import pytest
from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Check, PipelineError, TracedPipeline, WorkerOptions
from traced_pipeline.function_checks import runtime_of_bridge
from traced_pipeline.layer import PYTHONS, RUNTIMES

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize, warnings

DURABLE = lambda_.DurableConfig(execution_timeout=Duration.minutes(10))


class TestDurableFunctions:
    def test_that_exist(self, new_stack: NewStack) -> None:
        stack = new_stack()
        function = make_function(stack, durable_config=DURABLE)
        for handler in (function, function.add_alias("live")):
            with pytest.raises(PipelineError, match="function Shop/Mine is durable") as caught:
                TracedPipeline(stack, f"Orders{handler.node.id}", worker=WorkerOptions(handler=handler))
            assert caught.value.check is Check.DURABLE_FUNCTION

    def test_that_are_made_durable_later(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        resource = orders.worker.traced_function.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        resource.durable_config = lambda_.CfnFunction.DurableConfigProperty(execution_timeout=600)
        with pytest.raises(RuntimeError, match="function Shop/Orders/Worker/Function/Resource is durable"):
            synthesize(stack)

    def test_that_are_no_workers(self, new_stack: NewStack) -> None:
        stack = new_stack()
        make_function(stack, durable_config=DURABLE)
        TracedPipeline(stack, "Orders")
        assert "DurableConfig" in synthesize(stack).one("AWS::Lambda::Function", "Mine")


def test_a_worker_on_managed_instances(new_stack: NewStack) -> None:
    stack = new_stack()
    vpc = ec2.Vpc(stack, "Net", max_azs=1)
    group = ec2.SecurityGroup(stack, "Group", vpc=vpc)
    provider = lambda_.CapacityProvider(stack, "Instances", subnets=vpc.private_subnets, security_groups=[group])
    orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(memory_size=4096))
    provider.add_function(orders.worker.traced_function.function)
    worker = synthesize(stack).one("AWS::Lambda::Function", "Worker")
    assert "CapacityProviderConfig" in worker
    assert worker["TracingConfig"] == {"Mode": "PassThrough"}
    assert warnings(stack) == []


class TestPythons:
    def test_are_those_of_lambda(self) -> None:
        """A Python that Lambda adds is to be looked at here."""
        shape = botocore.session.get_session().get_service_model("lambda").shape_for("Runtime")
        named = [re.fullmatch(r"python3\.(\d+)", name) for name in shape.enum]  # type: ignore[attr-defined]
        newer = sorted(int(match[1]) for match in named if match and int(match[1]) >= 11)
        assert [f"PYTHON_3_{minor}" for minor in newer] == list(PYTHONS)

    def test_are_taken_as_far_as_the_cdk_has_them(self) -> None:
        assert {runtime.name for runtime in RUNTIMES} == {
            name.lower().replace("python_", "python").replace("_", ".")
            for name in PYTHONS
            if hasattr(lambda_.Runtime, name)
        }

    def test_one_that_the_cdk_does_not_have(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # A `Runtime` that the CDK does not know would count as the latest for every other test of this process.
        monkeypatch.setattr("traced_pipeline.function_checks.RUNTIMES", RUNTIMES[:-1])
        newest = RUNTIMES[-1].name
        runtime: lambda_.Runtime = SimpleNamespace(name=newest)  # type: ignore[assignment]
        with pytest.raises(PipelineError, match=f"runtime is {newest}, but this release of aws-cdk-lib has no Runtime"):
            runtime_of_bridge(runtime)
