"""Standard output and error as they are: in any encoding, on a full disk, or gone."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TextIO

from rich.console import Console
from rich.text import Text

_ERRORS = "traced-pipeline"
_PLAIN = {"·": "-", "–": "-", "…": "~", "’": "'", "✓": "+", "✗": "x"}
# What writing to a full disk, a closed descriptor or a device that is gone raises.
_OUTPUT_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF})
_BESIDE_THE_TEXT = 3


class OutputConsole(Console):
    """A console that lets the command line deal with a reader that has gone away."""

    def on_broken_pipe(self) -> NoReturn:
        """Raises the error on, instead of leaving with a status of its own."""
        raise BrokenPipeError


def prepare_output() -> None:
    """Makes standard output and error take every text; what their encoding does not have becomes something plainer."""
    codecs.register_error(_ERRORS, _plainer)
    if sys.stdout is None:
        sys.stdout = _nowhere()
    if sys.stderr is None:
        sys.stderr = _nowhere()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)


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


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Says on standard error what is going on for as long as the block lasts, where that is a terminal.

    Args:
        text: What is done first.

    Yields:
        What says something else from then on. A text that is too long for the terminal is cut, never wrapped.
    """
    console = OutputConsole(stderr=True)

    def fitting(said: str) -> Text:
        line = Text(said)
        line.truncate(max(1, console.width - _BESIDE_THE_TEXT), overflow="ellipsis")
        return line

    spinner = "dots" if console.encoding.startswith("utf") else "line"
    with console.status(fitting(text), spinner=spinner) as status:
        yield lambda said: status.update(fitting(said))


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    left = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in left), error.end


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w", encoding="utf-8")
