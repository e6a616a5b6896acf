"""Runs a command and reports how it ended: the exit status, a line on standard error, and the JSON envelope."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..aws.error_messages import describe
from ..aws.session import connect
from ..errors import CliError
from ..exit_status import ExitStatus
from . import failed, redrive, send, trace, verify
from .arguments import PROGRAM, Command, UsageError, parse
from .output import write_error
from .terminal import give_up_output, is_output_error, prepare_output, say

COMMANDS = (
    Command(
        name="send",
        help="post requests to a stack's API",
        description="Signs requests with your AWS credentials and posts them to the stack's API.",
        add_arguments=send.add_arguments,
        run=send.run,
    ),
    Command(
        name="trace",
        help="show traces as a map and a waterfall",
        description="Fetches traces from X-Ray and shows them as a map and a waterfall.",
        add_arguments=trace.add_arguments,
        run=trace.run,
    ),
    Command(
        name="verify",
        help="say whether traces go through, and why not",
        description="Sends one request, follows its trace hop by hop, and names what breaks it.",
        add_arguments=verify.add_arguments,
        run=verify.run,
    ),
    Command(
        name="failed",
        help="list dead-letter messages, their traces and reasons",
        description="Lists the messages in the stack's dead-letter queues, and leaves them there.",
        add_arguments=failed.add_arguments,
        run=failed.run,
    ),
    Command(
        name="redrive",
        help="move dead-letter messages back to their source queues",
        description="Moves dead-letter messages back to their source queues, after asking.",
        add_arguments=redrive.add_arguments,
        run=redrive.run,
    ),
)
"""The commands, in the order of the help."""


def run(argv: Sequence[str] | None = None) -> int:
    """Runs a command.

    Args:
        argv: The arguments after the program's name; by default the process's.

    Returns:
        The exit status, one of `ExitStatus`.
    """
    prepare_output()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        status = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has enough.
        give_up_output()
        return ExitStatus.DONE
    except OSError as error:
        if not is_output_error(error):
            raise
        say(f"{PROGRAM}: The output cannot be written: {error.strerror}.")
        give_up_output()
        return ExitStatus.FILE
    return status


def _run(words: Sequence[str]) -> ExitStatus:
    """Runs a command; whatever goes wrong, but that the output cannot be written, is reported."""
    debug = "--debug" in words
    try:
        arguments = parse(words, COMMANDS)
        if debug:
            boto3.set_stream_logger("botocore")
        connection = connect(profile=arguments.profile, region=arguments.region)
        command: Command = arguments.command
        return command.run(arguments, connection)
    except UsageError as error:
        say(error.usage.rstrip())
        return _failed(words, str(error), error.exit_status)
    except CliError as error:
        return _failed(words, str(error), error.exit_status, debug=debug)
    except (BotoCoreError, ClientError) as error:
        return _failed(words, describe(error), ExitStatus.AWS, debug=debug)
    except KeyboardInterrupt:
        return _failed(words, "Interrupted.", ExitStatus.INTERRUPTED, debug=debug)
    except Exception as error:
        if isinstance(error, OSError) and (isinstance(error, BrokenPipeError) or is_output_error(error)):
            raise
        fault = f"This is a fault of {PROGRAM} itself; please report it with the traceback above. {error!r}"
        return _failed(words, fault, ExitStatus.INTERNAL, debug=True)


def _failed(words: Sequence[str], message: str, status: ExitStatus, *, debug: bool = False) -> ExitStatus:
    if debug:
        say(traceback.format_exc().rstrip())
    say(f"{PROGRAM}: {message}")
    if "--json" in words:
        names = [command.name for command in COMMANDS]
        write_error(next((word for word in words if word in names), None), status=status, message=message)
    return status
