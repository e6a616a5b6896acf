"""Values of fields: how they are compared, sorted and shown."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

Value: TypeAlias = str | float | bool | None
"""A field's value; None where an event has no such field."""

Row: TypeAlias = Mapping[str, Value]
"""An event, or a line of statistics, by the names of its fields."""

TIMESTAMP = "@timestamp"


class Instant(float):
    """A time, in milliseconds since 1970."""


SortKey: TypeAlias = tuple[int, float, tuple[tuple[int, int, str], ...]]
"""What values are ordered by."""

_CHUNK = re.compile(r"(\d+)")


def number(value: Value) -> float | None:
    """Returns a value as a number; None where it is none."""
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        return None


def text(value: Value) -> str:
    """Returns a value as results show it."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, Instant):
        return datetime.fromtimestamp(value / 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "" if value is None else value


def truth(value: Value) -> bool:
    """Returns whether a condition holds."""
    return bool(number(value)) if value is not None else False


def equal(left: Value, right: Value) -> bool:
    """Returns whether two values are the same, numbers as numbers."""
    if left is None or right is None:
        return False
    numbers = number(left), number(right)
    return numbers[0] == numbers[1] if None not in numbers else text(left) == text(right)


def below(left: Value, right: Value) -> bool:
    """Returns whether a value is less than another."""
    if left is None or right is None:
        return False
    return sort_key(left) < sort_key(right)


def sort_key(value: Value) -> SortKey:
    """Returns what to sort a value by: missing ones first, then texts, then numbers.

    The User Guide's page on `sort`: texts precede numbers, and within texts runs of digits are compared as numbers.
    """
    if value is None:
        return 0, 0.0, ()
    known = number(value)
    if known is not None:
        return 2, known, ()
    chunks = (chunk for chunk in _CHUNK.split(text(value)) if chunk)
    return 1, 0.0, tuple((1, int(chunk), "") if chunk.isdigit() else (0, 0, chunk) for chunk in chunks)
