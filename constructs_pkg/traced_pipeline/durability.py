"""Durable functions, which the bridge cannot work in.

Their code runs from the start again after each wait. Each run is another invocation, whose event holds the messages
within its state, and the exception that suspends a run would fail its message.
https://docs.aws.amazon.com/lambda/latest/dg/durable-invoking-esm.html
"""

from __future__ import annotations

from typing import NoReturn

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_

from .checks import Check, PipelineError


def is_durable(function: lambda_.CfnFunction) -> bool:
    """Returns whether a function is durable."""
    return Stack.of(function).resolve(function.durable_config) is not None


def refuse_durable(path: str) -> NoReturn:
    """Refuses a durable function.

    Args:
        path: The function's path, for the message.

    Raises:
        PipelineError: Always.
    """
    raise PipelineError(
        Check.DURABLE_FUNCTION,
        f"function {path} is durable, so that its code runs again from the start after each wait: a message would be "
        "recorded once a run, and fail where the function suspends; let a worker that is not durable invoke it, or "
        "make its queue and event source mapping without this library",
    )
