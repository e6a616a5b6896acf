"""The functions of `stats`: a value of all events of a group.

Source: CloudWatch Logs User Guide, "stats", "Functions to use with stats".
"""

import math
import statistics
from collections.abc import Callable, Sequence

from local.logs_insights.values import TIMESTAMP, Row, Value, number, sort_key

Expression = Callable[[Row], Value]
Statistic = Callable[[Sequence[Row]], Value]


def _values(rows: Sequence[Row], field: Expression) -> list[Value]:
    return [value for row in rows if (value := field(row)) is not None]


def _numbers(rows: Sequence[Row], field: Expression) -> list[float]:
    return [known for value in _values(rows, field) if (known := number(value)) is not None]


def _numeric(compute: Callable[[Sequence[float]], float]) -> Callable[[Expression], Statistic]:
    def of(field: Expression) -> Statistic:
        def statistic(rows: Sequence[Row]) -> Value:
            numbers = _numbers(rows, field)
            return float(compute(numbers)) if numbers else None

        return statistic

    return of


def _chosen(choose: Callable[[Sequence[Value]], Value]) -> Callable[[Expression], Statistic]:
    def of(field: Expression) -> Statistic:
        def statistic(rows: Sequence[Row]) -> Value:
            values = _values(rows, field)
            return choose(values) if values else None

        return statistic

    return of


def _by_time(choose: Callable[[Sequence[Row]], Row]) -> Callable[[Expression], Statistic]:
    """Makes a statistic that takes the value of the event of one time; of events without the field, none."""

    def of(field: Expression) -> Statistic:
        def statistic(rows: Sequence[Row]) -> Value:
            having = [row for row in rows if field(row) is not None]
            return field(choose(having)) if having else None

        return statistic

    return of


def _time(row: Row) -> float:
    return number(row.get(TIMESTAMP)) or 0.0


def count(field: Expression | None) -> Statistic:
    """Returns the count of events that have a field, or of all."""
    return lambda rows: float(len(rows) if field is None else len(_values(rows, field)))


def percentile(field: Expression, percent: float) -> Statistic:
    """Returns the value below which a percentage of a field's values lies, by the nearest rank, which is assumed."""

    def statistic(rows: Sequence[Row]) -> Value:
        numbers = sorted(_numbers(rows, field))
        return numbers[max(0, math.ceil(percent / 100 * len(numbers)) - 1)] if numbers else None

    return statistic


STATISTICS: dict[str, Callable[[Expression], Statistic]] = {
    "avg": _numeric(statistics.fmean),
    "sum": _numeric(math.fsum),
    "stddev": _numeric(statistics.pstdev),
    "min": _chosen(lambda values: min(values, key=sort_key)),
    "max": _chosen(lambda values: max(values, key=sort_key)),
    "sortsfirst": _chosen(lambda values: min(values, key=sort_key)),
    "sortslast": _chosen(lambda values: max(values, key=sort_key)),
    "count_distinct": lambda field: lambda rows: float(len(set(_values(rows, field)))),
    # The last of several events with the latest time is taken, the first of those with the earliest.
    "earliest": _by_time(lambda rows: min(rows, key=_time)),
    "latest": _by_time(lambda rows: max(reversed(rows), key=_time)),
}
"""Those of one field, by their names in lower case."""
