"""Standard output and error as they are: in any encoding, on a full disk, closed, or with nobody reading."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

_ERRORS = "traced-pipeline"
_PLAIN = {"·": "-", "–": "-", "…": "~", "’": "'", "✓": "+", "✗": "x"}
# What writing to a full disk, a closed descriptor or a device that is gone raises.
_OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})


def prepare_streams() -> None:
    """Makes standard output and error take every text; what their encoding does not have becomes something plainer."""
    codecs.register_error(_ERRORS, _plainer)
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


def write_out(text: str) -> None:
    """Writes to standard output; if whoever read it has gone away, having enough, the text goes nowhere.

    Raises:
        OSError: It cannot be written for another reason, as `is_output_error` knows.
    """
    try:
        sys.stdout.write(text)
    except BrokenPipeError:
        give_up_output()


def flush_out() -> None:
    """Writes what standard output still holds back, in the same way."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        give_up_output()


def is_output_error(error: OSError) -> bool:
    """Returns whether an error is that standard output or error could not be written."""
    return error.filename is None and error.errno in _OUTPUT_ERRORS


def give_up_output() -> None:
    """Sends what is still to be written nowhere, so that the interpreter does not complain when it exits."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
            continue
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(line: str) -> None:
    """Writes a line to standard error, if that can be written at all."""
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    left = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in left), error.end


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
