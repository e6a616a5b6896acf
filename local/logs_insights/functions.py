"""The functions of expressions.

Source: CloudWatch Logs User Guide, "Supported operations and functions". The network, JSON and time-series functions
are not modelled.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from local.logs_insights.values import Instant, Value, number, sort_key, text

_PERIOD = re.compile(r"(\d+)([a-z]+)")
_UNITS = {
    1: ("ms", "msec", "millisecond"),
    1000: ("s", "sec", "second"),
    60_000: ("m", "min", "minute"),
    3_600_000: ("h", "hr", "hour"),
    86_400_000: ("d", "day"),
    604_800_000: ("w", "week"),
}
_MILLISECONDS = {
    f"{name}{plural}": length for length, names in _UNITS.items() for name in names for plural in ("", "s")
}


@dataclass(frozen=True, kw_only=True)
class Function:
    """One function.

    Attributes:
        call: Computes it from the arguments' values.
        least: The fewest arguments.
        most: The most arguments.
    """

    call: Callable[[Sequence[Value]], Value]
    least: int
    most: int


def milliseconds(period: str) -> int | None:
    """Returns the length of a period such as `5m`; None where its unit is not known."""
    match = _PERIOD.fullmatch(period)
    if match is None or match[2] not in _MILLISECONDS or int(match[1]) == 0:
        return None
    return int(match[1]) * _MILLISECONDS[match[2]]


def _numeric(compute: Callable[[float], float]) -> Function:
    def call(values: Sequence[Value]) -> Value:
        known = number(values[0])
        try:
            return None if known is None else float(compute(known))
        except ValueError:
            return None

    return Function(call=call, least=1, most=1)


def _textual(compute: Callable[[str], Value]) -> Function:
    def call(values: Sequence[Value]) -> Value:
        return None if values[0] is None else compute(text(values[0]))

    return Function(call=call, least=1, most=1)


def _trim(*, left: bool, right: bool) -> Function:
    def call(values: Sequence[Value]) -> Value:
        if values[0] is None:
            return None
        trimmed, off = text(values[0]), text(values[1]) if len(values) > 1 else None
        if off is None:
            return trimmed.strip() if left and right else trimmed.lstrip() if left else trimmed.rstrip()
        trimmed = trimmed.removeprefix(off) if left else trimmed
        return trimmed.removesuffix(off) if right else trimmed

    return Function(call=call, least=1, most=2)


def _substr(values: Sequence[Value]) -> Value:
    start = int(number(values[1]) or 0)
    length = number(values[2]) if len(values) > 2 else None
    return None if values[0] is None else text(values[0])[start : None if length is None else start + int(length)]


def _extreme(choose: Callable[[Sequence[Value]], Value]) -> Function:
    def call(values: Sequence[Value]) -> Value:
        present = [value for value in values if value is not None]
        return choose(present) if present else None

    return Function(call=call, least=1, most=100)


def _whole(round_off: Callable[[float], float]) -> Function:
    """Makes a function that rounds a time to a period, which is given in milliseconds."""

    def call(values: Sequence[Value]) -> Value:
        time, period = number(values[0]), number(values[1])
        return None if time is None or not period else Instant(round_off(time / period) * period)

    return Function(call=call, least=2, most=2)


def _blank(values: Sequence[Value]) -> Value:
    return not text(values[0]).strip()


def _instant(values: Sequence[Value]) -> Value:
    known = number(values[0])
    return None if known is None else Instant(known)


FUNCTIONS = {
    "abs": _numeric(abs),
    "ceil": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt),
    "greatest": _extreme(lambda values: max(values, key=sort_key)),
    "least": _extreme(lambda values: min(values, key=sort_key)),
    "ispresent": Function(call=lambda values: values[0] is not None, least=1, most=1),
    "coalesce": _extreme(lambda values: values[0]),
    "isempty": Function(call=lambda values: text(values[0]) == "", least=1, most=1),
    "isblank": Function(call=_blank, least=1, most=1),
    "concat": Function(call=lambda values: "".join(map(text, values)), least=1, most=100),
    "ltrim": _trim(left=True, right=False),
    "rtrim": _trim(left=False, right=True),
    "trim": _trim(left=True, right=True),
    "strlen": _textual(lambda value: float(len(value))),
    "toupper": _textual(str.upper),
    "tolower": _textual(str.lower),
    "substr": Function(call=_substr, least=2, most=3),
    "replace": Function(
        call=lambda values: None if values[0] is None else text(values[0]).replace(text(values[1]), text(values[2])),
        least=3,
        most=3,
    ),
    "strcontains": Function(call=lambda values: text(values[1]) in text(values[0]), least=2, most=2),
    "datefloor": _whole(math.floor),
    "dateceil": _whole(math.ceil),
    "tomillis": _numeric(float),
    "frommillis": Function(call=_instant, least=1, most=1),
}
"""By their names in lower case."""
