"""What is checked of a worker's table and of what its function may do with it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from aws_cdk import Stack, Token
from aws_cdk import aws_dynamodb as dynamodb

from .checks import Check, PipelineError
from .queue_options import QueueOptions
from .worker_options import WorkerOptions

REFERENCE_ACTIONS = ("dynamodb:PutItem",)
"""All that the reference worker does with its table."""

_ACTION = re.compile(r"dynamodb:[A-Za-z]*\*?")
_KEY = [("id", "HASH", "S")]


def check_table(options: WorkerOptions) -> None:
    """Checks a worker's table against its handler, and the actions against both.

    Raises:
        PipelineError: The reference handler cannot write to the table, or the actions are no actions of DynamoDB, have
            no table, or do not let the reference handler do what it does.
    """
    check_table_actions(options)
    if options.handler is not None:
        return
    if options.table_actions is not None:
        _check_reference_actions(options.table_actions)
    if options.table is not None:
        _check_key(options.table)


def check_table_actions(options: QueueOptions) -> None:
    """Checks what a worker may do with its table.

    Raises:
        PipelineError: These are no actions of DynamoDB, or there is no table.
    """
    actions = options.table_actions
    if actions is None:
        return
    strangers = [actions] if isinstance(actions, str) else [a for a in actions if not _ACTION.fullmatch(a)]
    if strangers:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"table_actions is {actions!r}, but must be a sequence of actions of DynamoDB, for example "
            '["dynamodb:PutItem", "dynamodb:Query"]',
        )
    if options.table is None:
        raise PipelineError(
            Check.OPTION_CONFLICT, "table_actions is given, but the worker has no table; give table, or leave it out"
        )


def _check_reference_actions(actions: Sequence[str]) -> None:
    missing = [action for action in REFERENCE_ACTIONS if not any(_allows(pattern, action) for pattern in actions)]
    if missing:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"table_actions does not hold {', '.join(missing)}, which the reference handler needs; add it, leave "
            "table_actions out, or give a handler of your own",
        )


def _allows(pattern: str, action: str) -> bool:
    return fnmatchcase(action.lower(), pattern.lower())


def _check_key(table: dynamodb.ITable) -> None:
    key = _key_of(table)
    if key is not None and key != _KEY:
        described = " and ".join(f"{name} ({kind}, type {data_type})" for name, kind, data_type in key)
        raise PipelineError(
            Check.TABLE_KEY,
            f"table {table.node.path} has the key {described}, but the reference handler writes items with the string "
            '"id" as partition key, and no sort key; make the table with that key, or give a handler of your own',
        )


def _key_of(table: dynamodb.ITable) -> list[tuple[str, str, str]] | None:
    """Returns a table's key as names, kinds and data types; None where the table is imported or its key is a token."""
    resource = table.node.default_child
    if not isinstance(resource, dynamodb.CfnTable | dynamodb.CfnGlobalTable):
        return None
    stack = Stack.of(resource)
    schema, attributes = stack.resolve(resource.key_schema), stack.resolve(resource.attribute_definitions)
    if not isinstance(schema, list) or not isinstance(attributes, list) or Token.is_unresolved([schema, attributes]):
        return None
    types = {a["attributeName"]: a["attributeType"] for a in attributes if isinstance(a, Mapping)}
    return [(part["attributeName"], part["keyType"], types.get(part["attributeName"], "?")) for part in schema]
