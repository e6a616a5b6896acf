"""The command line's arguments: the parser, the options that every command has, and types of values."""

from __future__ import annotations

import argparse
import difflib
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, NoReturn

from ..aws.session import Connection
from ..errors import CliError
from ..exit_status import ExitStatus
from ..text import clipped
from .streams import write_out

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

PROGRAM = "traced-pipeline"
DISTRIBUTION = "traced-pipeline-cli"

_MOST = 1_000_000
_MOST_SECONDS = 24 * 60 * 60
# https://docs.aws.amazon.com/general/latest/gr/xray.html
_MOST_MINUTES = 30 * 24 * 60
_SHOWN_CHARACTERS = 40
_WRONG_COMMAND = re.compile(r"argument COMMAND: invalid choice: '(?P<word>.*?)' \(")

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
        usage: How it is used, in a line or more; empty where the message says enough.
        command: The name of the command that it is wrong for; None where it names none.
    """

    exit_status = ExitStatus.USAGE

    def __init__(self, message: str, *, usage: str = "", command: str | None) -> None:
        super().__init__(message)
        self.usage = usage
        self.command = command


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
    """A parser that raises what is wrong instead of leaving the process.

    Attributes:
        command: The name of the command whose arguments it reads; None for what stands before the command.
    """

    command: str | None = None

    def error(self, message: str) -> NoReturn:
        raise UsageError(message, usage=self.format_usage(), command=self.command)

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        # Help and version; argparse's own method keeps silent if they cannot be written.
        del file
        write_out(message)

    def options(self) -> set[str]:
        """Returns the options it knows."""
        return {option for action in self._actions for option in action.option_strings}


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
    parsers: dict[str | None, _Parser] = {None: parser}
    for command in commands:
        added = listed.add_parser(
            command.name, parents=[after], help=command.help, description=command.description, allow_abbrev=False
        )
        added.command = command.name
        command.add_arguments(added)
        added.set_defaults(command=command)
        parsers[command.name] = added
    try:
        arguments, rest = parser.parse_known_args(words)
        if rest:
            parsers[arguments.command.name].error(f"unrecognized arguments: {' '.join(rest)}")
    except UsageError as error:
        hint = _suggestion(words, str(error), parsers, parsers[error.command].options())
        raise UsageError(f"{error}{hint}", usage=error.usage, command=error.command) from None
    return arguments


def _suggestion(words: Sequence[str], message: str, commands: Collection[str | None], options: Collection[str]) -> str:
    """Returns which command or option was probably meant by one that there is not; empty where none is near."""
    wrong = _WRONG_COMMAND.match(message)
    said = wrong["word"] if wrong is not None else ""
    near = difflib.get_close_matches(said, [name for name in commands if name is not None], n=1)
    if not near:
        # A misspelt option is often reported as something else, such as its value being no trace id or no command.
        ends = words.index(said) if said in words else len(words)
        unknown = (word.partition("=")[0] for word in words[:ends] if word.startswith("--") and " " not in word)
        said = next((word for word in unknown if word not in options and word != "--"), "")
        near = difflib.get_close_matches(said, sorted(options), n=1)
    return f"; did you mean {near[0]} instead of {said}?" if near else ""


def follow_up(arguments: argparse.Namespace, *words: str) -> str:
    """Returns a command line to go on with: in the same profile and Region, as a shell reads it."""
    same = [(f"--{name}", getattr(arguments, name)) for name in ("profile", "region")]
    options = [word for option, value in same if value is not None for word in (option, value)]
    return shlex.join([PROGRAM, *words, *options])


def add_stack(parser: argparse.ArgumentParser) -> None:
    """Declares the stack that most commands work on."""
    parser.add_argument(
        "stack", metavar="STACK", type=aws_name, help="the CloudFormation stack that holds the pipeline"
    )


def add_api(parser: argparse.ArgumentParser) -> None:
    """Declares which API of a stack is meant."""
    parser.add_argument(
        "--api",
        type=aws_name,
        metavar="OUTPUT",
        help="the stack's output with the URL of the API that is meant, if the stack has several",
    )


def not_empty(text: str) -> str:
    """Reads a text that is not empty, such as a file's name: the type of every text but a body."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty; is a variable of the shell not set?")
    return text


def aws_name(text: str) -> str:
    """Reads a name or a value that is sent to AWS: printable text."""
    if not not_empty(text).isprintable():
        raise argparse.ArgumentTypeError(f"{quoted(text)} holds characters that are not printable text")
    return text


def positive(text: str) -> int:
    """Reads a whole number of at least 1: the type of every count."""
    return _whole(text, most=_MOST)


def seconds(text: str) -> int:
    """Reads a whole number of seconds, of at least 1 and at most a day: the type of every time to wait."""
    return _whole(text, most=_MOST_SECONDS)


def minutes(text: str) -> int:
    """Reads a whole number of minutes, of at least 1 and at most the 30 days for which X-Ray keeps traces."""
    return _whole(text, most=_MOST_MINUTES)


def _whole(text: str, *, most: int) -> int:
    if not (text.isascii() and text.isdecimal()) or not text.strip("0"):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a whole number of at least 1")
    if len(text) > len(str(most)) + 10 or int(text) > most:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is too much; at most {most} is taken")
    return int(text)


def quoted(text: str) -> str:
    """Returns a wrong value as a message shows it: quoted, and shortened where it is long."""
    return repr(clipped(text, _SHOWN_CHARACTERS))


def _add_common(parser: argparse.ArgumentParser, *, profile: str | None, region: str | None, debug: bool | str) -> None:
    parser.add_argument(
        "--profile", type=aws_name, default=profile, help="the AWS profile (default: as boto3 is configured)"
    )
    parser.add_argument(
        "--region", type=aws_name, default=region, help="the AWS region (default: as boto3 is configured)"
    )
    parser.add_argument(
        "--debug",
        action="store_true",
        default=debug,
        help="show botocore's log, and an error's traceback; the log holds request headers, so do not publish it",
    )
