"""What an app's `AccountTracing` says the account and Region of a construct have, whoever makes it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aws_cdk import Stack, Stage, Token
from constructs import IConstruct

AccountPart: TypeAlias = Literal["create", "existing", "none"]
PartName: TypeAlias = Literal[
    "sns_permission", "api_logging_role", "transaction_search", "application_signals", "sampling_rule"
]


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What one `AccountTracing` says.

    Attributes:
        construct: The construct.
        parts: Its word for each part.
    """

    construct: IConstruct
    parts: Mapping[PartName, AccountPart]


_declared: weakref.WeakKeyDictionary[IConstruct, list[Declaration]] = weakref.WeakKeyDictionary()


def declare(construct: IConstruct, parts: Mapping[PartName, AccountPart]) -> None:
    """Keeps what an `AccountTracing` says, for the other constructs of its app."""
    _declared.setdefault(construct.node.root, []).append(Declaration(construct=construct, parts=parts))


def declarations_beside(scope: IConstruct) -> list[Declaration]:
    """Returns what the app says, as far as it is made, of a construct's account and Region."""
    here = place_of(scope)
    return [d for d in _declared.get(scope.node.root, []) if place_of(d.construct) == here]


def declaring(scope: IConstruct, part: PartName) -> IConstruct | None:
    """Returns the `AccountTracing` by which the account of a construct has a part; for use at synthesis.

    Returns:
        None where no `AccountTracing` of the app is for the construct's account and Region, or the part is `"none"`.
    """
    return next((d.construct for d in declarations_beside(scope) if d.parts[part] != "none"), None)


def place_of(scope: IConstruct) -> tuple[str, str, str]:
    """Returns the account and Region of a construct, and the stage of the app where they are known too late to compare.

    Stages that say nothing of their account are meant for several.
    """
    stack, stage = Stack.of(scope), Stage.of(scope)
    known = not (Token.is_unresolved(stack.account) or Token.is_unresolved(stack.region))
    return stack.account, stack.region, "" if known or stage is None else stage.node.path
