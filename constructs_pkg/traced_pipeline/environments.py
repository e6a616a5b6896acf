"""The account and Region of a resource, beside those of the hop that uses it.

Where either is not known before deployment, nothing is said: it may be the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import IResource, Stack, Stage, Token
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct, IConstruct

from .checks import Check, PipelineError, warn

_REGION_OF_AN_ARN, _ACCOUNT_OF_AN_ARN = 3, 4


@dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """Where a resource is; None for what is not known before deployment."""

    account: str | None
    region: str | None


def where_is(resource: IResource, arn: str) -> Whereabouts:
    """Returns where a resource is.

    Args:
        resource: The resource.
        arn: Its ARN. An imported resource may claim its stack's account and Region, whatever its ARN says.
    """
    parts = arn.split(":")
    if Token.is_unresolved(arn) or len(parts) <= _ACCOUNT_OF_AN_ARN:
        return Whereabouts(account=_known(resource.env.account), region=_known(resource.env.region))
    return Whereabouts(account=_known(parts[_ACCOUNT_OF_AN_ARN]), region=_known(parts[_REGION_OF_AN_ARN]))


def where_is_stack(scope: IConstruct) -> Whereabouts:
    """Returns where the stack of a construct is deployed to."""
    stack = Stack.of(scope)
    return Whereabouts(account=_known(stack.account), region=_known(stack.region))


def in_other_account(scope: IConstruct, resource: IResource, arn: str) -> bool:
    """Returns whether a resource is known to belong to another account."""
    return _differ(where_is(resource, arn).account, where_is_stack(scope).account)


def check_environment(
    scope: Construct, resource: IResource, arn: str, what: str, *, warned: IConstruct | None = None
) -> None:
    """Warns where a resource belongs to another account or Region.

    Args:
        scope: The hop that uses it.
        resource: The resource.
        arn: Its ARN.
        what: What it is, for the message.
        warned: The construct that gets the warning. Default: the hop.
    """
    ours, theirs = where_is_stack(scope), where_is(resource, arn)
    if _differ(ours.account, theirs.account):
        # The policy of what is made in this app is written with it.
        policy = "" if _is_made_here(resource) else "its own policy must let this account in, and "
        warn(
            warned or scope,
            Check.OTHER_ACCOUNT,
            f"{what} {resource.node.path} belongs to account {theirs.account}, this stack to {ours.account}: {policy}"
            "each account records its own part of a trace, under the same trace id",
        )
    if _differ(ours.region, theirs.region):
        warn(
            warned or scope,
            Check.OTHER_REGION,
            f"{what} {resource.node.path} belongs to Region {theirs.region}, this stack to {ours.region}: X-Ray keeps "
            "each Region's part of a trace by itself, so that no map shows the whole, and a client of the AWS SDK must "
            f"be made for {theirs.region} to reach it; use one of {ours.region}",
        )


def refuse_other_region(scope: IConstruct, resource: IResource, arn: str, what: str, *, why: str) -> None:
    """Refuses a resource of another Region where AWS cannot work with one.

    Args:
        scope: The hop that uses it.
        resource: The resource.
        arn: Its ARN.
        what: What it is, for the message.
        why: What AWS demands, for the message.

    Raises:
        PipelineError: The resource is known to belong to another Region.
    """
    ours, theirs = where_is_stack(scope).region, where_is(resource, arn).region
    if _differ(ours, theirs):
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{what} {resource.node.path} belongs to Region {theirs}, this stack to {ours}, but {why}; use one of "
            f"{ours}",
        )


def refuse_other_account(scope: IConstruct, resource: IResource, arn: str, what: str, *, why: str) -> None:
    """Refuses a resource of another account where AWS cannot work with one.

    Args:
        scope: The hop that uses it.
        resource: The resource.
        arn: Its ARN.
        what: What it is, for the message.
        why: What AWS demands, for the message.

    Raises:
        PipelineError: The resource is known to belong to another account.
    """
    ours, theirs = where_is_stack(scope).account, where_is(resource, arn).account
    if _differ(ours, theirs) and not is_stand_in(arn):
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{what} {resource.node.path} belongs to account {theirs}, this stack to {ours}, but {why}; use one of "
            f"account {ours}",
        )


def is_stand_in(arn: str) -> bool:
    """Returns whether an ARN is that of no role: `Role.from_lookup` has one until the CDK has looked the role up."""
    return arn.endswith(":role/DUMMY_ARN")


def refuse_other_place(scope: IConstruct, other: IConstruct, what: str, *, why: str) -> None:
    """Refuses a construct whose stack is deployed to another account or Region, or belongs to another stage.

    Args:
        scope: What works with it.
        other: The construct.
        what: What it is, for the message.
        why: What AWS demands, for the message.

    Raises:
        PipelineError: The two are known to be of different accounts or Regions, or of different stages.
    """
    here, there = _stage_of(scope), _stage_of(other)
    if here != there:
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{what} {other.node.path} belongs to {there}, this to {here}, and the CDK lets no stack refer to one of "
            f"another stage; put this into a stack of {there}",
        )
    ours, theirs = where_is_stack(scope), where_is_stack(other)
    for kind, mine, its in (("account", ours.account, theirs.account), ("Region", ours.region, theirs.region)):
        if _differ(mine, its):
            raise PipelineError(
                Check.OUT_OF_REACH,
                f"{what} {other.node.path} belongs to {kind} {its}, this stack to {mine}, but {why}; put this into a "
                f"stack of {kind} {its}",
            )


def table_name_for(scope: Construct, table: dynamodb.ITable) -> str:
    """Returns what a function calls a table by: its name, or its ARN where the name may be another table's.

    DynamoDB takes the ARN wherever it takes a name; a name alone is that of a table of the caller's account and Region.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html
    """
    ours, theirs = where_is_stack(scope), where_is(table, table.table_arn)
    if theirs.account in (None, ours.account) and theirs.region in (None, ours.region):
        return table.table_name
    return table.table_arn


def _stage_of(scope: IConstruct) -> str:
    stage = Stage.of(scope)
    return f"stage {stage.node.path}" if stage is not None and stage.node.path else "the app itself"


def _known(value: str) -> str | None:
    return None if not value or Token.is_unresolved(value) else value


def _differ(ours: str | None, theirs: str | None) -> bool:
    return ours is not None and theirs is not None and ours != theirs


def _is_made_here(resource: IResource) -> bool:
    return resource.node.default_child is not None
