"""Names for the few resources that need one, and ids for constructs."""

from __future__ import annotations

import hashlib
import re

from aws_cdk import Names, Stack, Token
from constructs import IConstruct

_UNUSUAL = re.compile(r"[^A-Za-z0-9-]+")
_DIGEST_LENGTH = 8


def free_id(scope: IConstruct, *candidates: str) -> str:
    """Returns the first of some ids that nothing in a scope has; the last where all are taken, which the CDK refuses.

    Ids made of several parts may be the same: those of the worker `WorkerRepair`, and of `Repair` on `Worker`.

    Args:
        scope: Where the id is for.
        candidates: The ids, the preferred one first.
    """
    return next((each for each in candidates if scope.node.try_find_child(each) is None), candidates[-1])


def account_wide_name(scope: IConstruct, *, max_length: int) -> str:
    """Returns a name that no other stack of the account uses, and that stays the same on every synthesis.

    Args:
        scope: The construct the name is for.
        max_length: Longest name allowed, in characters; a longer one ends in a digest of the whole.

    Returns:
        The stack's name and the construct's path below it, joined by hyphens.
    """
    stack = Stack.of(scope)
    stack_name = stack.stack_name
    if Token.is_unresolved(stack_name):
        return Names.unique_resource_name(scope, max_length=max_length, separator="-")
    below = scope.node.path.removeprefix(stack.node.path)
    full = _UNUSUAL.sub("-", f"{stack_name}{below}")
    if len(full) <= max_length:
        return full
    digest = hashlib.sha256(full.encode()).hexdigest()[:_DIGEST_LENGTH]
    return f"{full[: max_length - _DIGEST_LENGTH - 1]}-{digest}"
