"""The account-wide role with which API Gateway writes logs."""

from __future__ import annotations

import jsii
from aws_cdk import AspectPriority, Aspects, CfnResource, IAspect, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from .account_parts import declaring
from .acknowledged import acknowledge_star
from .checks import Check, note
from .resource import resource_of
from .stacks import outermost_stack
from .synthesis_checks import resources_in_app

_ACCOUNT_ID = "ApiGatewayAccount"
_REASON = (
    "API Gateway refuses an account's logging role that cannot write to every log group: "
    "the groups of execution logs get their names from API ids"
)
_EXISTING_ROLE_NOTE = (
    "the API logs with the account's CloudWatch role for API Gateway, which must exist in this Region; if the "
    'deployment fails with "CloudWatch Logs role ARN must be set in account settings", make an AccountTracing in a '
    'stack that is deployed first, or give IngestOptions(account_logging_role="create") in one stack'
)


def account_logging(scope: Construct) -> apigateway.CfnAccount:
    """Returns the stack's `AWS::ApiGateway::Account` with a role for logs, made on first use.

    A nested stack takes part in that of the stack around it.
    The setting is one for the account and Region. Both parts stay when the stack goes: other APIs may have
    come to log with them.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """
    stack = outermost_stack(scope)
    existing = stack.node.try_find_child(_ACCOUNT_ID)
    if isinstance(existing, apigateway.CfnAccount):
        return existing
    role = iam.Role(
        stack,
        "ApiGatewayLoggingRole",
        assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
        inline_policies={"Logs": iam.PolicyDocument(statements=[_write_every_log_group()])},
    )
    acknowledge_star(role, _REASON)
    account = apigateway.CfnAccount(stack, _ACCOUNT_ID, cloud_watch_role_arn=role.role_arn)
    role.apply_removal_policy(RemovalPolicy.RETAIN)
    account.apply_removal_policy(RemovalPolicy.RETAIN)
    return account


def rely_on_account_logging(scope: Construct, stage: apigateway.Stage) -> None:
    """Lets a stage log with the role that the account has, and notes it where the app does not set the role."""
    Aspects.of(resource_of(stage, apigateway.CfnStage)).add(
        _LogsWithAccountRole(scope), priority=AspectPriority.MUTATING
    )


@jsii.implements(IAspect)
class _LogsWithAccountRole:
    """Makes a stage wait for the role of its account, which may be set before the API or after it."""

    def __init__(self, api: Construct) -> None:
        self._api = api

    def visit(self, stage: IConstruct) -> None:
        """Looks for the setting; the CDK calls this at synthesis."""
        account = _account_of_app(stage)
        if account is None and declaring(stage, "api_logging_role") is None:
            note(self._api, Check.ACCOUNT_LOGGING_ROLE, _EXISTING_ROLE_NOTE)
        elif account is not None and outermost_stack(account).node.path == outermost_stack(stage).node.path:
            stage.node.add_dependency(account)


def _account_of_app(scope: IConstruct) -> CfnResource | None:
    here = Stack.of(scope)
    for account in resources_in_app(scope, "AWS::ApiGateway::Account"):
        if (account.stack.account, account.stack.region) == (here.account, here.region):
            return account
    return None


def _write_every_log_group() -> iam.PolicyStatement:
    """Returns what the managed policy `AmazonAPIGatewayPushToCloudWatchLogs` allows."""
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
