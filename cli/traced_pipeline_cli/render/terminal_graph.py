"""The trace map in a terminal: boxes and arrows from the top down."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from ..text import counted, duration, fitted
from ..traces.failure_states import State
from ..traces.graph_model import Cluster, Edge, TraceMap
from ..traces.resource_types import KIND_LABELS, NodeKind
from .layout import layers
from .node_failures import failures

KIND_STYLES: dict[NodeKind, str] = {
    "stage": "magenta",
    "function": "yellow",
    "topic": "red",
    "queue": "bright_red",
    "table": "blue",
    "bucket": "green",
    "events": "red",
    "workflow": "magenta",
    "graphql": "magenta",
    "stream": "bright_red",
    "secret": "green",
    "environment": "yellow",
    "container": "yellow",
    "instance": "yellow",
    "service": "cyan",
}
# The colours of X-Ray's console: faults red, errors amber, throttles violet.
STATE_STYLES: dict[State, str] = {"fault": "red", "throttle": "magenta", "error": "yellow"}
_MAX_BOX = 76
_MIN_BOX = 24
_TO_ASCII = str.maketrans({"·": "-", "–": "-", "…": "~"})


@dataclass(frozen=True, kw_only=True)
class _Strokes:
    corners: tuple[str, str, str, str]
    solid: tuple[str, str]
    dashed: tuple[str, str]
    tee: str
    down: str
    branch: str
    last: str
    pipe: str
    right: str
    link: str


_UNICODE = _Strokes(
    corners=("╭", "╮", "╰", "╯"),
    solid=("─", "│"),
    dashed=("╌", "╎"),
    tee="┬",
    down="▼",
    branch="├",
    last="╰",
    pipe="│",
    right="▶",
    link="╌╌▷",
)
_ASCII = _Strokes(
    corners=("+", "+", "+", "+"),
    solid=("-", "|"),
    dashed=(".", ":"),
    tee="+",
    down="v",
    branch="+",
    last="+",
    pipe="|",
    right=">",
    link="..>",
)


def map_text(trace_map: TraceMap, *, width: int = 80, ascii_only: bool = False) -> Text:
    """Draws the map as lines for a terminal.

    A chain runs straight down; where a node calls several, each gets an arm of its own. A node drawn before
    is named again, not drawn twice. Inferred nodes have dashed borders, and so have Lambda's links.

    Args:
        trace_map: The map.
        width: Columns to keep within; below 40, lines are drawn for 40.
        ascii_only: Draw with ASCII characters alone, for terminals without Unicode.

    Returns:
        Styled text; its `plain` holds the drawing without colours.
    """
    return _Drawing(trace_map, max(40, width), _ASCII if ascii_only else _UNICODE).text()


@dataclass(frozen=True, kw_only=True)
class _Arm:
    """A node to draw, with what stands before its first line and before the rest."""

    node: str
    edge: Edge | None
    first: str
    rest: str
    straight: bool


class _Drawing:
    def __init__(self, trace_map: TraceMap, width: int, strokes: _Strokes) -> None:
        self._map = trace_map
        self._width = width
        self._strokes = strokes
        self._lines: list[Text] = []
        self._drawn: set[str] = set()
        self._callees: dict[str, list[Edge]] = defaultdict(list)
        for edge in trace_map.edges:
            self._callees[edge.source].append(edge)

    def text(self) -> Text:
        several = len(self._map.clusters) > 1
        for number, cluster in enumerate(self._map.clusters, start=1):
            if several:
                title = f"Cluster {number} of {len(self._map.clusters)}"
                self._line("", (f"{title} · {counted(len(cluster.trace_ids), 'trace')}", "bold"))
            for node_id in self._entries(cluster):
                self._tree(node_id)
            if several and number < len(self._map.clusters):
                self._line("")
                self._line("", ("no parent id connects these", "bold red"))
                self._line("")
        for link in self._map.links:
            room = self._width - cell_len(f"linked {self._strokes.link}  ({len(link.trace_ids)} pairs)") - 2
            self._line(
                "linked ",
                (fitted(link.source_name, room // 2), "cyan"),
                (f" {self._strokes.link} ", "dim"),
                (fitted(link.target_name, room // 2), "cyan"),
                (f" ({counted(len(link.trace_ids), 'pair')})", "dim"),
            )
        return Text("\n").join(self._lines)

    def _entries(self, cluster: Cluster) -> list[str]:
        """Returns the nodes to begin with: those nobody calls, then whatever a circle keeps from being reached."""
        inner = [(e.source, e.target) for e in self._map.edges if e.source in cluster.nodes]
        ordered = [node for layer in layers(cluster.nodes, inner) for node in layer]
        called = {target for source, target in inner if source != target}
        return [node for node in ordered if node not in called] + ordered

    def _tree(self, start: str) -> None:
        """Draws a node and what it leads to; a stack instead of recursion, since chains may be long."""
        if start in self._drawn:
            return
        todo = [_Arm(node=start, edge=None, first="", rest="", straight=False)]
        while todo:
            arm = todo.pop()
            self._arrow(arm)
            if arm.node in self._drawn:
                self._again(arm)
                continue
            self._drawn.add(arm.node)
            callees = [edge for edge in self._callees[arm.node] if edge.target != arm.node]
            self._box(arm, has_callees=bool(callees))
            todo.extend(reversed(self._arms(callees, arm.rest)))

    def _arms(self, callees: list[Edge], indent: str) -> list[_Arm]:
        if len(callees) == 1:
            return [_Arm(node=callees[0].target, edge=callees[0], first=indent, rest=indent, straight=True)]
        strokes, result = self._strokes, []
        for edge in callees:
            is_last = edge is callees[-1]
            corner = strokes.last if is_last else strokes.branch
            result.append(
                _Arm(
                    node=edge.target,
                    edge=edge,
                    first=f"{indent}  {corner}{strokes.solid[0]}{strokes.right}",
                    rest=f"{indent}     " if is_last else f"{indent}  {strokes.pipe}  ",
                    straight=False,
                )
            )
        return result

    def _arrow(self, arm: _Arm) -> None:
        if arm.edge is None:
            return
        wait = "" if arm.edge.median_wait is None else f" waited {duration(arm.edge.median_wait)}"
        stroke = self._strokes.down if arm.straight else self._strokes.pipe
        before = arm.rest if arm.straight else arm.first[:-3]
        self._line(f"{before}  {stroke}" if arm.straight else f"{before}{stroke}", (wait, "italic"))

    def _again(self, arm: _Arm) -> None:
        node = self._map.by_id[arm.node]
        label, note = f" {KIND_LABELS[node.kind]} ", " (drawn above)"
        room = self._width - cell_len(arm.first + label + note)
        self._line(arm.first, (label, "dim"), fitted(node.name, room), (note, "dim"))

    def _box(self, arm: _Arm, *, has_callees: bool) -> None:
        node, strokes = self._map.by_id[arm.node], self._strokes
        style = KIND_STYLES[node.kind]
        along, side = strokes.dashed if node.inferred else strokes.solid
        width = max(_MIN_BOX, min(_MAX_BOX, self._width - cell_len(arm.rest)))
        label = KIND_LABELS[node.kind]
        name = fitted(node.name, width - cell_len(label) - 8)
        upper_left, upper_right, lower_left, lower_right = strokes.corners
        fill = along * (width - cell_len(label) - cell_len(name) - 7)
        self._line(
            arm.first,
            (f"{upper_left}{along} ", style),
            (label, f"bold {style}"),
            "  ",
            (name, "bold"),
            (f" {fill}{upper_right}", style),
        )
        facts = f"{counted(node.requests, 'request')} · median {duration(node.median_seconds)}"
        facts += " · inferred" if node.inferred else ""
        self._line(arm.rest, (f"{side} ", style), set_cell_size(facts, width - 4), (f" {side}", style))
        if failed := failures(node):
            states = Text(" · ").join(Text(words, style=f"bold {STATE_STYLES[state]}") for state, words in failed)
            states.set_length(width - 4)
            self._line(arm.rest, (f"{side} ", style), states, (f" {side}", style))
        tee = strokes.tee if has_callees else along
        self._line(arm.rest, (f"{lower_left}{along}{tee}{along * (width - 4)}{lower_right}", style))

    def _line(self, lead: str, *parts: str | Text | tuple[str, str]) -> None:
        line = Text.assemble((lead, "dim"), *parts)
        if self._strokes is _ASCII:
            line = Text(line.plain.translate(_TO_ASCII).encode("ascii", "replace").decode())
        line.truncate(self._width)
        self._lines.append(line)
