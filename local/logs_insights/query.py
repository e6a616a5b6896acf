"""Queries: commands that are joined by `|`, each of which passes rows on to the next."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from local.logs_insights.expressions import ExpressionParser, compiled_regex
from local.logs_insights.statistics import STATISTICS, Expression, Statistic, count, percentile
from local.logs_insights.tokens import QueryError
from local.logs_insights.values import Row, SortKey, Value, sort_key, text, truth

MOST_ROWS = 10_000
"""How many rows a query returns that has no limit: "limit" in the User Guide."""

Command = Callable[[list[Row]], list[Row]]
_COMMANDS = ("fields", "display", "filter", "stats", "sort", "limit", "parse", "dedup")
_POINTER = "@ptr"
_SHOWN_BY_DEFAULT = ("@timestamp", "@message")


@dataclass(kw_only=True)
class Query:
    """A query that was read.

    Attributes:
        commands: What is done with the rows, in order.
        shown: The columns of the results; empty for those that are shown by default.
        counts: Whether it computes statistics, which are no events and have no pointer.
        limit: How many rows it returns at most.
        matched: How many events its filters let through, once it has run.
    """

    commands: list[Command] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    counts: bool = False
    limit: int = MOST_ROWS
    matched: int = 0

    def run(self, rows: Sequence[Row]) -> list[dict[str, str]]:
        """Returns the results: a row's columns and their values. A column without a value is left out: assumed."""
        left = list(rows)
        self.matched = len(left)
        for command in self.commands:
            left = command(left)
        columns = self.shown or list(_SHOWN_BY_DEFAULT)
        if not self.counts:
            columns = [*(name for name in columns if name != _POINTER), _POINTER]
        return [{name: text(row[name]) for name in columns if row.get(name) is not None} for row in left[: self.limit]]


def compile_query(query: str) -> Query:
    """Reads a query.

    Raises:
        QueryError: It is not one of those understood here.
    """
    return _Parser(query).whole()


def _key_of(expression: Expression, row: Row) -> SortKey:
    return sort_key(expression(row))


