"""What to post, as the command line says it."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from urllib.parse import quote

from ..errors import FileError
from ..traces.model import JsonValue
from .arguments import add_api, aws_name, not_empty, quoted
from .streams import say

# A body the reference pipeline accepts.
EXAMPLE_BODY: JsonValue = {"customer": "Ann Example", "amount": 1}

# What RFC 3986 lets a path and a query hold, percent signs of what is encoded already included.
_URL_CHARACTERS = "/?%:@!$&'()*+,;=-._~"


def add_body_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments that say what to post, and where."""
    body = parser.add_mutually_exclusive_group()
    body.add_argument(
        "--body", metavar="JSON", help=f"what to post; by default {json.dumps(EXAMPLE_BODY)}, as the example app wants"
    )
    body.add_argument(
        "--file", type=not_empty, metavar="FILE", help="a file that holds what to post; - is standard input"
    )
    add_api(parser)
    parser.add_argument("--path", type=_path, metavar="PATH", help="the API's path, unless exactly one takes POST")


def body_of(arguments: argparse.Namespace) -> bytes | JsonValue:
    """What to post: a file's bytes as they are, so that a wrong body can be tried too."""
    if arguments.file is not None:
        try:
            if arguments.file == "-":
                return _standard_input()
            return Path(arguments.file).read_bytes()
        except OSError as error:
            raise FileError(f"The file {arguments.file} cannot be read: {error.strerror}.") from error
    if arguments.body is not None:
        # As UTF-8, whatever the terminal's encoding; bytes that are no text as they are.
        return str(arguments.body).encode(errors="surrogateescape")
    return EXAMPLE_BODY


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise FileError("Standard input is closed, so that there is nothing to post; --file names a file.")
    if sys.stdin.isatty():
        say("Reading what to post from the terminal; Ctrl-D at the beginning of a line ends it.")
    return sys.stdin.buffer.read()


def _path(text: str) -> str:
    """Reads a path of the API; what a URL cannot hold is percent-encoded, so that what is signed is what is sent."""
    if re.match(r"[a-z]+://", aws_name(text), re.IGNORECASE):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is a URL; a path of the API is expected, such as /orders")
    return quote(text, safe=_URL_CHARACTERS)
