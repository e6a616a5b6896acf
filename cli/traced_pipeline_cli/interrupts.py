"""Ctrl-C, and what else asks the process to end: put off while something must not be left half done, and explained."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Windows has no SIGHUP.
_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if isinstance(getattr(signal, name, None), int)
)


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Lets SIGTERM and SIGHUP, of a job that is cancelled or a terminal that is closed, end the block as Ctrl-C does.

    Otherwise they end the process at once, with messages hidden or half moved. What ignores one of them, such as nohup,
    is respected.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    taken = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    try:
        for number in taken:
            signal.signal(number, _interrupt)
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Puts off Ctrl-C until the block is through; a second one ends it at once.

    Raises:
        KeyboardInterrupt: At the end, if there was one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: int | None = None

    def put_off(number: int, frame: FrameType | None) -> None:
        nonlocal came
        if came is not None:
            _interrupt(number, frame)
        came = number

    before = {number: signal.getsignal(number) for number in _SIGNALS}
    # Handlers that are not Python's own, and signals that are ignored or end the process, stay as they are.
    taken = {number: handler for number, handler in before.items() if callable(handler)}
    try:
        for number in taken:
            signal.signal(number, put_off)
        yield
    finally:
        for number, handler in taken.items():
            signal.signal(number, handler)
    if came is not None:
        # To whoever would have had it, be it a block like this one around it.
        signal.raise_signal(came)


@contextmanager
def telling(done: Callable[[], str]) -> Iterator[None]:
    """Adds what was already done to what ends the block early, Ctrl-C or an error, so that the message says it.

    Args:
        done: Says it, in a sentence; empty where there is nothing to say.
    """
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:
        if text := done():
            error.add_note(text)
        raise


def _interrupt(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise KeyboardInterrupt
