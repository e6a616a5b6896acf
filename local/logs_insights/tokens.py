"""The words of a query, and a place among them."""

import re
from dataclasses import dataclass

_SPACE = re.compile(r"(?:\s+|#[^\n]*)+")
_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<quoted>`[^`]+`)"""
    r"""|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![A-Za-z_\d]))|(?P<period>\d+[a-z]+)"""
    r"""|(?P<word>@{0,2}[A-Za-z_][\w.@]*)|(?P<sign>=~|!=|<=|>=|[=<>()\[\],|+\-*/^%])"""
)
_REGEX = re.compile(r"/(?P<regex>(?:[^/\\]|\\.)+)/")


class QueryError(ValueError):
    """A query that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Token:
    """One word.

    Attributes:
        kind: `text`, `quoted` (a field in backticks), `number`, `period`, `word`, `sign`, `regex`; empty at the end.
        value: Its characters, without quotes.
        start: Where it begins in the query.
        end: Where it ends.
    """

    kind: str
    value: str
    start: int
    end: int


class Tokens:
    """A query cut into words, read from left to right.

    Raises:
        QueryError: It holds something that is none of them.
    """

    def __init__(self, query: str) -> None:
        self.query = query
        self._tokens: list[Token] = []
        self._next = 0
        position = 0
        while True:
            if space := _SPACE.match(query, position):
                position = space.end()
            if position == len(query):
                break
            token = self._regex(position) or self._token(position)
            self._tokens.append(token)
            position = token.end

    def _regex(self, position: int) -> Token | None:
        """Returns the regular expression at a place where one may stand, and a slash does not divide."""
        before = [token.value.lower() for token in self._tokens[-2:]]
        if not before or not (before[-1] in ("like", "=~") or before[0] == "parse"):
            return None
        match = _REGEX.match(self.query, position)
        if match is None:
            return None
        return Token(kind="regex", value=match["regex"], start=position, end=match.end())

    def _token(self, position: int) -> Token:
        match = _TOKEN.match(self.query, position)
        if match is None or match.lastgroup is None:
            raise QueryError(f"unexpected symbol {self.query[position]} at position {position}")
        value = match[match.lastgroup]
        if match.lastgroup == "text":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        elif match.lastgroup == "quoted":
            value = value[1:-1]
        return Token(kind=match.lastgroup, value=value, start=position, end=match.end())

    @property
    def current(self) -> Token:
        """The next word."""
        if self._next < len(self._tokens):
            return self._tokens[self._next]
        return Token(kind="", value="", start=len(self.query), end=len(self.query))

    def step(self) -> Token:
        """Goes past the next word, and returns it."""
        token = self.current
        self._next += 1
        return token

    def text_since(self, start: int) -> str:
        """Returns the query's text from a position to the last word that was read."""
        return self.query[start : self._tokens[self._next - 1].end]

    def accept(self, *values: str) -> bool:
        """Goes past a sign or word, whatever its case, if it comes next."""
        token = self.current
        if token.kind not in ("sign", "word") or token.value.lower() not in values:
            return False
        self.step()
        return True

    def expect(self, value: str) -> None:
        """Goes past a sign or word.

        Raises:
            QueryError: Something else comes next.
        """
        if not self.accept(value):
            raise self.error(value)

    def expect_kind(self, *kinds: str, expected: str) -> Token:
        """Goes past a word of one of these kinds, and returns it.

        Raises:
            QueryError: Something else comes next.
        """
        if self.current.kind not in kinds:
            raise self.error(expected)
        return self.step()

    def error(self, expected: str) -> QueryError:
        """Returns what to raise where something else was expected."""
        symbol = self.current.value or "the end"
        return QueryError(f"unexpected symbol {symbol} at position {self.current.start}, expected {expected}")
