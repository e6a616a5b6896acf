"""The trace map as a picture: one SVG file that needs nothing else, for light and dark."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace

from ...text import clipped, counted, duration, short_name
from ...traces.failure_states import State
from ...traces.graph_model import Cluster, Edge, MapLink, Node, TraceMap
from ...traces.resource_types import KIND_LABELS
from ..labels import node_labels
from ..layout import layers
from ..node_failures import failures
from .shapes import GLYPHS, marker, number, safe, style_sheet, text

_RADIUS = 31
_COLUMN = 166
_ROW = 178
_PAD = 18
_FRAME_TOP = 44
_LINK_ROOM = 20
_GAP = 34
_MARGIN = 22
_HEADER = 62
_ROW_WIDTH = 1140
_NAME_CHARACTERS = 17
_LINK_TEXT = "small link-text halo middle"


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """A cluster's place."""

    number: int
    cluster: Cluster
    x: float
    y: float
    width: float
    height: float


def map_svg(trace_map: TraceMap, *, title: str = "Trace map") -> str:
    """Draws the map.

    Nodes are circles with a glyph, dashed where X-Ray inferred them; clusters are framed; Lambda's links
    between traces are dashed. The same map makes the same text.

    Args:
        trace_map: The map.
        title: The heading.

    Returns:
        The SVG document.
    """
    return _Picture(trace_map, title).svg()


