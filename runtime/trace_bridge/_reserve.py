"""How much of an invocation's time has to be left for one more message to be begun."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._invocation import LambdaContext

_FOR_SENDING_MS = 1000
_SMALLEST_FRACTION = 0.25


class Reserve:
    """The least time left with which a message is begun.

    A message that is still under way when the invocation's time is over takes the whole batch with it, those included
    that were done: all come again. One that is not begun costs one of its own attempts, no more. By default a message
    is begun as long as its equal part of the time is left, so that a batch whose messages all take less than
    time-out ÷ batch size is never cut off, and a slow message costs those behind it rather than those before it. Nor is
    one begun that would not be done in time if it took as long as the quickest so far. For sending documents a second
    is kept, or a quarter of a time that is shorter than four.

    Attributes:
        milliseconds: The reserve.
        began_with: Milliseconds that were left when the batch began.
        refused: Whether a message was not begun.
    """

    __slots__ = ("_before", "_learns", "_quickest", "_remaining", "began_with", "milliseconds", "refused")

    def __init__(
        self, remaining: Callable[[], float], began_with: float, milliseconds: float, *, learns: bool = False
    ) -> None:
        self._remaining = remaining
        self._learns = learns
        self._before = inf
        self.refused = False
        self.began_with = began_with
        self.milliseconds = milliseconds
        self._quickest = inf

    def has_time(self) -> bool:
        """Returns whether another message may be begun now; asked before each."""
        left = self._remaining()
        needed = self.milliseconds
        if self._learns:
            # With several at once the time between two beginnings is less than a message takes.
            took, self._before = self._before - left, left
            if took < self._quickest:
                self._quickest = took
            if needed < self._quickest < inf:
                needed = self._quickest
        if left > needed:
            return True
        self.refused = True
        return False

    @classmethod
    def of(
        cls, context: LambdaContext | None, *, reserve_ms: float | None, records: int, at_once: int
    ) -> Reserve | None:
        """Returns the reserve for a batch.

        Args:
            context: The handler's context.
            reserve_ms: The reserve in milliseconds, where it was set.
            records: How many records the batch has.
            at_once: How many of them are worked on at once.

        Returns:
            The reserve; None where nothing limits the time: outside Lambda, or a test's stand-in for the context.
        """
        remaining = getattr(context, "get_remaining_time_in_millis", None)
        began_with = remaining() if callable(remaining) else None
        if remaining is None or (type(began_with) is not int and not isinstance(began_with, int | float)):
            return None
        learns = reserve_ms is None
        if reserve_ms is None:
            rounds = -(-records // max(at_once, 1))
            equal_part = began_with / rounds if rounds > 1 else 0.0
            reserve_ms = max(equal_part, min(_FOR_SENDING_MS, began_with * _SMALLEST_FRACTION))
        return cls(remaining, began_with, reserve_ms, learns=learns)

    def __str__(self) -> str:
        needed = self.milliseconds if self._quickest == inf else max(self.milliseconds, self._quickest)
        return (
            f"a message is begun with more than {needed:.0f} ms left of the invocation's time, and the "
            f"batch began with {self.began_with:.0f} ms"
        )