class _Parser(ExpressionParser):
    def __init__(self, query: str) -> None:
        super().__init__(query)
        self._query = Query()
        self._displayed = False

    def whole(self) -> Query:
        while True:
            self._command()
            if not self.current.kind:
                return self._query
            self.expect("|")

    def _command(self) -> None:
        token = self.expect_kind("word", expected=f"a command: {', '.join(_COMMANDS)}")
        name = token.value.lower()
        if name not in _COMMANDS:
            raise QueryError(
                f"the command {token.value} is not known to the local AWS, which has {', '.join(_COMMANDS)}"
            )
        {
            "fields": self._fields,
            "display": self._display,
            "filter": self._filter,
            "stats": self._stats,
            "sort": self._sort,
            "limit": self._limit,
            "parse": self._parse,
            "dedup": self._dedup,
        }[name]()

    def _add(self, command: Command) -> None:
        self._query.commands.append(command)

    def _column(self) -> tuple[str, Expression]:
        """Reads an expression with its name: what follows `as`, or its own text."""
        start = self.current.start
        quoted = self.current.value if self.current.kind == "quoted" else None
        expression = self.condition()
        written = self.text_since(start)
        if self.accept("as"):
            return self._name(), expression
        return quoted if quoted is not None and written == f"`{quoted}`" else written, expression

    def _name(self) -> str:
        return self.expect_kind("word", "quoted", expected="a name").value

    def _listed(self, read: Callable[[], tuple[str, Expression]]) -> dict[str, Expression]:
        columns = [read()]
        while self.accept(","):
            columns.append(read())
        return dict(columns)

    def _compute(self, columns: dict[str, Expression]) -> None:
        self._add(lambda rows: [{**row, **{name: of(row) for name, of in columns.items()}} for row in rows])

    def _fields(self) -> None:
        columns = self._listed(self._column)
        self._compute(columns)
        if not self._displayed:
            self._query.shown += [name for name in columns if name not in self._query.shown]

    def _display(self) -> None:
        columns = self._listed(self._column)
        self._compute(columns)
        self._query.shown, self._displayed = list(columns), True

    def _filter(self) -> None:
        condition, query, of_events = self.condition(), self._query, not self._query.counts

        def command(rows: list[Row]) -> list[Row]:
            kept = [row for row in rows if truth(condition(row))]
            if of_events:
                query.matched = len(kept)
            return kept

        self._add(command)

    def _stats(self) -> None:
        statistics = dict([self._statistic()])
        while self.accept(","):
            statistics.update([self._statistic()])
        groups = self._listed(self._column) if self.accept("by") else {}

        def command(rows: list[Row]) -> list[Row]:
            grouped: dict[tuple[Value, ...], list[Row]] = {} if groups else {(): []}
            for row in rows:
                grouped.setdefault(tuple(of(row) for of in groups.values()), []).append(row)
            return [
                {**dict(zip(groups, key, strict=True)), **{name: of(members) for name, of in statistics.items()}}
                for key, members in grouped.items()
            ]

        self._add(command)
        self._query.shown, self._query.counts, self._displayed = [*groups, *statistics], True, False

    def _statistic(self) -> tuple[str, Statistic]:
        token = self.expect_kind("word", expected="a function such as count(*)")
        name = token.value.lower()
        self.expect("(")
        if name == "count":
            statistic = self._count()
        elif name == "pct":
            of = self.condition()
            self.expect(",")
            statistic = percentile(of, float(self.expect_kind("number", expected="a percentage").value))
        elif name in STATISTICS:
            statistic = STATISTICS[name](self.condition())
        else:
            known = ", ".join(("count", "pct", *STATISTICS))
            raise QueryError(f"stats has no function {token.value} in the local AWS, which has {known}")
        self.expect(")")
        written = self.text_since(token.start)
        return self._name() if self.accept("as") else written, statistic

    def _count(self) -> Statistic:
        if self.accept("*") or (self.current.kind, self.current.value) == ("sign", ")"):
            return count(None)
        return count(self.condition())

    def _sort(self) -> None:
        keys: list[tuple[Expression, bool]] = []
        while True:
            expression = self.condition()
            descending = self.accept("desc")
            if not descending:
                self.accept("asc")
            keys.append((expression, descending))
            if not self.accept(","):
                break

        def command(rows: list[Row]) -> list[Row]:
            # Python's sort is stable, so that the last key is sorted by first.
            for of, descending in reversed(keys):
                rows = sorted(rows, key=partial(_key_of, of), reverse=descending)
            return rows

        self._add(command)

    def _limit(self) -> None:
        token = self.expect_kind("number", expected="a number of rows")
        if not token.value.isdigit() or not 1 <= int(token.value) <= MOST_ROWS:
            raise QueryError(f"the limit is {token.value}, but must be from 1 to {MOST_ROWS}")
        limit = int(token.value)
        self._add(lambda rows: rows[:limit])

    def _dedup(self) -> None:
        keys = self._listed(self._column)

        def command(rows: list[Row]) -> list[Row]:
            first: dict[tuple[Value, ...], Row] = {}
            for row in rows:
                first.setdefault(tuple(of(row) for of in keys.values()), row)
            return list(first.values())

        self._add(command)

    def _parse(self) -> None:
        source = self._name()
        token = self.expect_kind("text", "regex", expected='"text with *" or /regular expression/')
        if token.kind == "regex":
            pattern = compiled_regex(token.value)
            names = sorted(pattern.groupindex, key=lambda name: pattern.groupindex[name])
        else:
            parts = [re.escape(part) for part in token.value.split("*")]
            self.expect("as")
            names = [self._name()]
            while self.accept(","):
                names.append(self._name())
            if len(names) != len(parts) - 1:
                raise QueryError(f'"{token.value}" has {len(parts) - 1} *, and {len(names)} names stand behind it')
            pattern = re.compile("(.*?)".join(parts) + ("$" if token.value.endswith("*") else ""), re.DOTALL)

        def extracted(row: Row) -> dict[str, Value]:
            match = pattern.search(text(row.get(source)))
            if match is None:
                return {}
            values = match.groups() if token.kind == "text" else [match[name] for name in names]
            return dict(zip(names, values, strict=True))

        self._add(lambda rows: [{**row, **extracted(row)} for row in rows])
