"""References from a hop's stack to resources of other stacks, which the CDK cannot always make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from aws_cdk import Stack, Stage
from aws_cdk import aws_sns as sns
from aws_cdk import aws_xray as xray
from constructs import Construct

from .checks import Check, PipelineError
from .environments import refuse_other_account, refuse_other_region
from .option_checks import Options
from .roles import is_immutable
from .stacks import outermost_stack

# By what each kind of resource is known to others.
_KNOWN_BY = (
    "topic_arn",
    "queue_arn",
    "table_arn",
    "key_arn",
    "function_arn",
    "layer_version_arn",
    "authorizer_id",
    "log_group_arn",
    "role_arn",
    "security_group_id",
    "cluster_arn",
    "vpc_id",
)
_OF_ONE_REGION = {
    # https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
    "key_arn": "a key encrypts in its own Region only",
    "log_group_arn": "functions and containers log in their own Region only",
    "cluster_arn": "a service runs in its cluster's Region only",
    # https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
    "layer_version_arn": "a function takes layers of its own Region only",
}
_OF_ONE_ACCOUNT = {
    # A function knows it by its name: https://docs.aws.amazon.com/lambda/latest/api/API_LoggingConfig.html
    "log_group_arn": "functions and containers log in their own account only",
    "cluster_arn": "a service runs in its cluster's account only",
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
    "role_arn": "a role is passed to functions of its own account only",
}


def check_references(scope: Construct, options: Options) -> None:
    """Checks each resource that a hop's options name, by itself or in a sequence.

    Raises:
        PipelineError: The hop's stack cannot refer to one of them.
    """
    for field in fields(options):
        value = getattr(options, field.name)
        several = isinstance(value, Sequence) and not isinstance(value, str)
        for resource in value if several else [value]:
            check_reference(scope, field.name, resource)


def check_reference(scope: Construct, name: str, resource: object) -> None:
    """Refuses a resource that the hop's stack cannot refer to, or that cannot work beside it.

    Args:
        scope: The hop.
        name: Name of the option or argument, for the message.
        resource: Its value; what is no resource is passed over.

    Raises:
        PipelineError: The resource is of another Region or account than it can work for; the stacks are of different
            environments, and the CDK does not know the resource's name there; they are of different stages; or each
            stack would wait for the other.
    """
    if isinstance(resource, xray.CfnResourcePolicy):
        _check_permission(scope, name, resource)
        return
    if isinstance(resource, Construct) and hasattr(resource, "rest_api_id"):
        # Also where it is imported: its routes are made in its stack.
        _check_environment(scope, name, resource)
        _check_stage(scope, name, resource)
        return
    attribute = next((known for known in _KNOWN_BY if hasattr(resource, known)), None)
    if attribute is None:
        return
    _check_reach(scope, name, resource, attribute)
    if not isinstance(resource, Construct) or resource.node.default_child is None:
        return
    _check_stage(scope, name, resource)
    if attribute == "function_arn":
        _check_environment(scope, name, resource)
    if attribute == "role_arn":
        _check_role(scope, name, resource)
    here, there = Stack.of(scope), Stack.of(resource)
    if here.environment != there.environment and not _is_named(here, getattr(resource, attribute)):
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{_place(name, resource)}, to which this stack ({here.environment}) cannot refer: the CDK names a "
            "resource to another environment only where both have account and Region and it has a physical name; give "
            "the stacks the same env, or the resource a name",
        )
    key = resource.master_key if isinstance(resource, sns.Topic) else None
    if key is None or key.node.default_child is None or outermost_stack(resource) is outermost_stack(scope):
        return
    if Stack.of(key).node.path == here.node.path:
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{name} is {resource.node.path} of stack {there.node.path}, which waits for its key {key.node.path} of "
            "this stack, and this stack would wait for the topic; make the key in the topic's stack, or in a third",
        )


def _check_reach(scope: Construct, name: str, resource: Any, attribute: str) -> None:
    """Refuses what works in its own Region or account only."""
    arn = getattr(resource, attribute)
    if attribute in _OF_ONE_REGION:
        refuse_other_region(scope, resource, arn, name, why=_OF_ONE_REGION[attribute])
    if attribute in _OF_ONE_ACCOUNT:
        refuse_other_account(scope, resource, arn, name, why=_OF_ONE_ACCOUNT[attribute])


def _check_permission(scope: Construct, name: str, policy: xray.CfnResourcePolicy) -> None:
    """Refuses a resource policy of X-Ray that is for other topics than those of the hop's account and Region."""
    here, there = Stack.of(scope), Stack.of(policy)
    if here.environment != there.environment:
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{_place(name, policy)}, but a resource policy of X-Ray is for its own account and Region, and this stack "
            f"is of {here.environment}; give one of the same env",
        )
    _check_stage(scope, name, policy)


def _check_environment(scope: Construct, name: str, resource: Construct) -> None:
    """Refuses an API or function beside which parts of the hop are made that cannot refer to the hop's others."""
    here, there = Stack.of(scope), Stack.of(resource)
    if here.environment != there.environment:
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{_place(name, resource)}, which gets routes, permissions or event source mappings that cannot refer to "
            f"what this stack ({here.environment}) makes; give the stacks the same env",
        )


def _check_role(scope: Construct, name: str, role: Any) -> None:
    """Refuses a role of another stack that is given rights for what this one makes: each would wait for the other."""
    here, there = Stack.of(scope).node.path, Stack.of(role).node.path
    if here != there and not is_immutable(role):
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{_place(name, role)}, whose policy would name what this stack makes, while this stack waits for the "
            f"role: each stack would wait for the other; make the role in {here}, or give it without_policy_updates()",
        )


def _check_stage(scope: Construct, name: str, resource: Construct) -> None:
    """Refuses a resource of another stage, unless its name makes one of another environment known.

    A stage is deployed as a whole, so that the CDK lets no stack of one wait for a stack of another.
    https://docs.aws.amazon.com/cdk/v2/guide/stages.html
    """
    here, there = Stage.of(scope), Stage.of(resource)
    if here is there or Stack.of(scope).environment != Stack.of(resource).environment:
        return
    raise PipelineError(
        Check.OUT_OF_REACH,
        f"{_place(name, resource)} in {_named(there)}, this stack is in {_named(here)}, and the CDK lets no stack wait "
        "for one of another stage; make both in one stage, or give it its name and import it by that, for instance "
        "with sns.Topic.from_topic_arn",
    )


def _named(stage: Stage | None) -> str:
    return f"stage {stage.node.path}" if stage is not None and stage.node.path else "the app itself"


def _place(name: str, resource: Construct) -> str:
    stack = Stack.of(resource)
    return f"{name} is {resource.node.path} of stack {stack.node.path} ({stack.environment})"


def _is_named(stack: Stack, token: str) -> bool:
    try:
        resolved = stack.resolve(token)
    except RuntimeError:  # the CDK's refusal
        return False
    return not (isinstance(resolved, dict) and resolved.keys() & {"Fn::GetAtt", "Ref"})
