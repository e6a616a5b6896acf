"""One trace as the page shows it: what can be said of it, a time axis, and its rows with all their fields."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ...text import clock, duration, short_name
from ...traces.exceptions import Exceptions, failing_span
from ...traces.failure_states import STATE_WORDS
from ...traces.graph_model import Node, TraceMap, TracePath
from ...traces.model import JsonObject, JsonValue, Link, Trace
from ...traces.resource_names import resource_name
from ...traces.resource_types import kind_of
from ...traces.summary import verdict
from ...traces.waterfall import Row, waterfall_rows

_TICKS = 5
# The largest whole number JavaScript keeps exact (ECMA-262, Number.MAX_SAFE_INTEGER).
_EXACT = 2**53 - 1


class PageTraces:
    """Makes the page's traces.

    Args:
        trace_map: The map.
        labels: The names that its nodes are drawn with.
        order: The places of the traces in the page, by id.
    """

    def __init__(self, trace_map: TraceMap, labels: Mapping[str, str], order: Mapping[str, int]) -> None:
        self._map = trace_map
        self._labels = labels
        self._order = order
        self._nodes = {node.id: index for index, node in enumerate(trace_map.nodes)}

    def of(self, path: TracePath, trace: Trace) -> JsonObject:
        """Returns a trace as JSON.

        Args:
            path: Its way over the map.
            trace: The trace.
        """
        begin, end = trace.start, trace.end
        total = max(0.0, end - begin)
        rows, failing, exceptions = waterfall_rows(trace), failing_span(trace), Exceptions(trace)
        return {
            "id": trace.id,
            "clock": clock(begin),
            "took": duration(total),
            "seconds": total,
            "waited": path.queue_seconds or 0.0,
            "state": _state(path),
            "nodes": len(path.nodes),
            "whole": path.connected,
            "verdict": verdict(path, self._map),
            "limitExceeded": trace.limit_exceeded,
            "extra": _exact(trace.extra),
            "ticks": _ticks(total),
            "failing": next((place for place, row in enumerate(rows) if failing and row.span is failing), None),
            "rows": [self._row(row, begin, end, exceptions) for row in rows],
        }

    def _row(self, row: Row, begin: float, end: float, exceptions: Exceptions) -> JsonObject:
        segment, span = row.segment, row.span
        node = self._node(row)
        total = max(0.0, end - begin)
        row_end = end if row.end is None else row.end
        is_segment = row.origin is not None
        shown: JsonObject = {
            "depth": row.depth,
            "kind": kind_of(segment.resource_type),
            "word": row.kind,
            "name": self._labels[node.id] if node is not None and is_segment else row.name,
            "title": row.name,
            "from": _fraction(row.start - begin, total),
            "fraction": _fraction(row_end - row.start, total),
            "begins": f"after {duration(row.start - begin)}" if row.start > begin else "at the start",
            "took": "running" if row.end is None else duration(row.end - row.start),
            "segment": is_segment,
            "inferred": row.inferred,
            "waiting": row.waiting,
            "note": row.note,
            "node": None if node is None else self._nodes[node.id],
        }
        if span is not None:
            shown |= {
                "state": row.state or "",
                "stateWord": STATE_WORDS[row.state] if row.state else "",
                "exceptions": list(exceptions.of(span)),
                "links": [self._reference(link) for link in span.links],
                "fields": _exact(span.own_fields),
            }
        return shown

    def _node(self, row: Row) -> Node | None:
        segment = row.segment
        if segment.type == "subsegment":
            return None
        return self._map.by_circle.get((resource_name(segment), segment.resource_type))

    def _reference(self, link: Link) -> JsonObject:
        name = short_name(link.names[0]) if link.names else link.trace_id
        return {"trace": self._order.get(link.trace_id), "type": link.reference_type, "name": name}


def _state(path: TracePath) -> str:
    """Returns the worst that became of a trace; empty where nothing failed."""
    return "fault" if path.faults else "throttle" if path.throttles else "error" if path.errors else ""


def _fraction(seconds: float, total: float) -> float:
    return round(min(1.0, max(0.0, seconds / total)), 6) if total > 0 else 0.0


def _ticks(total: float) -> list[JsonValue]:
    """Returns a time axis: places as fractions of the whole, and what stands there."""
    if total <= 0:
        return []
    rough = total / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((factor * power for factor in (1, 2, 5) if factor * power >= rough), 10 * power)
    count = math.floor(total / step + 1e-9)
    return [
        [round(min(1.0, number * step / total), 6), duration(number * step) if number else "0"]
        for number in range(count + 1)
    ]


def _exact(value: JsonValue) -> JsonValue:
    """Returns a value with every number that JavaScript would round, or cannot read at all, as a text."""
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return value
