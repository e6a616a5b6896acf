"""Whether a resource's policy lets an AWS service in.

The rules are those of
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html, as far
as a service that acts for a resource of the same account needs them: an explicit deny wins, and without an allow the
answer is no. What a condition asks beyond the keys that are known of such a call leaves the answer open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..traces.model import JsonObject, JsonValue

_WILDCARD_OPERATORS = frozenset({"StringLike", "ArnLike", "ArnEquals"})
_PLAIN_OPERATORS = frozenset({"StringEquals"})


@dataclass(frozen=True, kw_only=True)
class ServiceCall:
    """A service's call on behalf of a resource.

    Attributes:
        service: The service's principal, such as `sns.amazonaws.com`.
        action: The action, such as `sqs:SendMessage`.
        resource: The ARN of what is called; None for actions that know no resources.
        source_arn: The ARN of the resource the service acts for.
    """

    service: str
    action: str
    resource: str | None
    source_arn: str

    @property
    def keys(self) -> Mapping[str, str]:
        """The condition keys such a call is known to have, in lower case.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        return {
            "aws:sourcearn": self.source_arn,
            "aws:sourceaccount": self.source_arn.split(":")[4],
            "aws:securetransport": "true",
        }


def admits(policies: Iterable[JsonObject], call: ServiceCall) -> bool | None:
    """Whether policies admit a call; None where a condition leaves it open.

    Args:
        policies: The policies, read.
        call: The call.
    """
    answers: dict[str, set[bool | None]] = {"Allow": set(), "Deny": set()}
    for policy in policies:
        for statement in _objects(policy.get("Statement")):
            effect = statement.get("Effect")
            if isinstance(effect, str) and effect in answers:
                answers[effect].add(_applies(statement, call))
    if True in answers["Deny"]:
        return False
    if None in answers["Deny"] and answers["Allow"] & {True, None}:
        return None
    return True if True in answers["Allow"] else (None if None in answers["Allow"] else False)


def _applies(statement: JsonObject, call: ServiceCall) -> bool | None:
    if not (_names_service(statement, call.service) and _names(statement, "Action", call.action)):
        return False
    if call.resource is not None and not _names(statement, "Resource", call.resource):
        return False
    conditions = statement.get("Condition")
    answers = [
        _condition(operator, key, value, call.keys)
        for operator, wanted in (conditions.items() if isinstance(conditions, dict) else ())
        for key, value in (wanted.items() if isinstance(wanted, dict) else ())
    ]
    return False if False in answers else (None if None in answers else True)


def _names_service(statement: JsonObject, service: str) -> bool:
    if "NotPrincipal" in statement:
        return True
    principal = statement.get("Principal")
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    return service in _texts(principal.get("Service")) or "*" in _texts(principal.get("AWS"))


def _names(statement: JsonObject, element: str, value: str) -> bool:
    """Returns whether an element (`Action`, `Resource`) names a value, or its opposite does not."""
    fold = element == "Action"
    if f"Not{element}" in statement:
        return not any(_like(pattern, value, fold=fold) for pattern in _texts(statement[f"Not{element}"]))
    return any(_like(pattern, value, fold=fold) for pattern in _texts(statement.get(element)))


def _condition(operator: str, key: str, wanted: JsonValue, keys: Mapping[str, str]) -> bool | None:
    value = keys.get(key.lower())
    kind = operator.removesuffix("IfExists")
    if value is None:
        return None
    if kind == "Bool":
        return value in [text.lower() for text in _texts(wanted)]
    if kind in _WILDCARD_OPERATORS:
        return any(_like(pattern, value) for pattern in _texts(wanted))
    if kind in _PLAIN_OPERATORS:
        return value in _texts(wanted)
    return None


def _like(pattern: str, value: str, *, fold: bool = False) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)
    return re.fullmatch(expression, value, re.DOTALL | (re.IGNORECASE if fold else 0)) is not None


def _texts(value: JsonValue) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in values if value is not None]


def _objects(value: JsonValue) -> list[JsonObject]:
    values = value if isinstance(value, list) else [value]
    return [statement for statement in values if isinstance(statement, dict)]
