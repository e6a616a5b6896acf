"""How long a worker's queue hides the messages that are being worked on."""

from __future__ import annotations

from aws_cdk import Duration
from constructs import Construct

from .checks import Check, PipelineError, warn
from .limits import limits_of
from .worker_options import WorkerOptions

# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_FACTOR = 6
"""How many times the function's timeout AWS recommends as visibility timeout."""


def visibility_for_function(options: WorkerOptions, function_timeout: Duration | None) -> Duration:
    """Returns the visibility timeout of a function's queue: as given, or derived from the function's timeout.

    Args:
        options: The worker's settings.
        function_timeout: The worker function's; None if it is not known.

    Raises:
        PipelineError: It cannot be derived, or SQS takes none as long.
    """
    if options.visibility_timeout is not None:
        return options.visibility_timeout
    window = options.max_batching_window or Duration.seconds(0)
    if function_timeout is None or function_timeout.is_unresolved() or window.is_unresolved():
        raise PipelineError(
            Check.VISIBILITY_UNKNOWN,
            "the queue's visibility timeout cannot be derived from a function timeout that is not known at "
            "synthesis; give visibility_timeout, at least six times the function's timeout",
        )
    derived = VISIBILITY_FACTOR * function_timeout.to_seconds() + window.to_seconds()
    longest = limits_of(WorkerOptions)["visibility_timeout"]
    if longest.most is not None and derived > longest.most:
        raise PipelineError(
            Check.OPTION_VALUE,
            f"timeout is {function_timeout.to_seconds():g} s, which makes a visibility timeout of {derived:g} s, but "
            f"SQS takes at most {longest.most:g} s; shorten timeout, or give visibility_timeout; see {longest.source}",
        )
    return Duration.seconds(derived)


def check_visibility(scope: Construct, visibility: Duration, function_timeout: Duration | None, what: str) -> None:
    """Checks a queue's visibility timeout against the timeout of the worker's function.

    Args:
        scope: The hop; it gets the warning.
        visibility: The visibility timeout.
        function_timeout: The function's timeout; None if it is not known.
        what: What has the visibility timeout, for the message.

    Raises:
        PipelineError: Messages would become visible again while the function still works on them.
    """
    if function_timeout is None or function_timeout.is_unresolved() or visibility.is_unresolved():
        return
    given, timeout = visibility.to_seconds(), function_timeout.to_seconds()
    if given < timeout:
        raise PipelineError(
            Check.VISIBILITY_TOO_SHORT,
            f"{what} is {given:g} s, but the function may work for {timeout:g} s, and Lambda refuses a queue "
            "that hands its messages out again meanwhile; leave visibility_timeout out, or give at least "
            f"{VISIBILITY_FACTOR * timeout:g} s",
        )
    if given < VISIBILITY_FACTOR * timeout:
        warn(
            scope,
            Check.VISIBILITY_BELOW_RECOMMENDED,
            f"{what} is {given:g} s; AWS recommends six times the function's timeout of {timeout:g} s, which "
            f"is {VISIBILITY_FACTOR * timeout:g} s, so that a throttled batch can be tried again",
        )
