"""Tags by which Datadog tells whose metrics and log lines it shows."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Tags, Token
from constructs import IConstruct

from .checks import Check, PipelineError

HOP = "traced_pipeline"
"""Key of the tag that names a pipeline and the hop within it."""

LONGEST_NAME = 100
_LONGEST_TAG = 200
# https://docs.datadoghq.com/getting_started/tagging/#define-tags
_RULES = "https://docs.datadoghq.com/getting_started/tagging/"
_BESIDE_ALPHANUMERICS = "_-:./"
# What Datadog's AWS integrations read tags of, among what a pipeline is made of.
_TAGGED = [
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::ECS::Service",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
]
_VERSIONED = ["AWS::ECS::Service", "AWS::Lambda::Function"]
# Below that of tags by default, which is 100, so that those that an app sets itself stay.
_PRIORITY = 50


def check_tag_value(argument: str, key: str, value: str, *, most: int = _LONGEST_TAG) -> None:
    """Refuses a value that Datadog would change, so that the tag would be another one there. Tokens are skipped.

    Args:
        argument: Name of the argument, for the message.
        key: Key of the tag.
        value: Its value.
        most: How many characters it may have at most. Default: those that a tag has room for.

    Raises:
        PipelineError: Datadog would change the value.
    """
    if Token.is_unresolved(value):
        return
    most = min(most, _LONGEST_TAG - len(key) - 1)
    allowed = all(character.isalnum() or character in _BESIDE_ALPHANUMERICS for character in value)
    if not allowed or not 1 <= len(value) <= most or value.endswith(":") or value != value.lower():
        raise PipelineError(
            Check.OPTION_VALUE,
            f"{argument} is {value!r}, but must have 1 to {most} lower-case letters, digits and "
            f"{_BESIDE_ALPHANUMERICS}, and no colon at its end: Datadog makes another tag of others; see {_RULES}",
        )


def name_in_tags(text: str) -> str:
    """Returns a text as a part of a tag's value, in which points separate the parts."""
    return "".join(c if c.isalnum() or c in "_-" else "-" for c in text.lower())


def add_tags(resource: IConstruct, tags: Mapping[str, str | None]) -> None:
    """Tags what Datadog reads of a resource and of what stands below it; a tag that the app sets itself stays.

    A resource that is imported is left as it is, since its tags are set where it is made.

    Args:
        resource: The resource.
        tags: Values by key. None: there is no such tag.
    """
    for key, value in tags.items():
        if value is not None:
            kinds = _VERSIONED if key == "version" else _TAGGED
            Tags.of(resource).add(key, value, include_resource_types=kinds, priority=_PRIORITY)