class _Picture:
    def __init__(self, trace_map: TraceMap, title: str) -> None:
        self._map = trace_map
        self._title = title
        self._places: dict[str, tuple[float, float]] = {}
        self._labels = {node: _wrapped(label) for node, label in node_labels(trace_map).items()}
        self._top = _FRAME_TOP + (_LINK_ROOM if trace_map.links else 0)
        self._frames = self._place()
        right = max((frame.x + frame.width for frame in self._frames), default=420)
        self._width = max(right, 560) + _MARGIN
        self._height = max((frame.y + frame.height for frame in self._frames), default=_HEADER)
        self._height += 30 + 15 * len(self._notes())

    def _place(self) -> list[_Frame]:
        """Puts clusters side by side as long as they fit, then below."""
        frames: list[_Frame] = []
        x, y, tallest = float(_MARGIN), float(_HEADER), 0.0
        for index, cluster in enumerate(self._map.clusters):
            inside = set(cluster.nodes)
            edges = [(edge.source, edge.target) for edge in self._map.edges if edge.source in inside]
            columns = layers(cluster.nodes, edges)
            rows = max(len(column) for column in columns)
            width, height = len(columns) * _COLUMN + 2 * _PAD, self._height_of(cluster, rows)
            if frames and x + width > _ROW_WIDTH:
                x, y, tallest = float(_MARGIN), y + tallest + _GAP, 0.0
            for column, ids in enumerate(columns):
                above = (rows - len(ids)) * _ROW / 2
                for row, node_id in enumerate(ids):
                    centre = x + _PAD + (column + 0.5) * _COLUMN
                    self._places[node_id] = (centre, y + self._top + above + row * _ROW + _RADIUS)
            frames.append(_Frame(number=index + 1, cluster=cluster, x=x, y=y, width=width, height=height))
            x, tallest = x + width + _GAP, max(tallest, height)
        tallest_of = {y: max(f.height for f in frames if f.y == y) for y in {frame.y for frame in frames}}
        return [replace(frame, height=tallest_of[frame.y]) for frame in frames]

    def _height_of(self, cluster: Cluster, rows: int) -> float:
        """Returns a cluster's height: its rows, the last one only as high as its texts."""
        lines = max(len(self._labels[node]) + len(failures(self._map.by_id[node])) for node in cluster.nodes)
        return self._top + (rows - 1) * _ROW + 2 * _RADIUS + 70 + 16 * (lines - 1)

    def svg(self) -> str:
        width, height = number(self._width), number(self._height)
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        ground = f'width="{number(self._width - 1)}" height="{number(self._height - 1)}"'
        namespace = "http://www.w3.org/2000/svg"
        parts = [
            f'<svg xmlns="{namespace}" {size} role="img" aria-labelledby="map-title map-desc">',
            f'<title id="map-title">{safe(self._title)}: {safe(self._summary())}</title>',
            f'<desc id="map-desc">{safe(self._description())}</desc>',
            f"<style>{style_sheet()}</style>",
            f"<defs>{marker('edge')}{marker('link')}</defs>",
            f'<rect class="ground" x="0.5" y="0.5" {ground} rx="12"/>',
            text(_MARGIN, 33, self._title, "title"),
            text(_MARGIN, 51, self._summary(), "muted"),
            *(self._frame(frame) for frame in self._frames),
            *(self._edge(edge) for edge in self._map.edges),
            *(self._node(node) for node in self._map.nodes),
            *(self._link(link) for link in self._map.links),
            self._legend(),
            "</svg>",
        ]
        return "\n".join(part for part in parts if part) + "\n"

    def _summary(self) -> str:
        return self._map.summary().replace(", ", " · ")

    def _description(self) -> str:
        sentences = []
        for frame in self._frames:
            names = ", ".join(self._spoken(node_id) for node_id in frame.cluster.nodes)
            sentences.append(f"Cluster {frame.number} holds {names}.")
        sentences += [f"{self._spoken(edge.source)} calls {self._spoken(edge.target)}." for edge in self._map.edges]
        sentences += [
            f"{short_name(link.source_name)} is linked with {short_name(link.target_name)}, in another trace."
            for link in self._map.links
        ]
        return " ".join(sentences)

    def _spoken(self, node_id: str) -> str:
        node = self._map.by_id[node_id]
        return f"{KIND_LABELS[node.kind].lower()} {short_name(node.name)}"

    def _frame(self, frame: _Frame) -> str:
        label = f"Cluster {frame.number}" if len(self._frames) > 1 else "One cluster"
        box = (
            f'<rect class="frame" x="{number(frame.x)}" y="{number(frame.y)}" '
            f'width="{number(frame.width)}" height="{number(frame.height)}" rx="10"/>'
        )
        traces = counted(len(frame.cluster.trace_ids), "trace")
        return f"{box}{text(frame.x + 14, frame.y + 23, f'{label} · {traces}', 'small strong')}"

    def _node(self, node: Node) -> str:
        x, y = self._places[node.id]
        dashed = " dashed" if node.inferred else ""
        heading = f"{KIND_LABELS[node.kind]} {short_name(node.name)} ({node.type})"
        failed = failures(node)
        about = [heading, counted(node.requests, "request"), f"median {duration(node.median_seconds)}"]
        about += ["inferred by X-Ray"] if node.inferred else []
        about += [words for _, words in failed]
        glyph_place = f"translate({number(x - 18)} {number(y - 18)}) scale(1.5)"
        parts = [
            f"<g><title>{safe(', '.join(about))}</title>",
            f'<circle class="ring {node.kind}{dashed}" cx="{number(x)}" cy="{number(y)}" r="{_RADIUS}"/>',
            f'<g class="glyph {node.kind}" transform="{glyph_place}">{GLYPHS[node.kind]}</g>',
        ]
        line = y + _RADIUS + 21
        for name in self._labels[node.id]:
            parts.append(text(x, line, name, "name middle halo"))
            line += 16
        parts.append(text(x, line, clipped(node.type, 25), "small muted middle halo"))
        facts = f"{counted(node.requests, 'request')} · {duration(node.median_seconds)}"
        parts.append(text(x, line + 17, facts, "middle halo"))
        for row, (state, words) in enumerate(failed):
            parts.append(text(x, line + 33 + 16 * row, words, f"strong {state} middle halo"))
        if failed:
            parts.append(self._badge(x + 24, y - 24, failed[0][0], sum(node.failed.values())))
        return "".join([*parts, "</g>"])

    def _badge(self, x: float, y: float, state: State, failed: int) -> str:
        """How many requests failed, in the colour of the worst."""
        shown = str(failed) if failed < 100 else "99+"
        place = f'<circle class="{state}" cx="{number(x)}" cy="{number(y)}" r="11"/>'
        return place + text(x, y + 4, shown, "small strong badge-text middle")

    def _edge(self, edge: Edge) -> str:
        (x1, y1), (x2, y2) = self._places[edge.source], self._places[edge.target]
        wait = edge.median_wait
        label = "" if wait is None else f"waits {duration(wait)}"
        spoken = ", ".join(filter(None, (counted(edge.requests, "request"), label)))
        title = f"<title>{safe(spoken)}</title>"
        if x2 <= x1:
            path = self._below(x1, y1, x2, y2)
            middle = ((x1 + x2) / 2, max(y1, y2) + 118)
        else:
            start, end = x1 + _RADIUS + 4, x2 - _RADIUS - 4
            bend = (end - start) / 2
            lift = -84.0 if y1 == y2 and x2 - x1 > 1.5 * _COLUMN else 0.0
            path = (
                f"M{number(start)} {number(y1)}C{number(start + bend)} {number(y1 + lift)} "
                f"{number(end - bend)} {number(y2 + lift)} {number(end)} {number(y2)}"
            )
            middle = ((start + end) / 2, (y1 + y2) / 2 + lift * 0.75 - 8)
        drawn = f'<g>{title}<path class="edge" marker-end="url(#edge-head)" d="{path}"/>'
        return f"{drawn}{text(*middle, label, 'small strong wait halo middle') if label else ''}</g>"

    def _below(self, x1: float, y1: float, x2: float, y2: float) -> str:
        """Returns the way back of a circle, or of a node that calls itself: under the nodes' texts."""
        low = max(y1, y2) + 128
        aside = 60 if x1 == x2 else 20
        return (
            f"M{number(x1 + 24)} {number(y1 + 26)}C{number(x1 + aside)} {number(low)} "
            f"{number(x2 - aside)} {number(low)} {number(x2 - 24)} {number(y2 + 26)}"
        )

    def _link(self, link: MapLink) -> str:
        if link.source is None or link.target is None or link.source == link.target:
            return ""
        (x1, y1), (x2, y2) = self._places[link.source], self._places[link.target]
        if y1 == y2:
            bend, lift = (x2 - x1) * 0.2, -44.0
            top1, top2 = y1 - _RADIUS - 3, y2 - _RADIUS - 5
            # Under the line, since over it stand the frames' titles.
            middle = ((x1 + x2) / 2, top1 - 8)
        else:
            # From under the upper node's texts, so that the line crosses none of them.
            bend, lift = 0.0, 44.0
            top1, top2 = y1 + _RADIUS + 66, y2 - _RADIUS - 5
            middle = (x1 + (x2 - x1) * 0.3, top1 + 26)
        path = (
            f"M{number(x1)} {number(top1)}C{number(x1 + bend)} {number(top1 + lift)} "
            f"{number(x2 - bend)} {number(top2 - abs(lift))} {number(x2)} {number(top2)}"
        )
        label = text(*middle, f"link · {counted(len(link.trace_ids), 'pair')} of traces", _LINK_TEXT)
        return f'<path class="link" marker-end="url(#link-head)" d="{path}"/>{label}'

    def _notes(self) -> list[str]:
        """Returns the legend's lines."""
        notes = ["median time per request"]
        if any(node.inferred for node in self._map.nodes):
            notes.append("dashed circle: inferred by X-Ray from its caller")
        if self._map.links:
            notes.append("dotted line: Lambda’s link between two traces")
        if any(node.failed for node in self._map.nodes):
            notes.append("fault: 5xx or an exception; error: 4xx; throttle: 429")
        if len(self._frames) > 1:
            notes.append("no parent id connects the clusters")
        return textwrap.wrap(" · ".join(notes), width=int((self._width - 2 * _MARGIN) / 6.4))

    def _legend(self) -> str:
        notes = self._notes()
        first = self._height - 4 - 15 * len(notes)
        return "".join(text(_MARGIN, first + 15 * row, line, "small muted") for row, line in enumerate(notes))


def _wrapped(name: str) -> list[str]:
    """One line where the name fits, otherwise two, parted between words where there are words."""
    if len(name) <= _NAME_CHARACTERS:
        return [name]
    breaks = [m.start() for m in re.finditer(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[-_/. ])", name)]
    fitting = [place for place in breaks if 0 < place <= _NAME_CHARACTERS]
    place = fitting[-1] if fitting else _NAME_CHARACTERS
    return [name[:place], clipped(name[place:], _NAME_CHARACTERS)]
