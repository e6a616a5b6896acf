"""From a construct of the CDK to the CloudFormation resource inside it."""

from __future__ import annotations

from typing import TypeVar

from aws_cdk import CfnResource
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
