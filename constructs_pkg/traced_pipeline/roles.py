"""Roles that cannot be changed from here."""

from __future__ import annotations

from aws_cdk import aws_iam as iam


def is_immutable(role: iam.IRole) -> bool:
    """Tells whether the CDK silently drops what is granted to a role.

    Such are roles imported with `mutable=False` or from another account, and those of `without_policy_updates`. The
    CDK tells by nothing but the ids of the constructs it makes for them.
    """
    scope = role.node.scope
    imported = scope is not None and scope.node.try_find_child(f"MutableRole{role.node.id}") is not None
    return imported or role.node.id.startswith("ImmutableRole")
