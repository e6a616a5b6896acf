"""One trace as rows: its spans in order, with the time messages waited."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TypeAlias

from .documents import Segment, Span, Trace
from .resource_types import KIND_LABELS, LAMBDA_FUNCTION, LAMBDA_SERVICE, MESSAGING, kind_of
from .wording import short_name


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a waterfall.

    Attributes:
        depth: How far it is nested.
        kind: What it is, in a word; empty for subsegments and waiting times.
        name: Its name.
        start: Its start, in seconds since the epoch.
        end: Its end; None while in progress.
        origin: The segment's type for a segment's row, otherwise None.
        failed: Whether it is marked as fault, error or throttled.
        waiting: Whether it is the time a message waited.
        inferred: Whether X-Ray inferred it.
        span: The span that is shown; None for waiting times.
        segment: The segment the span belongs to; for waiting times that of the queue or topic.
    """

    depth: int
    kind: str
    name: str
    start: float
    end: float | None
    origin: str | None
    failed: bool
    waiting: bool
    inferred: bool
    span: Span | None
    segment: Segment


_Item: TypeAlias = tuple[int, Segment, Span | Row]


def waterfall_rows(trace: Trace) -> list[Row]:
    """A trace's spans as rows, callers before the called and these by time.

    Between a message's delivery and its processing stands a row for the time it waited.
    """
    own = {span.id for _, span in trace.spans()}
    answers: dict[str, list[Segment]] = defaultdict(list)
    roots = []
    for segment in trace.segments:
        if segment.parent_id in own and segment.parent_id != segment.id:
            answers[segment.parent_id or ""].append(segment)
        else:
            roots.append(segment)
    rows: list[Row] = []
    seen: set[int] = set()
    todo: list[_Item] = [(0, root, root) for root in reversed(roots)]
    # Segments in a circle have no root: they are shown after the rest.
    todo[:0] = [(0, segment, segment) for segment in reversed(trace.segments)]
    while todo:
        depth, segment, item = todo.pop()
        if isinstance(item, Row):
            rows.append(item)
        elif id(item) not in seen:
            seen.add(id(item))
            rows.append(_row(item, segment, depth))
            inner: list[Span] = [*item.subsegments, *answers.pop(item.id, [])]
            following = _with_waits(item, segment, sorted(inner, key=lambda span: span.start), depth + 1)
            todo.extend(reversed(following))
    return rows


def _row(span: Span, segment: Segment, depth: int) -> Row:
    origin = (segment.origin or "") if span is segment else None
    words = {LAMBDA_SERVICE: "Lambda", LAMBDA_FUNCTION: "Function"}
    return Row(
        depth=depth,
        kind="" if origin is None else words.get(origin, KIND_LABELS[kind_of(origin)]),
        name=short_name(span.name),
        start=span.start,
        end=span.end,
        origin=origin,
        failed=span.fault or span.error or span.throttle,
        waiting=False,
        inferred=span is segment and segment.inferred,
        span=span,
        segment=segment,
    )


def _with_waits(parent: Span, owner: Segment, inner: list[Span], depth: int) -> list[_Item]:
    broker = next((s for s in inner if isinstance(s, Segment) and s.inferred and _hands_on(s)), None)
    result: list[_Item] = []
    for span in inner:
        segment = span if isinstance(span, Segment) else owner
        if broker is not None and isinstance(span, Segment) and not span.inferred:
            result.append((depth, segment, _wait(parent, broker, span, depth)))
        result.append((depth, segment, span))
    return result


def _wait(parent: Span, broker: Segment, taker: Segment, depth: int) -> Row:
    sent = parent.start if parent.end is None else parent.end
    return Row(
        depth=depth,
        kind="",
        name=f"waiting in the {KIND_LABELS[kind_of(broker.origin or '')].lower()}",
        start=sent,
        end=max(sent, taker.start),
        origin=None,
        failed=False,
        waiting=True,
        inferred=False,
        span=None,
        segment=broker,
    )


def _hands_on(segment: Segment) -> bool:
    return kind_of(segment.origin or "") in MESSAGING
