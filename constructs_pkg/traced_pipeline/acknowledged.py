"""Findings of cdk-nag that this library causes, acknowledged with their reasons."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge_star(node: IConstruct, reason: str) -> None:
    """Acknowledges cdk-nag's `AwsSolutions-IAM5[Resource::*]` on exactly the policy that causes it.

    A precreated role has no resource, and so no finding (`iam.Role.customize_roles`).
    """
    resource = node.node.default_child
    if resource is None:
        return
    Validations.of(resource).acknowledge(Acknowledgment(id="AwsSolutions-IAM5[Resource::*]", reason=reason))


def acknowledge_no_cognito(node: IConstruct, reason: str) -> None:
    """Acknowledges cdk-nag's `AwsSolutions-COG4` on exactly the method that causes it."""
    Validations.of(node).acknowledge(Acknowledgment(id="AwsSolutions-COG4", reason=reason))
