"""From a construct of the CDK to the CloudFormation resource inside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from aws_cdk import CfnResource, Reference, Tokenization
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


def properties_of(resource: CfnResource) -> Mapping[str, object]:
    """Returns all properties of a resource, resolved, with names as in `functionName`.

    What was set by `add_property_override` is not among them: the CDK shows that to nobody. It resolves whatever the
    resource holds, which fixes lazy values and policy statements, so that it is for types without either.
    """
    # One call to the CDK instead of one for each property, and the only one that reads what SAM's union types hold.
    properties: Mapping[str, object] = resource.stack.resolve(resource._cfn_properties) or {}  # noqa: SLF001
    # A plain CfnResource spells them as in a template.
    return {f"{name[:1].lower()}{name[1:]}": value for name, value in properties.items()}
