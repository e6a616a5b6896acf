"""The words of a filter expression, and a place among them."""

import re

Value = str | float | bool
"""What a keyword is compared with."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<json>\#\[)|(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"""
    r"""|(?P<word>[A-Za-z_][\w.]*(?:\[[^\]]+\])?)|(?P<sign>!=|>=|<=|[=><!(){},:]))"""
)


class FilterError(ValueError):
    """A filter expression that cannot be read."""


class Tokens:
    """An expression cut into words, read from left to right.

    Raises:
        FilterError: It holds something that is no word, number, text, JSON or sign.
    """

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self._tokens: list[tuple[str, str]] = []
        self._next = 0
        position, end = 0, len(expression.rstrip())
        while position < end:
            match = _TOKEN.match(expression, position)
            if match is None or match.lastgroup is None:
                raise FilterError(f"Invalid filter expression {expression!r}: unreadable at character {position}")
            text, position = match.group(match.lastgroup), match.end()
            if match.lastgroup == "json":
                # What follows is JSON up to its own end, whatever signs it holds.
                text, position = self._json(position - 1)
            self._tokens.append((match.lastgroup, text))

    def _json(self, begin: int) -> tuple[str, int]:
        depth, quoted, position = 0, False, begin
        while position < len(self.expression):
            character = self.expression[position]
            if quoted:
                position += character == "\\"
                quoted = character != '"'
            else:
                quoted = character == '"'
                depth += (character in "[{") - (character in "]}")
            position += 1
            if not depth and not quoted:
                return self.expression[begin:position], position
        raise FilterError(f"Invalid filter expression {self.expression!r}: the JSON at character {begin} has no end")

    def current(self) -> tuple[str, str]:
        """Returns kind (`text`, `number`, `word`, `json`, `sign`) and text of the next token; empty at the end."""
        return self._tokens[self._next] if self._next < len(self._tokens) else ("", "")

    def peek(self) -> str:
        """Returns the characters of the next token."""
        return self.current()[1]

    def step(self) -> None:
        """Goes past the next token."""
        self._next += 1

    def accept(self, sign: str) -> bool:
        """Goes past `sign`, if it comes next."""
        if self.current() != ("sign", sign):
            return False
        self.step()
        return True

    def expect(self, sign: str) -> None:
        """Goes past `sign`.

        Raises:
            FilterError: Something else comes next.
        """
        if not self.accept(sign):
            raise self.error(sign)

    def value(self) -> Value:
        """Reads a text, a number, true or false.

        Raises:
            FilterError: Something else comes next.
        """
        kind, text = self.current()
        if kind == "text":
            value: Value = re.sub(r"\\(.)", r"\1", text[1:-1])
        elif kind == "number":
            value = float(text)
        elif text.lower() in ("true", "false"):
            value = text.lower() == "true"
        else:
            raise self.error('a value: "text", a number, true or false')
        self.step()
        return value

    def error(self, expected: str) -> FilterError:
        """Returns what to raise where something else was expected."""
        token = self.peek() or "the end"
        return FilterError(f"Invalid filter expression {self.expression!r}: found {token}, expected {expected}")
