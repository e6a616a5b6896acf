"""One trace as rows: its spans in order, with the time messages waited."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..text import short_name
from .failure_states import State, state_of
from .model import Segment, Span, Trace
from .resource_names import resource_name
from .resource_types import KIND_LABELS, LAMBDA_FUNCTION, LAMBDA_SERVICE, kind_of
from .waits import Wait, consumer_waits, topic_wait


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
        state: How it failed; None where it did not.
        waiting: Whether it is the time a message waited.
        inferred: Whether X-Ray inferred it.
        span: The span that is shown; None for waiting times.
        segment: The segment the span belongs to; for waiting times that of the queue or topic.
        note: For waiting times, from when to when; empty for spans.
    """

    depth: int
    kind: str
    name: str
    start: float
    end: float | None
    origin: str | None
    state: State | None
    waiting: bool
    inferred: bool
    span: Span | None
    segment: Segment
    note: str = ""


_Item: TypeAlias = tuple[int, Segment, Span | Row]


def waterfall_rows(trace: Trace) -> list[Row]:
    """Returns a trace's spans as rows, callers before the called and these by time.

    Before each attempt at a message, and before SNS's delivery of one, stands a row for the time it waited.
    """
    own = {span.id for _, span in trace.spans()}
    waits = consumer_waits(trace)
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
            following = _with_waits(sorted(inner, key=lambda span: span.start), segment, waits, depth + 1)
            todo.extend(reversed(following))
    return rows


def _row(span: Span, segment: Segment, depth: int) -> Row:
    origin = (segment.origin or "") if span is segment else None
    words = {LAMBDA_SERVICE: "Lambda", LAMBDA_FUNCTION: "Function"}
    return Row(
        depth=depth,
        kind="" if origin is None else words.get(origin, KIND_LABELS[kind_of(origin)]),
        name=short_name(resource_name(span) if isinstance(span, Segment) else span.name),
        start=span.start,
        end=span.end,
        origin=origin,
        state=state_of(span),
        waiting=False,
        inferred=span is segment and segment.inferred,
        span=span,
        segment=segment,
    )


def _with_waits(inner: list[Span], owner: Segment, waits: Mapping[str, Wait], depth: int) -> list[_Item]:
    result: list[_Item] = []
    for span in inner:
        segment = span if isinstance(span, Segment) else owner
        wait = waits.get(span.id) if isinstance(span, Segment) else topic_wait(owner, span)
        if wait is not None:
            result.append((depth, segment, _wait(wait, depth)))
        result.append((depth, segment, span))
    return result


def _wait(wait: Wait, depth: int) -> Row:
    place = KIND_LABELS[kind_of(wait.broker.resource_type)].lower()
    if not wait.broker.inferred:
        note = "From the topic's answer to the publisher to the call that delivers the message."
    elif wait.attempt == 1:
        note = "From the end of the call that sent the message to the start of its processing."
    else:
        note = (
            "From the end of the attempt before to the start of this one, the rest of its visibility timeout included."
        )
    return Row(
        depth=depth,
        kind="",
        name=f"waiting in the {place}" if wait.attempt == 1 else f"waiting for attempt {wait.attempt}",
        start=wait.start,
        end=wait.end,
        origin=None,
        state=None,
        waiting=True,
        inferred=False,
        span=None,
        segment=wait.broker,
        note=note,
    )
