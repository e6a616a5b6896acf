"""Looking around in the app that a construct is part of."""

from __future__ import annotations

from collections.abc import Iterator

from aws_cdk import Stack, Stage
from constructs import IConstruct


def made_in_stacks(scope: IConstruct) -> Iterator[IConstruct]:
    """Give what stands directly in the stacks of a construct's app.

    That is where account-wide settings are made. A walk through every construct would cost a large app seconds.
    """
    yield from _below(scope.node.root)


def _below(scope: IConstruct) -> Iterator[IConstruct]:
    for child in scope.node.children:
        if isinstance(scope, Stack):
            yield child
        elif isinstance(child, Stack | Stage):
            yield from _below(child)
