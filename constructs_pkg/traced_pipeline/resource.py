"""From a construct of the CDK to the CloudFormation resource inside it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar

from aws_cdk import CfnResource, Reference, Stack, Token, Tokenization
from constructs import IConstruct

ResourceT = TypeVar("ResourceT", bound=CfnResource)


def resource_of(construct: IConstruct, kind: type[ResourceT]) -> ResourceT:
    """Returns a construct's main resource.

    Raises:
        TypeError: The construct's main resource is of another type.
    """
    resource = construct.node.default_child
    if not isinstance(resource, kind):
        raise TypeError(f"{construct.node.path} holds {type(resource).__name__}, not {kind.__name__}")
    return resource


def referenced_resource(text: str) -> CfnResource | None:
    """Returns the resource that a name or ARN is a reference to, and nothing but a reference; None for other texts."""
    fragments = Tokenization.reverse_string(text)
    token = fragments.first_token if fragments.length == 1 else None
    target = token.target if token is not None and isinstance(token, Reference) else None
    return target if isinstance(target, CfnResource) else None


def identity_of(scope: IConstruct, text: str) -> str:
    """Returns what a name or ARN stands for, so that two can be compared: the path of the resource, or the text itself.

    Args:
        scope: Where the name or ARN is used.
        text: The name or ARN.
    """
    if not Token.is_unresolved(text):
        return text
    target = referenced_resource(text)
    if target is not None:
        return target.node.path
    stack = Stack.of(scope)
    return f"{stack.node.path} {json.dumps(stack.resolve(text), sort_keys=True)}"


def properties_of(resource: CfnResource) -> Mapping[str, object]:
    """Returns all properties of a resource, resolved, with names as in `functionName`.

    What was set by `add_property_override` is not among them: the CDK shows that to nobody. It resolves whatever the
    resource holds, which fixes lazy values and policy statements, so that it is for types without either.
    """
    return properties_of_all([resource])[0]


def property_of(resource: CfnResource, name: str) -> object:
    """Returns one property of a resource, resolved, and leaves the others as lazy as they are.

    Args:
        resource: The resource.
        name: The property, as in `functionName`.
    """
    # The typed attribute would keep the CDK from adding to a function's variables later.
    properties: Mapping[str, object] = resource._cfn_properties  # noqa: SLF001
    # A plain CfnResource spells the names as in a template.
    as_in_template = f"{name[:1].upper()}{name[1:]}"
    return resource.stack.resolve(properties.get(name, properties.get(as_in_template)))


def properties_of_all(resources: Sequence[CfnResource]) -> list[Mapping[str, object]]:
    """Returns what `properties_of` does for each of some resources, with one call to the CDK to resolve a stack's."""
    by_stack: dict[Stack, dict[str, object]] = {}
    stacks = [resource.stack for resource in resources]
    for number, (stack, resource) in enumerate(zip(stacks, resources, strict=True)):
        # One call instead of one for each property, and the only one that reads what SAM's union types hold.
        by_stack.setdefault(stack, {})[str(number)] = resource._cfn_properties  # noqa: SLF001
    resolved: dict[str, Mapping[str, object]] = {}
    for stack, properties in by_stack.items():
        resolved |= stack.resolve(properties)
    # A plain CfnResource spells the names as in a template.
    return [
        {f"{name[:1].lower()}{name[1:]}": value for name, value in resolved.get(str(number), {}).items()}
        for number in range(len(resources))
    ]
