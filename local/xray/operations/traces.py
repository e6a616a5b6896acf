"""The operations that return traces, their graphs and their figures.

Source: X-Ray API Reference, "BatchGetTraces", "GetTraceSummaries", "GetTraceGraph", "GetServiceGraph" and
"GetTimeSeriesServiceStatistics". With Transaction Search on they know the indexed traces only; see
`local.transaction_search`.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from local.xray.filters.expressions import Test, compile_filter
from local.xray.filters.selectors import compile_selector
from local.xray.filters.tokens import FilterError
from local.xray.request import ApiError, Body, decoded, page, strings, time_range, token_of
from local.xray.service_graph import draw
from local.xray.state import Group, XRay
from local.xray.summaries import Summaries, Summary
from local.xray.time_series import Window, period_of, series

# BatchGetTraces: "Array Members: Maximum number of 5 items".
_MAX_TRACE_IDS = 5
# That the time frame of GetTraceSummaries may span 24 hours at most is assumed for every TimeRangeType.
_MAX_WINDOW_SECONDS = 24 * 3600
_SUMMARIES_PER_PAGE = 100
# How much BatchGetTraces answers at once is assumed; a trace is never split.
_BYTES_PER_PAGE = 1024 * 1024
_PERIODS_PER_PAGE = 100
_STRATEGIES = ("PartialScan", "FixedRate")


class Queries:
    """The operations, over one state."""

    def __init__(self, xray: XRay, summaries: Summaries) -> None:
        self._xray = xray
        self._summaries = summaries

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {
            "Traces": self._batch_get_traces,
            "TraceSummaries": self._get_trace_summaries,
            "TraceGraph": self._get_trace_graph,
            "ServiceGraph": self._get_service_graph,
            "TimeSeriesServiceStatistics": self._get_time_series,
        }

    def _batch_get_traces(self, body: Body) -> Body:
        wanted = strings(body, "TraceIds", most=_MAX_TRACE_IDS)
        # Ids without a trace are left out and are not "unprocessed" (assumed; the API names no other place for them).
        rendered = [(summary.trace_id, render_trace(summary)) for summary in self._indexed(wanted)]
        traces, token = page(rendered, size=_fitting(rendered, body.get("NextToken")), token=body.get("NextToken"))
        return {"Traces": traces, "UnprocessedTraceIds": [], **({"NextToken": token} if token else {})}

    def _get_trace_summaries(self, body: Body) -> Body:
        start, end = time_range(body, longest=_MAX_WINDOW_SECONDS)
        in_range = _range_test(str(body.get("TimeRangeType") or "TraceId"), start, end)
        matches = self._filter(str(body.get("FilterExpression") or ""))
        within = [summary for summary in self._all() if in_range(summary) and _taken(summary, body)]
        # "The first page contains the most recent results, closest to the end of the time frame."
        summaries, token, scanned = _matching(_behind(within, body.get("NextToken")), matches)
        return {
            "TraceSummaries": [summary.render() for summary in summaries],
            "ApproximateTime": time.time(),
            "TracesProcessedCount": scanned,
            **({"NextToken": token} if token else {}),
        }

    def _get_trace_graph(self, body: Body) -> Body:
        return {"Services": draw(self._indexed(strings(body, "TraceIds")))}

    def _get_service_graph(self, body: Body) -> Body:
        start, end = time_range(body)
        chosen, changed = self._of_group(body, start, end)
        return {
            "StartTime": start,
            "EndTime": end,
            "Services": draw(reversed(chosen)),
            "ContainsOldGroupVersions": changed,
        }

    def _get_time_series(self, body: Body) -> Body:
        start, end = time_range(body)
        expression = body.get("EntitySelectorExpression")
        if body.get("ForecastStatistics") and not expression:
            raise ApiError("ForecastStatistics needs an EntitySelectorExpression")
        try:
            selector = compile_selector(str(expression)) if expression else None
        except FilterError as problem:
            raise ApiError(str(problem)) from None
        chosen, changed = self._of_group(body, start, end)
        window = Window(start=start, end=end, period=period_of(body))
        keyed = [(repr(period["Timestamp"]), period) for period in series(chosen, selector, window)]
        periods, token = page(keyed, size=_PERIODS_PER_PAGE, token=body.get("NextToken"))
        return {
            "TimeSeriesServiceStatistics": periods,
            "ContainsOldGroupVersions": changed,
            **({"NextToken": token} if token else {}),
        }

    def _of_group(self, body: Body, start: float, end: float) -> tuple[list[Summary], bool]:
        """Returns the traces of a time, of the group the request names, and whether that group was changed since."""
        group = self._group(body)
        matches = self._filter(group.filter_expression if group else "")
        chosen = [summary for summary in self._all() if _active(summary, start, end) and matches(summary)]
        return chosen, group is not None and group.changed_at is not None and group.changed_at >= start

    def _all(self) -> list[Summary]:
        indexed = self._xray.search.indexed
        return [summary for summary in self._summaries.all() if indexed(summary.trace_id)]

    def _indexed(self, trace_ids: list[str]) -> list[Summary]:
        indexed = [trace_id for trace_id in trace_ids if self._xray.search.indexed(trace_id)]
        return [summary for trace_id in indexed if (summary := self._summaries.get(trace_id))]

    def _filter(self, expression: str) -> Test:
        try:
            return compile_filter(expression, self._expression_of)
        except FilterError as problem:
            raise ApiError(str(problem)) from None

    def _expression_of(self, key: str) -> str | None:
        group = self._xray.groups.find(key)
        return group.filter_expression if group else None

    def _group(self, body: Body) -> Group | None:
        key = body.get("GroupARN") or body.get("GroupName")
        if not key:
            return None
        group = self._xray.groups.find(str(key))
        if group is None:
            raise ApiError(f"There is no group {key!r}")
        return group


def render_trace(summary: Summary) -> Body:
    """Writes the `Trace` of the X-Ray API."""
    return {
        "Id": summary.trace_id,
        "Duration": round(summary.duration, 3),
        "LimitExceeded": False,
        "Segments": [{"Id": segment["id"], "Document": json.dumps(segment)} for segment in summary.segments],
    }


def _behind(summaries: list[Summary], token: object) -> list[Summary]:
    """Returns what comes behind the place a token names, whether or not the trace it was made for is among them now."""
    if not token:
        return summaries
    start, _, trace_id = decoded(token).partition("/")
    try:
        place = (float(start), trace_id)
    except ValueError:
        raise ApiError(f"NextToken {token!r} was not returned by this operation") from None
    return [summary for summary in summaries if (summary.start, summary.trace_id) < place]


def _matching(rest: list[Summary], matches: Test) -> tuple[list[Summary], str | None, int]:
    """Returns a page of the matching traces, the token of the next one, and how many traces were read for it."""
    page_of: list[Summary] = []
    for scanned, summary in enumerate(rest, start=1):
        if matches(summary):
            page_of.append(summary)
        if len(page_of) == _SUMMARIES_PER_PAGE and scanned < len(rest):
            return page_of, token_of(f"{summary.start!r}/{summary.trace_id}"), scanned
    return page_of, None, len(rest)


def _fitting(traces: list[tuple[str, Body]], token: object) -> int:
    """Returns how many of the traces after the token's fit on a page; one at least."""
    rest, _ = page(traces, size=len(traces), token=token)
    size = 0
    for count, trace in enumerate(rest):
        size += sum(len(segment["Document"]) for segment in trace["Segments"])
        if count and size > _BYTES_PER_PAGE:
            return count
    return max(1, len(rest))


