"""What is shown by Rich: text on standard output, and on standard error what is going on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.text import Text

from .streams import give_up_output

_BESIDE_THE_TEXT = 3


class OutputConsole(Console):
    """A console whose text goes nowhere once its reader has gone away, while the command goes on to its exit status."""

    def on_broken_pipe(self) -> None:
        """Gives the output up, instead of leaving the process with a status of Rich's own."""
        give_up_output()


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Says on standard error what is going on for as long as the block lasts, where that is a terminal.

    Args:
        text: What is done first.

    Yields:
        What says something else from then on. A text that is too long for the terminal is cut, never wrapped.
    """
    if not sys.stderr.isatty():
        # Rich takes FORCE_COLOR, which build servers set, for a terminal, and would write an animation into their log.
        yield lambda _: None
        return
    console = OutputConsole(stderr=True)

    def fitting(said: str) -> Text:
        line = Text(said)
        line.truncate(max(1, console.width - _BESIDE_THE_TEXT), overflow="ellipsis")
        return line

    spinner = "dots" if console.encoding.startswith("utf") else "line"
    with console.status(fitting(text), spinner=spinner) as status:
        yield lambda said: status.update(fitting(said))
