"""One trace as a waterfall in a terminal, with the time messages waited."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from .documents import Segment, Span, Trace
from .draw_text import KIND_STYLES
from .naming import resource_name
from .resource_types import KIND_LABELS, LAMBDA_FUNCTION, LAMBDA_SERVICE, MESSAGING, kind_of
from .wording import duration, fitted, short_name

_MAX_DEPTH = 16


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
    seen: set[str] = set()
    todo: list[tuple[int, Span | Row]] = [(0, root) for root in reversed(roots)]
    # Segments in a circle have no root: they are shown after the rest.
    todo[:0] = [(0, segment) for segment in reversed(trace.segments)]
    while todo:
        depth, item = todo.pop()
        if isinstance(item, Row):
            rows.append(item)
        elif item.id not in seen:
            seen.add(item.id)
            rows.append(_row(item, depth))
            inner: list[Span] = [*item.subsegments, *answers[item.id]]
            following = _with_waits(item, sorted(inner, key=lambda span: span.start), depth + 1)
            todo.extend(reversed(following))
    return rows


def _row(span: Span, depth: int) -> Row:
    origin = (span.origin or "") if isinstance(span, Segment) else None
    kind = ""
    if isinstance(span, Segment):
        words = {LAMBDA_SERVICE: "Lambda", LAMBDA_FUNCTION: "Function"}
        kind = words.get(origin or "", KIND_LABELS[kind_of(origin or "")])
    return Row(
        depth=depth,
        kind=kind,
        name=short_name(resource_name(span) if isinstance(span, Segment) else span.name),
        start=span.start,
        end=span.end,
        origin=origin,
        failed=span.fault or span.error or span.throttle,
        waiting=False,
        inferred=isinstance(span, Segment) and span.inferred,
    )


def _with_waits(parent: Span, inner: list[Span], depth: int) -> list[tuple[int, Span | Row]]:
    broker = next((s for s in inner if isinstance(s, Segment) and s.inferred and _hands_on(s)), None)
    result: list[tuple[int, Span | Row]] = []
    for span in inner:
        if broker is not None and isinstance(span, Segment) and not span.inferred:
            sent = parent.start if parent.end is None else parent.end
            kind = KIND_LABELS[kind_of(broker.origin or "")].lower()
            waited = Row(
                depth=depth,
                kind="",
                name=f"waiting in the {kind}",
                start=sent,
                end=max(sent, span.start),
                origin=None,
                failed=False,
                waiting=True,
                inferred=False,
            )
            result.append((depth, waited))
        result.append((depth, span))
    return result


def _hands_on(segment: Segment) -> bool:
    return kind_of(segment.origin or "") in MESSAGING


def waterfall_text(trace: Trace, *, width: int = 80, ascii_only: bool = False, max_rows: int = 200) -> Text:
    """Draw a trace as a waterfall.

    Args:
        trace: The trace.
        width: Columns to keep within; at least 60 are used.
        ascii_only: Draw with ASCII characters alone.
        max_rows: How many rows are shown; how many more there are is said.

    Returns:
        Styled text; its `plain` holds the drawing without colours.
    """
    width = max(60, width)
    rows = waterfall_rows(trace)
    total = max(trace.end - trace.start, 1e-9)
    label_width = min(44, width // 2)
    bar_width = width - label_width - 12
    scale = duration(trace.end - trace.start)
    lines = [Text.assemble((f"{'':{label_width}}{'':12}", ""), ("0", "dim"), (f"{scale:>{bar_width - 1}}", "dim"))]
    lines += [_line(row, trace.start, total, label_width, bar_width, ascii_only=ascii_only) for row in rows[:max_rows]]
    if len(rows) > max_rows:
        lines.append(Text(f"… and {len(rows) - max_rows:,} rows more", style="dim"))
    text = Text("\n").join(lines)
    return Text(text.plain.replace("…", "~").encode("ascii", "replace").decode()) if ascii_only else text


def _line(row: Row, begin: float, total: float, label_width: int, bar_width: int, *, ascii_only: bool) -> Text:
    depth = min(row.depth, _MAX_DEPTH)
    kind = f"{row.kind} " if row.kind else ""
    label = " " * depth + kind + fitted(row.name, label_width - depth - len(kind) - 1)
    took = "running" if row.end is None else duration(row.end - row.start)
    first = min(bar_width - 1, max(0, int((row.start - begin) / total * bar_width)))
    last_moment = begin + total if row.end is None else row.end
    length = max(1, min(bar_width - first, round((last_moment - row.start) / total * bar_width)))
    mark, style = _mark(row, ascii_only=ascii_only)
    label_style = "italic" if row.waiting else "bold" if row.origin is not None else ""
    return Text.assemble(
        (set_cell_size(label, label_width), f"{label_style} red".strip() if row.failed else label_style),
        (f"{took:>10}  ", "dim"),
        " " * first,
        (mark * length, style),
        " " * max(0, bar_width - first - length - (cell_len(mark) - 1)),
    )


def _mark(row: Row, *, ascii_only: bool) -> tuple[str, str]:
    if row.waiting:
        return ("." if ascii_only else "░"), "bright_red"
    style = "red" if row.failed else KIND_STYLES[kind_of(row.origin or "")]
    if row.inferred:
        return ("~" if ascii_only else "▒"), style
    if row.origin is None:
        return ("-" if ascii_only else "▬"), "red" if row.failed else "dim"
    return ("#" if ascii_only else "█"), style