def _range_test(kind: str, start: float, end: float) -> Callable[[Summary], bool]:
    # GetTraceSummaries, TimeRangeType: "TraceId (trace start time), Event (trace update time), or Service (trace
    # segment end time)"; "Event time returns traces active during the [start_time, end_time) range, regardless of
    # when the trace began": X-Ray Developer Guide, "Getting data from X-Ray".
    match kind:
        case "TraceId":
            return lambda summary: start <= summary.start < end
        case "Event":
            return lambda summary: _active(summary, start, end)
        case "Service":
            return lambda summary: any(
                start <= float(segment["end_time"]) < end for segment in summary.segments if "end_time" in segment
            )
        case _:
            raise ApiError(f"TimeRangeType is {kind!r}, TraceId, Event or Service is expected")


def _active(summary: Summary, start: float, end: float) -> bool:
    return summary.start < end and summary.end >= start


def _taken(summary: Summary, body: Body) -> bool:
    # "Set to true to get summaries for only a subset of available traces." A partial scan takes all here.
    strategy: dict[str, Any] = body.get("SamplingStrategy") or {}
    name = strategy.get("Name")
    if name is not None and name not in _STRATEGIES:
        raise ApiError(f"SamplingStrategy is {name!r}, {' or '.join(_STRATEGIES)} is expected")
    if not body.get("Sampling") or name != "FixedRate":
        return True
    return int(summary.trace_id[-8:], 16) / 2**32 < float(strategy.get("Value") or 0)
