"""Waiting for a condition instead of for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


def wait_for(condition: Callable[[], _T | None], *, seconds: float = 120.0, what: str = "the condition") -> _T:
    """Asks until the answer is true; gives that answer.

    The limit is generous, since it is for a busy machine: on a quiet one little of it is used.
    """
    ends = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < ends, f"{what} did not come about within {seconds:g} s"
        time.sleep(0.05)
    return answer
