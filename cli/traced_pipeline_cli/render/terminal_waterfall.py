"""One trace as a waterfall in a terminal, with the time messages waited."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ..text import duration, fitted
from ..traces.model import Trace
from ..traces.resource_types import kind_of
from ..traces.waterfall import Row, waterfall_rows
from .terminal_graph import KIND_STYLES, STATE_STYLES

_MAX_DEPTH = 16


def waterfall_text(trace: Trace, *, width: int = 80, ascii_only: bool = False, max_rows: int = 200) -> Text:
    """Draws a trace as a waterfall.

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
    state_style = STATE_STYLES[row.state] if row.state else ""
    return Text.assemble(
        (set_cell_size(label, label_width), f"{label_style} {state_style}".strip()),
        (f"{took:>10}  ", "dim"),
        " " * first,
        (mark * length, style),
        " " * max(0, bar_width - first - length - (cell_len(mark) - 1)),
    )


def _mark(row: Row, *, ascii_only: bool) -> tuple[str, str]:
    if row.waiting:
        return ("." if ascii_only else "░"), "bright_red"
    style = STATE_STYLES[row.state] if row.state else KIND_STYLES[kind_of(row.origin or "")]
    if row.inferred:
        return ("~" if ascii_only else "▒"), style
    if row.origin is None:
        return ("-" if ascii_only else "▬"), STATE_STYLES[row.state] if row.state else "dim"
    return ("#" if ascii_only else "█"), style
