"""The command line's arguments: the parser, the options that every command has, and types of values."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import NoReturn

from ..aws.session import Connection
from ..errors import CliError
from ..exit_status import ExitStatus

PROGRAM = "traced-pipeline"
DISTRIBUTION = "traced-pipeline-cli"

_EPILOG = """\
exit status:
  0    done
  1    the answer is no: the API refused a request, the trace is not connected, messages remain in the
       dead-letter queue
  2    the command line is wrong, or a package is missing
  3    not found: the stack, a trace, or a dead-letter message to redrive
  4    AWS refused or was not reached: credentials, permissions, network
  5    a file could not be read or written, or the output could not be written
  70   a fault of the command line itself
  130  interrupted

Endpoints, profiles, regions, certificates and proxies are those boto3 is configured with (AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, ...), so everything works on a local AWS as well.
"""


class UsageError(CliError):
    """The command line is wrong.

    Attributes:
        usage: How it is used, in a line or more.
    """

    exit_status = ExitStatus.USAGE

    def __init__(self, message: str, *, usage: str) -> None:
        super().__init__(message)
        self.usage = usage


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command.

    Attributes:
        name: Its name.
        help: What it does, in the list of commands.
        description: What it does, in its own help.
        add_arguments: Declares its arguments.
        run: Runs it.
    """

    name: str
    help: str
    description: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Connection], ExitStatus]


class _Parser(argparse.ArgumentParser):
    """A parser that raises what is wrong instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, usage=self.format_usage())


def parse(words: Sequence[str], commands: Iterable[Command]) -> argparse.Namespace:
    """Reads the arguments.

    Args:
        words: The arguments after the program's name.
        commands: The commands there are.

    Returns:
        The values; `command` is the chosen one.

    Raises:
        UsageError: They are wrong.
        SystemExit: Help or the version was asked for, and printed.
    """
    parser = _Parser(
        prog=PROGRAM,
        description="Sends requests through a traced pipeline and shows where their traces go.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {version(DISTRIBUTION)}")
    _add_common(parser, profile=None, region=None, debug=False)
    # Behind the command they have no defaults, which would replace what was said before it.
    after = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    _add_common(after, profile=argparse.SUPPRESS, region=argparse.SUPPRESS, debug=argparse.SUPPRESS)
    listed = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in commands:
        added = listed.add_parser(
            command.name, parents=[after], help=command.help, description=command.description, allow_abbrev=False
        )
        command.add_arguments(added)
        added.set_defaults(command=command)
    return parser.parse_args(words)


def add_stack(parser: argparse.ArgumentParser) -> None:
    """Declares the stack that most commands work on."""
    parser.add_argument("stack", metavar="STACK", help="the CloudFormation stack that holds the pipeline")


def positive(text: str) -> int:
    """Reads a whole number of at least 1: the type of every count and of every time."""
    if not (text.isascii() and text.isdecimal()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def _add_common(parser: argparse.ArgumentParser, *, profile: str | None, region: str | None, debug: bool | str) -> None:
    parser.add_argument("--profile", default=profile, help="the AWS profile (default: as boto3 is configured)")
    parser.add_argument("--region", default=region, help="the AWS region (default: as boto3 is configured)")
    parser.add_argument(
        "--debug",
        action="store_true",
        default=debug,
        help="show botocore's log, and an error's traceback; the log holds request headers, so do not publish it",
    )
