"""What is checked of an ingest hop's options."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct

from .brought_function import own_function
from .checks import Check, PipelineError, warn
from .options import IngestOptions

WITHOUT_BODY = {"GET", "HEAD", "DELETE", "OPTIONS"}
"""Methods whose requests have no body."""

_INTEGRATION_TIMEOUT_SECONDS = 29


def check_function_stack(scope: Construct, function: lambda_.IFunction, topic: sns.ITopic) -> None:
    """Refuse a function whose stack would wait for the API's, which waits for the function.

    Raises:
        PipelineError: The function belongs to another stack than API and topic.
    """
    own, here = own_function(function), Stack.of(scope).node.path
    if own is None or not isinstance(topic, sns.Topic):
        return
    there = Stack.of(own).node.path
    if there != here and Stack.of(topic).node.path == here:
        raise PipelineError(
            Check.FUNCTION_IN_OTHER_STACK,
            f"function {own.node.path} belongs to stack {there}, API and topic to {here}: each stack would wait for "
            f"the other; make the function in {here}, or the topic in a stack that {there} can wait for",
        )


def check_method(options: IngestOptions) -> None:
    """Refuse the reference handler for a method whose requests have no body.

    Raises:
        PipelineError: The method is such a one.
    """
    if options.method.upper() in WITHOUT_BODY:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            f"method is {options.method}, whose requests have no body, but the reference handler takes an item from "
            "the body; give a handler of your own",
        )


def check_timeout(scope: Construct, options: IngestOptions) -> None:
    """Warn where the function may work on after its caller was answered."""
    timeout = options.timeout
    if timeout is None or timeout.is_unresolved():
        return
    if timeout.to_seconds() > _INTEGRATION_TIMEOUT_SECONDS:
        warn(
            scope,
            Check.INGEST_TIMEOUT,
            f"the ingest function's timeout is {timeout.to_seconds():g} s, but API Gateway answers its "
            f"caller after {_INTEGRATION_TIMEOUT_SECONDS} s by default; shorten the timeout, or acknowledge this if "
            "the account's quota was raised",
        )
