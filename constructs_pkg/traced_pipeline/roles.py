"""Roles that cannot be changed from here, and what they then lack."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .checks import Check, warn

_SEND_SEGMENTS = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")


def is_immutable(role: iam.IRole) -> bool:
    """Returns whether the CDK silently drops what is granted to a role.

    Such are roles imported with `mutable=False` or from another account, and those of `without_policy_updates`. The
    CDK tells by nothing but the ids of the constructs it makes for them.
    """
    scope = role.node.scope
    imported = scope is not None and scope.node.try_find_child(f"MutableRole{role.node.id}") is not None
    return imported or role.node.id.startswith("ImmutableRole")


def check_rights(scope: Construct, function: lambda_.IFunction, actions: Iterable[str]) -> None:
    """Warns of what a function is not allowed, because its role cannot be changed from here.

    Args:
        scope: The hop.
        function: The function; one without a known role is none to say anything of.
        actions: What the hop's function does, beyond sending segments.
    """
    role = function.role
    if role is None or not is_immutable(role):
        return
    warn(
        scope,
        Check.ROLE_NOT_MANAGED,
        f"role {role.node.path} of function {function.node.path} cannot be changed from here, so that nothing was "
        f"granted to it; where it is made, allow {', '.join(dict.fromkeys((*_SEND_SEGMENTS, *actions)))}",
    )
