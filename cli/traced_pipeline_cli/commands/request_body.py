"""What to post, as the command line says it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..errors import FileError
from ..traces.model import JsonValue

# A body the reference pipeline accepts.
EXAMPLE_BODY: JsonValue = {"customer": "Ann Example", "amount": 1}


def add_body_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the arguments that say what to post, and where."""
    body = parser.add_mutually_exclusive_group()
    body.add_argument(
        "--body", metavar="JSON", help=f"what to post; by default {json.dumps(EXAMPLE_BODY)}, as the example app wants"
    )
    body.add_argument("--file", metavar="FILE", help="a file that holds what to post; - is standard input")
    parser.add_argument("--path", metavar="PATH", help="the API's path, unless exactly one takes POST")


def body_of(arguments: argparse.Namespace) -> bytes | JsonValue:
    """What to post: a file's bytes as they are, so that a wrong body can be tried too."""
    if arguments.file is not None:
        if arguments.file == "-":
            return sys.stdin.buffer.read()
        try:
            return Path(arguments.file).read_bytes()
        except OSError as error:
            raise FileError(f"The file {arguments.file} cannot be read: {error.strerror}.") from error
    if arguments.body is not None:
        return str(arguments.body).encode()
    return EXAMPLE_BODY
