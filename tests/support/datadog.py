"""Pipelines that are read in Datadog."""

from __future__ import annotations

from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import ContainerWorkerOptions, DatadogForwarding, TracedPipeline, WorkerOptions

from tests.support.stacks import make_function


def forwarder_of(stack: Stack, *, account: str = "111111111111", region: str = "eu-west-1") -> lambda_.IFunction:
    """Datadog's Forwarder, as an account has it."""
    arn = f"arn:aws:lambda:{region}:{account}:function:datadog-forwarder"
    return lambda_.Function.from_function_arn(stack, "Forwarder", arn)


def forwarding(stack: Stack, orders: TracedPipeline | None = None, **more: Any) -> DatadogForwarding:
    """What forwards a pipeline, by default that with the Forwarder of the account."""
    orders = orders or TracedPipeline(stack, "Orders")
    if "forwarder" not in more:
        more["forwarder"] = forwarder_of(stack)
    return DatadogForwarding(stack, "Datadog", pipeline=orders, **{"env": "prod", **more})


def whole_pipeline(stack: Stack) -> DatadogForwarding:
    """A pipeline with workers of all kinds, added before and after, and a forwarder of the app."""
    orders = TracedPipeline(stack, "Orders")
    orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
    function = make_function(stack, "Forwarder")
    made = forwarding(stack, orders, forwarder=function, service="orders", version="1.4.2")
    orders.add_worker("Audit").add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
    image = ecs.ContainerImage.from_registry("registry.example.com/bill:1")
    orders.add_container_worker("Bill", ContainerWorkerOptions(image=image))
    return made


def tags_of(properties: dict[str, Any]) -> dict[str, Any]:
    """The tags of a resource, those of a global table's replicas included."""
    found = properties.get("Tags") or [tag for r in properties.get("Replicas", []) for tag in r.get("Tags", [])]
    return {tag["Key"]: tag["Value"] for tag in found}
