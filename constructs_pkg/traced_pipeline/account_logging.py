"""The account-wide role with which API Gateway writes logs."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from .acknowledged import acknowledge_star
from .resource import resource_of

_ACCOUNT_ID = "ApiGatewayAccount"
_REASON = (
    "API Gateway refuses an account's logging role that cannot write to every log group: "
    "the groups of execution logs get their names from API ids"
)


def account_logging(scope: Construct) -> apigateway.CfnAccount:
    """Return the stack's `AWS::ApiGateway::Account` with a role for logs, made on first use.

    The setting is one for the account and Region. Both parts stay when the stack goes: other APIs may have
    come to log with them.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    stack = Stack.of(scope)
    existing = stack.node.try_find_child(_ACCOUNT_ID)
    if isinstance(existing, apigateway.CfnAccount):
        return existing
    role = iam.Role(
        stack,
        "ApiGatewayLoggingRole",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
        inline_policies={"Logs": iam.PolicyDocument(statements=[_write_every_log_group()])},
    )
    acknowledge_star(resource_of(role, iam.CfnRole), _REASON)
    account = apigateway.CfnAccount(stack, _ACCOUNT_ID, cloud_watch_role_arn=role.role_arn)
    role.apply_removal_policy(RemovalPolicy.RETAIN)
    account.apply_removal_policy(RemovalPolicy.RETAIN)
    return account


def _write_every_log_group() -> iam.PolicyStatement:
    """Hold what the managed policy `AmazonAPIGatewayPushToCloudWatchLogs` holds."""
    return iam.PolicyStatement(
        actions=[
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            "logs:GetLogEvents",
            "logs:FilterLogEvents",
        ],
        resources=["*"],
    )
