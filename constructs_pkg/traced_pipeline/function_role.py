"""The execution role of a function: one that is created, or an existing one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from .acknowledged import acknowledge_star
from .checks import Check, warn
from .roles import is_immutable
from .segment_permission import ANY_RESOURCE_REASON, write_segments

_VPC_REASON = "the actions Lambda needs for a function's network interfaces, which AWS documents with Resource *"

_POLICY_ID = "RolePolicy"

_Statements = Mapping[str, Sequence[iam.PolicyStatement]]


def make_role(
    scope: Construct, log_group: logs.ILogGroup, more: Sequence[iam.PolicyStatement] = (), *, in_vpc: bool
) -> iam.Role:
    """Creates a function's role: it may write to the function's log group, send segments, and nothing else.

    Args:
        scope: The function's construct.
        log_group: Where the function logs.
        more: Further statements, such as for sending spans. Default: none.
        in_vpc: Whether the function is attached to a VPC.
    """
    policies = {
        name: iam.PolicyDocument(statements=list(statements))
        for name, statements in _statements(log_group, more, in_vpc=in_vpc).items()
    }
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), inline_policies=policies)
    acknowledge_star(role, _reason(in_vpc=in_vpc))
    return role


def use_role(
    scope: Construct,
    role: iam.IRole,
    log_group: logs.ILogGroup,
    more: Sequence[iam.PolicyStatement] = (),
    *,
    in_vpc: bool,
) -> iam.IRole:
    """Gives an existing role what a function needs, or warns where the role cannot be changed from here.

    Args:
        scope: The function's construct.
        role: The role.
        log_group: Where the function logs.
        more: Further statements, such as for sending spans. Default: none.
        in_vpc: Whether the function is attached to a VPC.
    """
    statements = [statement for group in _statements(log_group, more, in_vpc=in_vpc).values() for statement in group]
    if is_immutable(role):
        actions = ", ".join(action for statement in statements for action in statement.actions)
        warn(
            scope,
            Check.ROLE_NOT_MANAGED,
            f"role {role.node.path} cannot be changed from here, so that nothing was granted to it for function "
            f"{scope.node.path}; where it is made, allow {actions}",
        )
        return role
    policy = iam.Policy(scope, _POLICY_ID, statements=statements)
    role.attach_inline_policy(policy)
    acknowledge_star(policy, _reason(in_vpc=in_vpc))
    return role


def wait_for_rights(scope: Construct, function: lambda_.Function) -> None:
    """Lets a function be made after its existing role got what it needs: one in a VPC is refused otherwise.

    Args:
        scope: The function's construct.
        function: The function.
    """
    policy = scope.node.try_find_child(_POLICY_ID)
    if policy is not None:
        function.node.add_dependency(policy)


def _statements(log_group: logs.ILogGroup, more: Sequence[iam.PolicyStatement], *, in_vpc: bool) -> _Statements:
    write_logs = iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]
    )
    statements = {"Logs": [write_logs], "XRay": [write_segments(), *more]}
    return {**statements, "Vpc": [_network_interfaces()]} if in_vpc else statements


def _reason(*, in_vpc: bool) -> str:
    return f"{ANY_RESOURCE_REASON}; {_VPC_REASON}" if in_vpc else ANY_RESOURCE_REASON


def _network_interfaces() -> iam.PolicyStatement:
    """Allows what Lambda needs to attach a function to a VPC.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
    """
    return iam.PolicyStatement(
        actions=[
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        ],
        resources=["*"],
    )
