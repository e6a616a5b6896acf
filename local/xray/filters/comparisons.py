"""Comparisons of a filter expression: which words stand behind which kind of keyword.

Source: X-Ray Developer Guide, "Use filter expressions". A boolean is compared "to the string `true` or `false`", with
or without quotation marks; a number with a number; of text "values must always be specified in quotation marks", though
the guide's own `name = traces` has none and is read as well. That a number may be quoted is assumed.
"""

import operator
from collections.abc import Callable
from typing import Literal

from local.xray.filters.tokens import Tokens, Value

Kind = Literal["number", "text", "any"]
"""What a keyword holds; an annotation may hold anything."""

Comparison = Callable[[Value], bool]

_ORDER: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "CONTAINS": lambda value, wanted: wanted in value,
    "BEGINSWITH": str.startswith,
    "ENDSWITH": str.endswith,
}
_EQUAL = ("=", "!=")


def read_comparison(tokens: Tokens, kind: Kind) -> Comparison | None:
    """Reads what a keyword is compared with.

    Returns:
        The test of a value; nothing where no comparison follows.

    Raises:
        FilterError: The comparison is not one for that kind of keyword.
    """
    sign = tokens.peek().upper()
    if sign in _TEXTS:
        if kind == "number":
            raise tokens.error("=, !=, <, <=, > or >= behind a number")
        tokens.step()
        return _holding(sign, text(tokens))
    if sign in _ORDER:
        if kind == "text":
            raise tokens.error("=, !=, CONTAINS, BEGINSWITH or ENDSWITH behind a text")
        tokens.step()
        return _ordered(sign, number(tokens))
    if sign not in _EQUAL:
        return None
    tokens.step()
    same = _same(tokens, kind)
    return same if sign == "=" else lambda value: not same(value)


def flag(tokens: Tokens) -> bool:
    """Reads what a boolean keyword is wanted to be; true where no comparison follows.

    Raises:
        FilterError: It is compared with something else than true or false.
    """
    sign = tokens.peek()
    if sign not in _EQUAL:
        return True
    tokens.step()
    wanted = _boolean(tokens.peek())
    if wanted is None:
        raise tokens.error("true or false")
    tokens.step()
    return wanted is (sign == "=")


def text(tokens: Tokens) -> str:
    """Reads a text.

    Raises:
        FilterError: Something else comes next.
    """
    kind, word = tokens.current()
    if kind == "word" and word.upper() not in ("AND", "OR") and _boolean(word) is None:
        tokens.step()
        return word
    if kind != "text":
        raise tokens.error('a text in quotation marks, such as "orders"')
    return str(tokens.value())


def number(tokens: Tokens) -> float:
    """Reads a number, quoted or not.

    Raises:
        FilterError: Something else comes next.
    """
    number = _number(tokens.peek())
    if number is None or tokens.current()[0] not in ("number", "text"):
        raise tokens.error("a number")
    tokens.step()
    return number


def _same(tokens: Tokens, kind: Kind) -> Comparison:
    if kind == "number":
        wanted_number = number(tokens)
        return lambda value: value == wanted_number
    if kind == "text":
        wanted_text = text(tokens)
        return lambda value: value == wanted_text
    word = tokens.peek()
    wanted = tokens.value()
    as_boolean, as_number = _boolean(word), _number(word)

    def same(value: Value) -> bool:
        if isinstance(value, bool):
            return value is as_boolean
        if isinstance(value, int | float):
            return as_number is not None and float(value) == as_number
        return value == wanted

    return same


def _ordered(sign: str, wanted: float) -> Comparison:
    return lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and _ORDER[sign](float(value), wanted)
    )


def _holding(sign: str, wanted: str) -> Comparison:
    return lambda value: isinstance(value, str) and _TEXTS[sign](value, wanted)


def _boolean(word: str) -> bool | None:
    return {"true": True, "false": False}.get(word.strip('"').lower())


def _number(word: str) -> float | None:
    try:
        return float(word.strip('"'))
    except ValueError:
        return None
