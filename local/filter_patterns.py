"""Filter patterns of CloudWatch Logs, by which metric filters choose log events.

Source: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters, subscription filters, filter log events,
and Live Tail". Here: terms (all of them, `-` for none of it, `?` for any of these) and JSON. Space-delimited patterns
and regular expressions are refused. Assumed: a field that is missing is unequal to nothing.
"""

import fnmatch
import json
import re
from collections.abc import Callable
from typing import NoReturn

Match = Callable[[str], bool]
"""Tells whether a pattern takes an event's message."""

_Condition = Callable[[object], bool]
_TOKEN = re.compile(
    r"""\s*(?:(?P<path>\$(?:\.[\w-]+|\.?\[(?:\d+|"[^"]+"|'[^']+')\])+)|(?P<text>"(?:[^"\\]|\\.)*")"""
    r"""|(?P<sign>&&|\|\||!=|<=|>=|[=<>(){}])|(?P<word>[^\s=<>(){}&|"]+))"""
)
_STEP = re.compile(r"""\.([\w-]+)|\.?\[(?:(\d+)|["']([^"']+)["'])\]""")
_TERM = re.compile(r'([-?]?)("(?:[^"\\]|\\.)*"|[^\s"]+)')
_MISSING = object()


class PatternError(ValueError):
    """A filter pattern that cannot be read."""


def compile_pattern(pattern: str) -> Match:
    """Makes a test of a filter pattern; the empty one takes every event.

    Raises:
        PatternError: It is not one of those understood here.
    """
    pattern = pattern.strip()
    if pattern.startswith("{"):
        condition = _JsonPattern(pattern).whole()
        return lambda message: condition(_parsed(message))
    if pattern.startswith("[") or "%" in pattern:
        raise PatternError(
            f"the filter pattern {pattern!r} is space-delimited or has a regular expression: not modelled"
        )
    return _terms(pattern)


def value_at(path: str, message: str) -> object:
    """Returns what a path such as `$.duration_ms` leads to in a message of JSON; None where it leads nowhere."""
    found = _find(path, _parsed(message))
    return None if found is _MISSING else found


def _terms(pattern: str) -> Match:
    terms = [(sign, word.strip('"')) for sign, word in _TERM.findall(pattern)]
    needed, refused, options = ([word for sign, word in terms if sign == kind] for kind in ("", "-", "?"))

    def match(message: str) -> bool:
        if not all(word in message for word in needed) or any(word in message for word in refused):
            return False
        return not options or any(word in message for word in options)

    return match


def _parsed(message: str) -> object:
    try:
        parsed: object = json.loads(message)
    except (ValueError, RecursionError):
        return _MISSING
    return parsed


def _find(path: str, value: object) -> object:
    for name, index, quoted in _STEP.findall(path):
        if isinstance(value, dict):
            value = value.get(name or quoted, _MISSING)
        elif isinstance(value, list) and index and int(index) < len(value):
            value = value[int(index)]
        else:
            return _MISSING
    return value


class _JsonPattern:
    """Reads a pattern of JSON: comparisons joined by `&&`, which binds more closely, and `||`."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._tokens: list[tuple[str, str]] = []
        self._next = 0
        position = 0
        while position < len(pattern.rstrip()):
            match = _TOKEN.match(pattern, position)
            if match is None or match.lastgroup is None:
                self._refuse(f"character {position}")
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def whole(self) -> _Condition:
        self._expect("{")
        condition = self._alternatives()
        self._expect("}")
        if self._current != ("", ""):
            self._refuse(self._current[1])
        return condition

    @property
    def _current(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("", "")

    def _step(self) -> tuple[str, str]:
        token = self._current
        self._next += 1
        return token

    def _accept(self, *values: str) -> bool:
        if self._current[0] not in ("sign", "word") or self._current[1].upper() not in values:
            return False
        self._step()
        return True

    def _expect(self, value: str) -> None:
        if not self._accept(value):
            self._refuse(self._current[1] or "the end")

    def _refuse(self, found: str) -> NoReturn:
        raise PatternError(f"the filter pattern {self._pattern!r} cannot be read at {found}")

    def _alternatives(self) -> _Condition:
        terms = [self._conjunction()]
        while self._accept("||"):
            terms.append(self._conjunction())
        return lambda value: any(term(value) for term in terms)

    def _conjunction(self) -> _Condition:
        terms = [self._term()]
        while self._accept("&&"):
            terms.append(self._term())
        return lambda value: all(term(value) for term in terms)

    def _term(self) -> _Condition:
        if self._accept("("):
            inner = self._alternatives()
            self._expect(")")
            return inner
        kind, path = self._step()
        if kind != "path":
            self._refuse(path or "the end")
        if self._accept("IS"):
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}
            word = self._step()[1].upper()
            if word not in wanted:
                self._refuse(word)
            return lambda value: _find(path, value) is wanted[word]
        negated = self._accept("NOT")
        if self._accept("EXISTS"):
            return lambda value: (_find(path, value) is _MISSING) is negated
        if negated:
            self._refuse(self._current[1])
        return self._comparison(path)

    def _comparison(self, path: str) -> _Condition:
        sign = self._step()[1]
        kind, text = self._step()
        if sign not in ("=", "!=", "<", "<=", ">", ">=") or kind not in ("text", "word"):
            self._refuse(text or "the end")
        if sign in ("=", "!="):
            wanted = re.sub(r"\\(.)", r"\1", text[1:-1]) if kind == "text" else text
            return lambda value: (found := _find(path, value)) is not _MISSING and _same(found, wanted) is (sign == "=")
        limit = _number(text)
        if limit is None:
            self._refuse(text)
        return lambda value: _compares(_number(_find(path, value)), sign, limit)


def _same(found: object, wanted: str) -> bool:
    if isinstance(found, dict | list) or found is None:
        return False
    known, number = _number(found), _number(wanted)
    if known is not None and number is not None:
        return known == number
    # A wildcard may stand in a text or number; brackets are no wildcard here.
    shown = found if isinstance(found, str) else json.dumps(found)
    return fnmatch.fnmatchcase(shown, wanted.replace("[", "[[]"))


def _compares(known: float | None, sign: str, limit: float) -> bool:
    if known is None:
        return False
    return {"<": known < limit, "<=": known <= limit, ">": known > limit, ">=": known >= limit}[sign]


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
