"""From a construct of the CDK to the CloudFormation resource inside it."""

from __future__ import annotations

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
