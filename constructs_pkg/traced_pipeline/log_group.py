"""A log group, and what its customer key must allow."""

from __future__ import annotations

from aws_cdk import ArnFormat, Aws, RemovalPolicy, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from .checks import Check, warn
from .resource import resource_of


def make_log_group(
    scope: Construct,
    construct_id: str,
    *,
    retention: logs.RetentionDays,
    key: kms.IKey | None,
    removal_policy: RemovalPolicy | None,
) -> logs.LogGroup:
    """Creates a log group, and lets CloudWatch Logs use its customer key.

    The CDK does not do the latter, and without it a log group with a key cannot be made.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html

    Args:
        scope: Where to create it.
        construct_id: Id of the log group.
        retention: How long it keeps its events.
        key: Customer key that encrypts them.
        removal_policy: What happens to it when it leaves the stack. Default: it is kept.
    """
    if key is not None:
        _let_logs_use(scope, key)
    return logs.LogGroup(
        scope,
        construct_id,
        retention=retention,
        encryption_key=key,
        removal_policy=removal_policy or RemovalPolicy.RETAIN,
    )


def log_group_name_of(function: lambda_.IFunction) -> str | None:
    """Returns the name of the log group that a function writes to; None of a function that is made elsewhere.

    Without one of its own, it is named after the function:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html
    """
    if not isinstance(function, lambda_.Function):
        return None
    name = own_log_group_name(function)
    return f"/aws/lambda/{function.function_name}" if name is None else name


def own_log_group_name(function: lambda_.Function) -> str | None:
    """Returns the name of the log group that a function is given; None if Lambda makes one when it first logs."""
    # What the CDK makes under its flag `@aws-cdk/aws-lambda:useCdkManagedLogGroup`.
    managed = function.node.try_find_child("LogGroup")
    if isinstance(managed, logs.LogGroup):
        return managed.log_group_name
    config = resource_of(function, lambda_.CfnFunction).logging_config
    if isinstance(config, lambda_.CfnFunction.LoggingConfigProperty):
        name: object = config.log_group  # as it is: resolved here, it would name a resource of this stack in another
    else:
        name = (Stack.of(function).resolve(config) or {}).get("logGroup")
    return None if name is None else Token.as_string(name)


def _let_logs_use(scope: Construct, key: kms.IKey) -> None:
    # Named by the account and Region: with the group's own ARN, key and group would wait for each other.
    stack = Stack.of(scope)
    groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    added = key.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.{Aws.URL_SUFFIX}")],
            actions=["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )
    if not added.statement_added:
        warn(
            scope,
            Check.KEY_NOT_MANAGED,
            f"key {key.node.path} is imported, so that its policy cannot be changed from here, but it encrypts "
            "log groups; where it is made, let logs.<region>.amazonaws.com use it for log groups of this account",
        )
