"""Draws a dashboard of CloudWatch from a synthesized template, as an SVG: docs/images/dashboard.svg.

Titles, texts and legends are those of the template, in CloudWatch's grid of 24 columns. What a graph would show is not
invented: its place is left empty. Run it by `scripts/run python -m scripts.draw_dashboard`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from traced_pipeline import PipelineMonitoring, TracedPipeline, TraceGroupOptions, WorkerOptions

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "dashboard.svg"

_COLUMN, _ROW = 45, 27  # pixels of a unit of the grid, across and down
_GAP, _INSET = 6, 8
_LINE = 14
_CHARACTER = 6.6  # as wide as one is at most, on average, in the texts' size
_COLOURS = ("first", "second", "third")
_STYLE = """\
text{font:11px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-weight:600}.heading{font-size:15px;font-weight:600}.empty{fill:none;stroke:#d1d9e0;stroke-dasharray:4 4}
.note{fill:#59636e;text-anchor:middle}.ground{fill:#f6f8fa}.widget{fill:#fff;stroke:#d1d9e0}
.first{fill:#0b62d6}.second{fill:#c2560c}.third{fill:#a626a4}
@media (prefers-color-scheme:dark){text{fill:#f0f6fc}.note{fill:#9198a1}.ground{fill:#0d1117}
.widget{fill:#151b23;stroke:#3d444d}.empty{stroke:#3d444d}.first{fill:#79b8ff}.second{fill:#ffa657}
.third{fill:#e598e0}}"""


@dataclass(frozen=True, kw_only=True)
class Widget:
    """A widget of a dashboard, with its place and size in units of the grid.

    Attributes:
        title: Title of a graph; empty for a text.
        lines: Labels of a graph's metrics, or lines of a text in Markdown.
    """

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: Sequence[str]


def watched(stack: Stack) -> TracedPipeline:
    """Makes the pipeline of the picture: a trace group, metrics of messages, a dead-letter worker and a further one."""
    worker = WorkerOptions(message_log=True, message_metrics=True)
    orders = TracedPipeline(stack, "Orders", worker=worker, trace_group=TraceGroupOptions())
    orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
    orders.add_worker("Audit")
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    return orders


def widgets_of(template: Mapping[str, object]) -> list[Widget]:
    """Returns the widgets of a template's one dashboard, with `?` for what is known at deployment."""
    resources = json.loads(json.dumps(template["Resources"]))
    (dashboard,) = (r["Properties"] for r in resources.values() if r["Type"] == "AWS::CloudWatch::Dashboard")
    parts = dashboard["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "?" for part in parts))
    return [_widget(found) for found in body["widgets"]]


def draw(widgets: Sequence[Widget]) -> str:
    """Returns the picture of a dashboard."""
    width = max(widget.x + widget.width for widget in widgets) * _COLUMN + _GAP
    height = max(widget.y + widget.height for widget in widgets) * _ROW + _GAP
    parts = "\n".join(part for widget in widgets for part in _drawn(widget))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" aria-labelledby="title">\n<title id="title">The dashboard: {escape(_titles(widgets))}</title>\n'
        f'<style>{_STYLE}</style>\n<rect class="ground" width="{width}" height="{height}"/>\n{parts}\n</svg>\n'
    )


def _widget(found: dict[str, Any]) -> Widget:
    place = {name: found[name] for name in ("x", "y", "width", "height")}
    properties = found["properties"]
    if found["type"] == "text":
        return Widget(**place, title="", lines=properties["markdown"].split("\n"))
    return Widget(**place, title=properties["title"], lines=_labels(properties["metrics"]))


def _labels(metrics: Sequence[Sequence[Any]]) -> list[str]:
    return [metric[-1]["label"] for metric in metrics if metric[-1].get("visible", True)]


def _titles(widgets: Sequence[Widget]) -> str:
    return ", ".join(widget.title for widget in widgets if widget.title)


def _drawn(widget: Widget) -> Iterator[str]:
    left, top = widget.x * _COLUMN + _GAP, widget.y * _ROW + _GAP
    width, height = widget.width * _COLUMN - _GAP, widget.height * _ROW - _GAP
    yield f'<rect class="widget" x="{left}" y="{top}" width="{width}" height="{height}" rx="5"/>'
    inside, inner = left + _INSET, width - 2 * _INSET
    if widget.title:
        yield _text("title", inside, top + 18, widget.title)
        plot = height - 34 - _LINE * len(widget.lines)
        yield f'<rect class="empty" x="{inside}" y="{top + 27}" width="{inner}" height="{plot}" rx="3"/>'
        yield _text("note", inside + inner // 2, top + 31 + plot // 2, "graph")
        for number, label in enumerate(widget.lines):
            line = top + 27 + plot + _LINE * (number + 1)
            yield f'<rect class="{_COLOURS[number]}" x="{inside}" y="{line - 8}" width="8" height="8" rx="2"/>'
            yield _text("label", inside + 13, line, label)
        return
    line = top + 6
    for paragraph in widget.lines:
        heading = paragraph.startswith("## ")
        line += 6 if heading else 0
        for part in textwrap.wrap(paragraph.removeprefix("## "), int(inner / _CHARACTER)):
            line += _LINE + 2
            yield _text("heading" if heading else "text", inside, line, part)
        line += 4 if heading else 0


def _text(kind: str, x: int, y: int, text: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def picture() -> str:
    """Returns the picture of the dashboard that `watched` makes."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(App(outdir=folder), "Shop")
        watched(stack)
        return draw(widgets_of(Template.from_stack(stack).to_json()))


def main() -> int:
    """Writes the picture."""
    PICTURE.write_text(picture(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
