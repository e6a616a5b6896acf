"""References from a hop's stack to resources of other stacks, which the CDK cannot always make."""

from __future__ import annotations

from dataclasses import fields

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from .checks import Check, PipelineError
from .option_checks import Options
from .stacks import outermost_stack

# By what each kind of resource is known to others.
_KNOWN_BY = (
    "topic_arn",
    "queue_arn",
    "table_arn",
    "key_arn",
    "function_arn",
    "rest_api_id",
    "authorizer_id",
    "log_group_arn",
    "vpc_id",
)


def check_references(scope: Construct, options: Options) -> None:
    """Checks each resource that a hop's options name.

    Raises:
        PipelineError: The hop's stack cannot refer to one of them.
    """
    for field in fields(options):
        check_reference(scope, field.name, getattr(options, field.name))


def check_reference(scope: Construct, name: str, resource: object) -> None:
    """Refuses a resource that the hop's stack cannot refer to.

    Args:
        scope: The hop.
        name: Name of the option or argument, for the message.
        resource: Its value; what is no resource made in this app is passed over.

    Raises:
        PipelineError: The stacks are of different environments, and the CDK does not know the resource's name there; or
            each stack would wait for the other.
    """
    attribute = next((known for known in _KNOWN_BY if hasattr(type(resource), known)), None)
    if attribute is None or not isinstance(resource, Construct) or resource.node.default_child is None:
        return
    here, there = Stack.of(scope), Stack.of(resource)
    if here.environment != there.environment and not _is_named(here, getattr(resource, attribute)):
        raise PipelineError(
            Check.OUT_OF_REACH,
            f"{name} is {resource.node.path} of stack {there.node.path} ({there.environment}), to which this stack "
            f"({here.environment}) cannot refer: the CDK names a resource to another environment only where both have "
            "account and Region and it has a physical name; give the stacks the same env, or the resource a name",
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


def _is_named(stack: Stack, token: str) -> bool:
    try:
        resolved = stack.resolve(token)
    except RuntimeError:  # the CDK's refusal
        return False
    return not (isinstance(resolved, dict) and resolved.keys() & {"Fn::GetAtt", "Ref"})
