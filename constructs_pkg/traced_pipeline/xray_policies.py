"""The resource policies of X-Ray that an app makes: who may send segments to an account."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_xray as xray
from constructs import IConstruct

from .account_parts import declaring
from .synthesis_checks import resources_in_app

MOST_POLICIES = 5
"""How many an account holds in a Region: https://docs.aws.amazon.com/xray/latest/api/API_PutResourcePolicy.html."""

_SNS = ("sns.amazonaws.com", "*")
_SEND = ("xray:puttracesegments", "xray:put*", "xray:*", "*")


def policies_beside(scope: IConstruct) -> list[CfnResource]:
    """Returns the policies that the app makes in a construct's account and Region; for use at synthesis."""
    here = Stack.of(scope)
    policies = resources_in_app(scope, "AWS::XRay::ResourcePolicy")
    return [p for p in policies if (p.stack.account, p.stack.region) == (here.account, here.region)]


def lets_topics_trace(topic: IConstruct) -> bool:
    """Returns whether SNS may send segments in a topic's account and Region; for use at synthesis.

    It may by a policy of the app, where one whose text is not known before deployment is taken for such a policy, or
    by one that the account has, as an `AccountTracing` of the app says.
    """
    return declaring(topic, "sns_permission") is not None or any(
        _lets_sns_send(policy) for policy in policies_beside(topic)
    )


def _lets_sns_send(policy: CfnResource) -> bool:
    document = _document(policy)
    if document is None:
        return True
    statements = document.get("Statement")
    if isinstance(statements, Mapping):
        statements = [statements]
    if not isinstance(statements, list):
        return True
    return any(_is_for_sns(statement) for statement in statements if isinstance(statement, Mapping))


def _is_for_sns(statement: Mapping[str, object]) -> bool:
    principal = statement.get("Principal")
    services = _texts(principal.get("Service") if isinstance(principal, Mapping) else principal)
    actions = _texts(statement.get("Action"))
    return (
        statement.get("Effect") == "Allow"
        and any(service in _SNS for service in services)
        and any(action.lower() in _SEND for action in actions)
    )


def _document(policy: CfnResource) -> Mapping[str, object] | None:
    """Returns a policy's text as data, in which a name stands for each token; None where all of it is a token."""
    if not isinstance(policy, xray.CfnResourcePolicy):
        return None
    text = Stack.of(policy).resolve(policy.policy_document)
    if isinstance(text, Mapping) and isinstance(join := text.get("Fn::Join"), list):
        text = "".join(part if isinstance(part, str) else "token" for part in join[1])
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except json.JSONDecodeError:
        return None
    return document if isinstance(document, Mapping) else None


def _texts(value: object) -> Iterable[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]
