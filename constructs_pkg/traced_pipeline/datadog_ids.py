"""Datadog's ids on log lines: the bridge writes them where its variable asks for them."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_lambda as lambda_

from . import bridge_environment
from .intrinsics import part_of
from .layer import has_bridge
from .resource import property_of, resource_of

_DATADOG = "datadog"


def write_datadog_ids(function: lambda_.Function) -> None:
    """Lets the bridge in a function write Datadog's ids on log lines, unless the function says what it writes."""
    resource = resource_of(function, lambda_.CfnFunction)
    variables = part_of(property_of(resource, "environment"), "variables")
    if has_bridge(resource) and part_of(variables, bridge_environment.LOGS) is None:
        function.add_environment(bridge_environment.LOGS, _DATADOG)


def write_datadog_ids_in_container(container: ecs.ContainerDefinition) -> None:
    """Lets the bridge in a container write Datadog's ids on log lines, unless the container says what it writes."""
    environment = Stack.of(container).resolve(container.render_container_definition().environment) or []
    if all(variable["name"] != bridge_environment.LOGS for variable in environment):
        container.add_environment(bridge_environment.LOGS, _DATADOG)
