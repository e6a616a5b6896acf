"""What a run is doing, while it does it, on standard error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO


class Progress:
    """One line a step: begun, how far, and how long it took. On a terminal the line is rewritten in place.

    Args:
        stream: Where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._open: str | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[Callable[[str], None]]:
        """Shows a step while the block runs; gives a function that shows how far it is."""
        began = time.monotonic()
        self._line(f"{name} …")

        def tell(how_far: str) -> None:
            if self._live:
                self._line(f"{name} … {how_far}")

        yield tell
        self._line(f"{name}: {time.monotonic() - began:.1f} s", last=True)

    def _line(self, text: str, *, last: bool = False) -> None:
        if self._live:
            self._stream.write(f"\r\x1b[2K{text}" + ("\n" if last else ""))
        else:
            self._stream.write(f"{text}\n")
        self._stream.flush()
