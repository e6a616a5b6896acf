"""GetTimeSeriesServiceStatistics: figures of services or edges by time.

Source: X-Ray API Reference, "GetTimeSeriesServiceStatistics": "a filter expression defining entities that will be
aggregated for statistics. Supports ID, service, and edge functions. If no selector expression is specified, edge
statistics are returned."

Assumed: requests count for the period they began in, and periods begin at multiples of their length; without a selector
the edges are those from clients, so that each request counts once; periods without a request are left out. Forecasts
need a history that nobody has here, so there are none.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from local.xray.calls import Call, calls, services
from local.xray.document_tree import Document
from local.xray.filters.selectors import Selector
from local.xray.request import ApiError, Body
from local.xray.statistics import Figures
from local.xray.summaries import Summary

DEFAULT_PERIOD = 60
"""Seconds; the reference names no default, and this is what the console asks for."""

_LONGEST_PERIOD = 24 * 3600


@dataclass(frozen=True, kw_only=True)
class Window:
    """The time that is read, and how it is divided; seconds."""

    start: float
    end: float
    period: int


def series(summaries: Iterable[Summary], selector: Selector | None, window: Window) -> list[dict[str, Any]]:
    """Adds up the figures of what is selected, a period each, in order of time.

    Args:
        summaries: The traces.
        selector: Which services or edges count; `None` for the requests of clients.
        window: The time.
    """
    figures_by_period: dict[int, Figures] = {}
    for entity in _entities(summaries, selector):
        start = float(entity["start_time"])
        if window.start <= start < window.end:
            figures_by_period.setdefault(int(start // window.period), Figures()).count(entity)
    kind = "ServiceSummaryStatistics" if selector and selector.of == "service" else "EdgeSummaryStatistics"
    return [
        {
            "Timestamp": float(number * window.period),
            kind: figures.statistics(),
            "ResponseTimeHistogram": figures.histogram(),
        }
        for number, figures in sorted(figures_by_period.items())
    ]


def period_of(body: Body) -> int:
    """Returns the period a request asks for, in seconds.

    Raises:
        ApiError: It is none.
    """
    period = body.get("Period", DEFAULT_PERIOD)
    if not 1 <= period <= _LONGEST_PERIOD:
        raise ApiError(f"Period is {period}, 1 to {_LONGEST_PERIOD} seconds are expected")
    return int(period)


def _entities(summaries: Iterable[Summary], selector: Selector | None) -> Iterator[Document]:
    for summary in summaries:
        if selector is None:
            yield from (call.segment for call in _of_clients(summary.segments))
        elif selector.of == "service":
            yield from (segment for segment in services(summary.segments) if selector.takes_service(summary, segment))
        else:
            yield from (
                call.request or call.segment for call in calls(summary.segments) if selector.takes_call(summary, call)
            )


def _of_clients(segments: Sequence[Document]) -> Iterator[Call]:
    return (call for call in calls(segments) if call.caller is None)
