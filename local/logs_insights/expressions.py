"""Expressions: fields, values, functions, arithmetic, comparisons and conditions."""

import re
from collections.abc import Callable
from functools import partial

from local.logs_insights.functions import FUNCTIONS, milliseconds
from local.logs_insights.statistics import Expression
from local.logs_insights.tokens import QueryError, Tokens
from local.logs_insights.values import TIMESTAMP, Row, Value, below, equal, number, text, truth

# Assumed: no more than a reader can follow, and none that would break whoever is answered with it.
_MAX_DEPTH = 50
_COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    "=": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": below,
    ">": lambda left, right: below(right, left),
    "<=": lambda left, right: below(left, right) or equal(left, right),
    ">=": lambda left, right: below(right, left) or equal(left, right),
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
    "%": lambda left, right: left % right,
    "^": lambda left, right: left**right,
}
_PRECEDENCE = (("+", "-"), ("*", "/", "%"), ("^",))
_RESERVED = frozenset({"and", "or", "not", "like", "in", "as", "by", "asc", "desc"})


def compiled_regex(pattern: str) -> re.Pattern[str]:
    """Returns a regular expression of a query, whose groups are named `(?<name>…)` and flags may stand within.

    Raises:
        QueryError: It is none.
    """
    inner_flag = "(?i)" in pattern
    pattern = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern.replace("(?i)", "")).replace(r"\/", "/")
    try:
        return re.compile(pattern, re.IGNORECASE if inner_flag else 0)
    except re.error as problem:
        raise QueryError(f"invalid regular expression /{pattern}/: {problem}") from None


class ExpressionParser(Tokens):
    """Reads expressions of a query.

    Raises:
        QueryError: There is none where one is expected.
    """

    def __init__(self, query: str) -> None:
        super().__init__(query)
        self._depth = 0

    def condition(self) -> Expression:
        """Reads a condition or any other expression."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self.error(f"at most {_MAX_DEPTH} expressions within each other")
        terms = [self._conjunction()]
        while self.accept("or"):
            terms.append(self._conjunction())
        self._depth -= 1
        return terms[0] if len(terms) == 1 else lambda row: any(truth(term(row)) for term in terms)

    def _conjunction(self) -> Expression:
        terms = [self._negation()]
        while self.accept("and"):
            terms.append(self._negation())
        return terms[0] if len(terms) == 1 else lambda row: all(truth(term(row)) for term in terms)

    def _negation(self) -> Expression:
        negated = False
        while self.accept("not"):
            negated = not negated
        term = self._comparison()
        return (lambda row: not truth(term(row))) if negated else term

    def _comparison(self) -> Expression:
        left = self._sum(0)
        token = self.current
        if token.kind == "sign" and token.value in _COMPARISONS:
            self.step()
            right, compare = self._sum(0), _COMPARISONS[token.value]
            return lambda row: compare(left(row), right(row))
        negated = self.accept("not")
        if self.accept("like", "=~"):
            holds = self._matches(left)
        elif self.accept("in"):
            holds = self._in(left)
        elif negated:
            raise self.error("like or in")
        else:
            return left
        return lambda row: holds(row) is not negated

    def _matches(self, left: Expression) -> Callable[[Row], bool]:
        token = self.expect_kind("text", "regex", expected='"text" or /regular expression/')
        if token.kind == "text":
            return lambda row: token.value in text(left(row))
        pattern = compiled_regex(token.value)
        return lambda row: pattern.search(text(left(row))) is not None

    def _in(self, left: Expression) -> Callable[[Row], bool]:
        self.expect("[")
        options = [self._sum(0)]
        while self.accept(","):
            options.append(self._sum(0))
        self.expect("]")
        return lambda row: any(equal(left(row), option(row)) for option in options)

    def _sum(self, level: int) -> Expression:
        if level == len(_PRECEDENCE):
            return self._operand()
        left = self._sum(level + 1)
        while self.current.kind == "sign" and self.current.value in _PRECEDENCE[level]:
            sign = self.step().value
            left = partial(_calculated, _ARITHMETIC[sign], left, self._sum(level + 1))
        return left

    def _operand(self) -> Expression:
        if self.accept("-"):
            operand = self._operand()
            return partial(_calculated, _ARITHMETIC["-"], lambda _row: 0.0, operand)
        if self.accept("("):
            inner = self.condition()
            self.expect(")")
            return inner
        token = self.current
        if token.kind == "word" and token.value.lower() in _RESERVED:
            raise self.error("a field, a value or a function")
        token = self.expect_kind("word", "quoted", "text", "number", expected="a field, a value or a function")
        if token.kind == "text":
            return lambda _row: token.value
        if token.kind == "number":
            return lambda _row: float(token.value)
        if token.kind == "word" and self.accept("("):
            return self._function(token.value)
        return lambda row: row.get(token.value)

    def _function(self, name: str) -> Expression:
        if name.lower() == "bin":
            period = self._period()
            self.expect(")")
            return lambda row: FUNCTIONS["datefloor"].call([row.get(TIMESTAMP), period])
        function = FUNCTIONS.get(name.lower())
        if function is None:
            raise QueryError(f"the function {name} is not known to the local AWS; it has bin, {', '.join(FUNCTIONS)}")
        arguments: list[Expression] = []
        while not self.accept(")"):
            if arguments:
                self.expect(",")
            arguments.append(self._argument())
        if not function.least <= len(arguments) <= function.most:
            raise QueryError(f"the function {name} takes {function.least} to {function.most} arguments")
        return lambda row: function.call([argument(row) for argument in arguments])

    def _argument(self) -> Expression:
        if self.current.kind == "period":
            period = self._period()
            return lambda _row: period
        return self.condition()

    def _period(self) -> float:
        token = self.expect_kind("period", expected="a period such as 5m")
        length = milliseconds(token.value)
        if length is None:
            raise QueryError(f"{token.value} is no period; expected a number and ms, s, m, h, d or w")
        return float(length)


def _calculated(compute: Callable[[float, float], float], left: Expression, right: Expression, row: Row) -> Value:
    values = number(left(row)), number(right(row))
    if values[0] is None or values[1] is None:
        return None
    try:
        return float(compute(values[0], values[1]))
    except (ArithmeticError, TypeError):
        return None
