"""Whether Datadog can get a pipeline's log lines and traces."""

from __future__ import annotations

from aws_cdk import CfnResource, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_xray as xray
from constructs import Construct

from .account_parts import declaring, place_of
from .checks import Check, PipelineError, warn
from .environments import is_stand_in, refuse_other_account, refuse_other_place, refuse_other_region
from .references import check_reference
from .resource import properties_of
from .roles import is_immutable
from .synthesis_checks import resources_in_app

READ_TRACES = ("xray:BatchGetTraces", "xray:GetTraceSummaries")
"""What Datadog's integration calls: https://docs.datadoghq.com/integrations/amazon-xray/."""

_SEARCH = "AWS::XRay::TransactionSearchConfig"
_ALL = 100
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Enable-TransactionSearch.html
_BY_DEFAULT = 1


def check_place(scope: Construct, pipeline: Construct, forwarder: lambda_.IFunction) -> None:
    """Refuses a forwarder that CloudWatch Logs cannot deliver the pipeline's log lines to.

    Args:
        scope: Where the subscriptions are made.
        pipeline: The pipeline.
        forwarder: The function that gets the log lines.

    Raises:
        PipelineError: One of the three is known to be of another account or Region, or cannot be referred to.
    """
    refuse_other_place(scope, pipeline, "pipeline", why="a log group is subscribed to in its own")
    arn = forwarder.function_arn
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
    why = "CloudWatch Logs delivers to functions of the log group's account only"
    refuse_other_account(scope, forwarder, arn, "forwarder", why=why)
    # Documented of destinations; Datadog has its Forwarder installed in each Region.
    why = "CloudWatch Logs delivers within a Region, and Datadog's Forwarder is installed in each"
    refuse_other_region(scope, forwarder, arn, "forwarder", why=why)
    check_reference(scope, "forwarder", forwarder)


def check_role(scope: Construct, role: iam.IRole | None, key: kms.IKey | None) -> None:
    """Refuses a role of Datadog's integration that cannot read the traces of this account.

    Args:
        scope: Where the role's policy is made.
        role: The role; None where no policy is made.
        key: The customer key of X-Ray.

    Raises:
        PipelineError: The role is of another account or cannot be changed, or a key is given without a role or is of
            another Region.
    """
    if role is None:
        if key is not None:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                "xray_key is given without an integration_role that could be allowed to use it; give both, or leave "
                "out xray_key",
            )
        return
    why = "Datadog reads the traces of an account by a role of that account"
    refuse_other_account(scope, role, role.role_arn, "integration_role", why=why)
    check_reference(scope, "xray_key", key)
    if is_immutable(role) and not is_stand_in(role.role_arn):
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"integration_role {role.node.path} cannot be changed from here (mutable=False, or "
            "without_policy_updates()), so that it would not be allowed to read traces; leave it out and allow it "
            f"{', '.join(READ_TRACES)} where it is made, or give one that can be changed",
        )


def check_indexing(scope: Construct) -> None:
    """Warns where Transaction Search leaves Datadog's X-Ray integration only a part of the traces.

    The integration reads `GetTraceSummaries` and `BatchGetTraces`, which know indexed traces only:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html

    Args:
        scope: What forwards to Datadog; it gets the warning.
    """
    percentage = next((_indexed(search) for search in _searches_beside(scope)), None)
    if percentage is not None:
        if percentage < _ALL:
            _warn(scope, f"indexes {percentage:g} % of the traces", f"set indexing_percentage={_ALL}")
        return
    tracing = declaring(scope, "transaction_search")
    if tracing is not None:
        _warn(
            scope,
            "is on, as AccountTracing says, and indexes 1 % of the traces unless somebody changed that",
            f"index {_ALL} % of them, and acknowledge this",
        )


def _searches_beside(scope: Construct) -> list[CfnResource]:
    here = place_of(scope)
    return [search for search in resources_in_app(scope, _SEARCH) if place_of(search) == here]


def _indexed(search: CfnResource) -> float | None:
    """Returns how many of 100 traces are indexed; None if that is not known until deployment."""
    percentage = (
        search.indexing_percentage
        if isinstance(search, xray.CfnTransactionSearchConfig)
        else Stack.of(search).resolve(properties_of(search).get("indexingPercentage"))
    )
    if percentage is None:
        return _BY_DEFAULT
    if not isinstance(percentage, int | float) or Token.is_unresolved(percentage):
        return None
    return percentage


def _warn(scope: Construct, what: str, instead: str) -> None:
    warn(
        scope,
        Check.TRACES_NOT_INDEXED,
        f"the account's Transaction Search {what}, and Datadog's X-Ray integration reads indexed traces only; "
        f"{instead}, or have Datadog's own tracer record the functions",
    )
