"""How spans failed, told apart as X-Ray does: 5xx, 429, and every other 4xx."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

from .model import Span

State: TypeAlias = Literal["fault", "throttle", "error"]

# The worst first. X-Ray counts a request once, and a throttled one, whose document has `error` beside `throttle`,
# as throttled only: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-errors.
_WORST_FIRST: tuple[State, ...] = ("fault", "throttle", "error")

STATE_WORDS: dict[State, str] = {"fault": "fault", "throttle": "throttled", "error": "error"}
"""The states as they are said of one span."""


def state_of(span: Span) -> State | None:
    """Returns how a span failed; None where it did not."""
    if span.fault:
        return "fault"
    if span.throttle:
        return "throttle"
    return "error" if span.error else None


def worst(states: Iterable[State | None]) -> State | None:
    """Returns the worst of several states; None where there is none."""
    distinct = set(states)
    return next((state for state in _WORST_FIRST if state in distinct), None)
