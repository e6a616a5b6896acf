"""Stacks that tests make, and the functions that they make in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

NewStack: TypeAlias = Callable[..., Stack]
"""What the fixture `new_stack` gives: a stack of an app of its own, by default named `Shop`."""


def make_function(scope: Stack, name: str = "Mine", **more: object) -> lambda_.Function:
    """Returns a function as a user makes it with the CDK, without this library."""
    return lambda_.Function(
        scope,
        name,
        code=lambda_.Code.from_inline("def handler(event, context): ..."),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        **more,  # type: ignore[arg-type]
    )
