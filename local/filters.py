"""Filter expressions of GetTraceSummaries and of groups.

Source: X-Ray Developer Guide, "Use filter expressions". Here: `service("name")`, `annotation.key`,
`annotation[key]`, `http.url`, `http.method`, `http.status`, `http.clientip`, `responsetime`, `duration`,
`fault`, `error`, `throttle`, `ok`, `partial`, joined by AND, OR, `!` and parentheses. Anything else is refused,
never ignored.
"""

import operator
import re
from collections.abc import Callable

from local.summaries import Summary

Test = Callable[[Summary], bool]
_Value = str | float | bool

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][\w.]*(?:\[[^\]]+\])?)"""
    r"""|(?P<sign>!=|>=|<=|=|>|<|!|\(|\)|,))"""
)
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_FLAGS: dict[str, Test] = {
    "fault": lambda summary: summary.has("fault"),
    "error": lambda summary: summary.has("error"),
    "throttle": lambda summary: summary.has("throttle"),
    "ok": lambda summary: not any(summary.has(flag) for flag in ("fault", "error", "throttle")),
    "partial": lambda summary: summary.partial,
}
_NUMBERS: dict[str, Callable[[Summary], float]] = {
    "responsetime": lambda summary: summary.response_time,
    "duration": lambda summary: summary.duration,
}
_HTTP = {"http.url": "url", "http.method": "method", "http.status": "status", "http.clientip": "client_ip"}


class FilterError(ValueError):
    """A filter expression that cannot be read."""


def compile_filter(expression: str) -> Test:
    """Make a test of a filter expression; the empty one lets every trace through.

    Raises:
        FilterError: The expression is not one of those understood here.
    """
    if not expression.strip():
        return lambda _summary: True
    parser = _Parser(expression)
    test = parser.alternatives()
    if parser.peek():
        raise parser.error("AND, OR or the end")
    return test


class _Parser:
    def __init__(self, expression: str) -> None:
        self._expression = expression
        self._tokens: list[tuple[str, str]] = []
        self._next = 0
        position = 0
        end = len(expression.rstrip())
        while position < end:
            match = _TOKEN.match(expression, position)
            if match is None or match.lastgroup is None:
                raise FilterError(f"Invalid filter expression {expression!r}: unreadable at character {position}")
            self._tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()

    def peek(self) -> str:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else ""

    def error(self, expected: str) -> FilterError:
        found = self.peek() or "the end"
        return FilterError(f"Invalid filter expression {self._expression!r}: found {found}, expected {expected}")

    def alternatives(self) -> Test:
        tests = [self._conjunction()]
        while self.peek().upper() == "OR":
            self._next += 1
            tests.append(self._conjunction())
        return lambda summary: any(test(summary) for test in tests)

    def _conjunction(self) -> Test:
        tests = [self._term()]
        while self.peek().upper() == "AND":
            self._next += 1
            tests.append(self._term())
        return lambda summary: all(test(summary) for test in tests)

    def _term(self) -> Test:
        if self._accept("!"):
            test = self._term()
            return lambda summary: not test(summary)
        if self._accept("("):
            test = self.alternatives()
            self._expect(")")
            return test
        return self._keyword()

    def _keyword(self) -> Test:
        word = self.peek()
        if word == "service":
            self._next += 1
            return self._service()
        if word in _FLAGS:
            self._next += 1
            return self._flag(_FLAGS[word])
        if word in _NUMBERS:
            self._next += 1
            read = _NUMBERS[word]
            return self._compared(lambda summary: [read(summary)])
        if word in _HTTP:
            self._next += 1
            return self._compared(lambda summary: [summary.http[_HTTP[word]]] if _HTTP[word] in summary.http else [])
        if key := re.fullmatch(r"annotation(?:\.(\w+)|\[[\"']?(\w+)[\"']?\])", word):
            self._next += 1
            name = key[1] or key[2]
            return self._compared(lambda summary: list(summary.annotations.get(name, [])))
        raise self.error(
            "service(), annotation[], http., responsetime, duration, fault, error, throttle, ok or partial"
        )

    def _service(self) -> Test:
        self._expect("(")
        name = self._value()
        self._expect(")")
        return lambda summary: any(service["Name"] == name for service in summary.services)

    def _flag(self, flag: Test) -> Test:
        sign = self.peek()
        if sign not in ("=", "!="):
            return flag
        self._next += 1
        wanted = self._value() is (sign == "=")
        return lambda summary: flag(summary) is wanted

    def _compared(self, read: Callable[[Summary], list[_Value]]) -> Test:
        sign = self.peek().upper()
        if sign in ("CONTAINS", "BEGINSWITH", "ENDSWITH"):
            self._next += 1
            text = str(self._value())
            tests: dict[str, Callable[[str], bool]] = {
                "CONTAINS": lambda value: text in value,
                "BEGINSWITH": lambda value: value.startswith(text),
                "ENDSWITH": lambda value: value.endswith(text),
            }
            return lambda summary: any(tests[sign](str(value)) for value in read(summary))
        if sign not in _COMPARISONS:
            return lambda summary: bool(read(summary))
        self._next += 1
        wanted = self._value()
        return lambda summary: any(_compare(sign, value, wanted) for value in read(summary))

    def _value(self) -> _Value:
        kind, text = self._tokens[self._next] if self._next < len(self._tokens) else ("", "")
        if kind == "text":
            value: _Value = re.sub(r"\\(.)", r"\1", text[1:-1])
        elif kind == "number":
            value = float(text)
        elif text.lower() in ("true", "false"):
            value = text.lower() == "true"
        else:
            raise self.error('a value: "text", a number, true or false')
        self._next += 1
        return value

    def _accept(self, sign: str) -> bool:
        if self.peek() != sign:
            return False
        self._next += 1
        return True

    def _expect(self, sign: str) -> None:
        if not self._accept(sign):
            raise self.error(sign)


def _compare(sign: str, value: _Value, wanted: _Value) -> bool:
    if isinstance(wanted, float) and isinstance(value, int | float) and not isinstance(value, bool):
        return _COMPARISONS[sign](float(value), wanted)
    if sign == "!=":
        return value != wanted
    return sign == "=" and value == wanted
