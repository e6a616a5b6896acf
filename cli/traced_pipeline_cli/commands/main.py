"""Runs a command and reports how it ended: the exit status, a line on standard error, and the JSON envelope."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..aws.error_messages import describe
from ..aws.session import connect
from ..errors import CliError
from ..exit_status import ExitStatus
from ..interrupts import ended_like_ctrl_c
from ..text import one_line, sentence
from . import failed, redrive, send, trace, verify
from .arguments import PROGRAM, Command, UsageError, parse
from .output import write_error
from .streams import flush_out, give_up_output, is_output_error, prepare_streams, say

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
    prepare_streams()
    try:
        with ended_like_ctrl_c():
            status = _run(sys.argv[1:] if argv is None else list(argv))
        flush_out()
    except OSError as error:
        if not is_output_error(error):
            raise
        say(f"{PROGRAM}: The output cannot be written: {error.strerror}.")
        give_up_output()
        return ExitStatus.FILE
    return status


@dataclass(frozen=True, kw_only=True)
class _Reporter:
    """Reports what went wrong: in a line on standard error, and where JSON was asked for in the envelope.

    Attributes:
        command: The command's name; None where the command line names none.
        json: Whether JSON was asked for.
        debug: Whether tracebacks were.
    """

    command: str | None
    json: bool
    debug: bool

    def report(self, message: str, error: BaseException, status: ExitStatus) -> ExitStatus:
        """Reports an error, and what its notes say was done before it.

        Args:
            message: What went wrong, and what to do.
            error: The error.
            status: The exit status.

        Returns:
            The exit status.
        """
        if self.debug or status is ExitStatus.INTERNAL:
            say("".join(traceback.format_exception(error)).rstrip())
        line = one_line(message)
        if notes := getattr(error, "__notes__", []):
            line = " ".join(map(sentence, [message, *notes]))
        say(f"{PROGRAM}: {line}")
        if self.json:
            write_error(self.command, status=status, message=line)
        return status


def _run(words: Sequence[str]) -> ExitStatus:
    """Runs a command; whatever goes wrong, but that the output cannot be written, is reported."""
    debug, json = "--debug" in words, "--json" in words
    try:
        arguments = parse(words, COMMANDS)
    except UsageError as error:
        say(error.usage.rstrip())
        return _Reporter(command=error.command, json=json, debug=False).report(str(error), error, error.exit_status)
    except SystemExit:
        # Help or the version was asked for, and printed.
        return ExitStatus.DONE
    command: Command = arguments.command
    reporter = _Reporter(command=command.name, json=json, debug=debug)
    try:
        if debug:
            boto3.set_stream_logger("botocore")
        return command.run(arguments, connect(profile=arguments.profile, region=arguments.region))
    except CliError as error:
        return reporter.report(str(error), error, error.exit_status)
    except (BotoCoreError, ClientError) as error:
        return reporter.report(describe(error), error, ExitStatus.AWS)
    except KeyboardInterrupt as error:
        return reporter.report("Interrupted.", error, ExitStatus.INTERRUPTED)
    except Exception as error:
        if isinstance(error, OSError) and is_output_error(error):
            raise
        if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint: "):
            # botocore has no error of its own for it.
            wrong = f"{error} is no URL. Set AWS_ENDPOINT_URL to one that begins with https://, or take it away."
            return reporter.report(wrong, error, ExitStatus.AWS)
        fault = f"This is a fault of {PROGRAM} itself; please report it with the traceback above. {error!r}"
        return reporter.report(fault, error, ExitStatus.INTERNAL)
