"""Findings of policy checkers that this library itself causes and answers for."""

from __future__ import annotations

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge_star(node: IConstruct, reason: str) -> None:
    """Answer cdk-nag's `AwsSolutions-IAM5[Resource::*]` on exactly the policy that causes it.

    A precreated role has no resource, and nothing to answer for (`iam.Role.customize_roles`).
    """
    resource = node.node.default_child
    if resource is None:
        return
    Validations.of(resource).acknowledge(Acknowledgment(id="AwsSolutions-IAM5[Resource::*]", reason=reason))


def acknowledge_no_cognito(node: IConstruct, reason: str) -> None:
    """Answer cdk-nag's `AwsSolutions-COG4` on exactly the method that causes it."""
    Validations.of(node).acknowledge(Acknowledgment(id="AwsSolutions-COG4", reason=reason))
