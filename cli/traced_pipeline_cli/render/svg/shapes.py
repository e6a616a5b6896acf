"""What the picture is made of: glyphs, colours, and text that is safe in XML."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from ...text import printable
from ...traces.resource_types import NodeKind

# Drawn in a box of 24 by 24 with strokes alone.
GLYPHS: dict[NodeKind, str] = {
    "stage": '<path d="M7.5 6.5 2.5 12l5 5.5M16.5 6.5l5 5.5-5 5.5M13.8 4.5l-3.6 15"/>',
    "function": '<path d="M6.5 3.5h3.2L17 20.5h2.5M11.3 8.5 5.5 20.5"/>',
    "topic": (
        '<circle cx="4.5" cy="12" r="2.5"/><circle cx="19.5" cy="4.8" r="2"/>'
        '<circle cx="20" cy="12" r="2"/><circle cx="19.5" cy="19.2" r="2"/>'
        '<path d="M7 12h11M6.7 10.8l11-5.2M6.7 13.2l11 5.2"/>'
    ),
    "queue": (
        '<rect x="2" y="7" width="5" height="10" rx="1.2"/>'
        '<rect x="9.5" y="7" width="5" height="10" rx="1.2"/>'
        '<rect x="17" y="7" width="5" height="10" rx="1.2"/>'
    ),
    "table": (
        '<ellipse cx="12" cy="5.5" rx="8" ry="3"/>'
        '<path d="M4 5.5v13c0 1.7 3.6 3 8 3s8-1.3 8-3v-13M4 12c0 1.7 3.6 3 8 3s8-1.3 8-3"/>'
    ),
    "bucket": '<ellipse cx="12" cy="5.5" rx="8.5" ry="2.5"/><path d="M3.5 5.5 6 20.5h12l2.5-15"/>',
    "events": '<path d="M13.5 2.5 5 13.5h6l-1 8 8.5-11h-6z"/>',
    "workflow": (
        '<rect x="8.5" y="2.5" width="7" height="5" rx="1"/><rect x="2" y="16" width="7" height="5" rx="1"/>'
        '<rect x="15" y="16" width="7" height="5" rx="1"/><path d="M12 7.5v4M5.5 16v-4.5h13V16"/>'
    ),
    "graphql": (
        '<path d="M12 3.5 19.5 8v8L12 20.5 4.5 16V8zM12 3.5 4.5 16h15z"/>'
        '<circle cx="12" cy="3.5" r="1.2"/><circle cx="4.5" cy="16" r="1.2"/><circle cx="19.5" cy="16" r="1.2"/>'
    ),
    "stream": (
        '<path d="M2.5 7c3.2-3 6.3 3 9.5 0s6.3 3 9.5 0M2.5 12c3.2-3 6.3 3 9.5 0s6.3 3 9.5 0"/>'
        '<path d="M2.5 17c3.2-3 6.3 3 9.5 0s6.3 3 9.5 0"/>'
    ),
    "secret": '<rect x="4.5" y="10.5" width="15" height="10" rx="1.5"/><path d="M8 10.5V7a4 4 0 0 1 8 0v3.5M12 14v3"/>',
    "environment": '<path d="M4 20.5V9l8-5.5L20 9v11.5zM9.5 20.5v-6h5v6"/>',
    "instance": '<path d="M4 4h16v6.5H4zM4 13.5h16V20H4zM7 7.2h.01M7 16.8h.01M11 7.2h6M11 16.8h6"/>',
    "container": '<path d="M12 2.5 20.5 7v10L12 21.5 3.5 17V7zM3.5 7l8.5 4.7L20.5 7M12 11.7v9.8"/>',
    "service": '<path d="M12 2.5 20 7v10l-8 4.5L4 17V7z"/><circle cx="12" cy="12" r="3.2"/>',
}

_LIGHT = {"ground": "#ffffff", "frame": "#f6f8fa", "line": "#d1d9e0", "text": "#1f2328", "muted": "#59636e"}
_LIGHT |= {"edge": "#818b98", "bad": "#cf222e", "link": "#0a6f86"}
_LIGHT |= {"fault": "#cf222e", "error": "#9a6700", "throttle": "#8250df"}
_LIGHT |= {"stage": "#7a3fd0", "function": "#c2560c", "topic": "#c2255c", "queue": "#a626a4", "table": "#0b62d6"}
_LIGHT |= {"bucket": "#1a7f37", "events": "#c2255c", "workflow": "#7a3fd0", "container": "#c2560c"}
_LIGHT |= {"instance": "#c2560c", "service": "#59636e", "environment": "#c2560c"}
_LIGHT |= {"graphql": "#7a3fd0", "stream": "#a626a4", "secret": "#1a7f37"}
_DARK = {"ground": "#0d1117", "frame": "#151b23", "line": "#3d444d", "text": "#f0f6fc", "muted": "#9198a1"}
_DARK |= {"edge": "#9198a1", "bad": "#ff7b72", "link": "#56d4dd"}
_DARK |= {"fault": "#ff7b72", "error": "#e3b341", "throttle": "#d2a8ff"}
_DARK |= {"stage": "#c297ff", "function": "#ffa657", "topic": "#ff8fb8", "queue": "#e598e0", "table": "#79b8ff"}
_DARK |= {"bucket": "#56d364", "events": "#ff8fb8", "workflow": "#c297ff", "container": "#ffa657"}
_DARK |= {"instance": "#ffa657", "service": "#9198a1", "environment": "#ffa657"}
_DARK |= {"graphql": "#c297ff", "stream": "#e598e0", "secret": "#56d364"}
_KINDS = tuple(GLYPHS)


def style_sheet() -> str:
    """Returns the picture's styles, for light and, where the reader prefers it, for dark."""
    fixed = (
        "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',Helvetica,Arial,sans-serif;"
        "font-size:12px}"
        ".title{font-size:17px;font-weight:600}.name{font-size:12.5px;font-weight:600}.small{font-size:11px}"
        ".strong{font-weight:600}"
        ".middle{text-anchor:middle}.end{text-anchor:end}"
        ".ring{stroke-width:2.5}.dashed{stroke-dasharray:5 4}"
        ".glyph{fill:none;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}"
        ".edge{fill:none;stroke-width:2}.link{fill:none;stroke-width:1.8;stroke-dasharray:3 4}"
    )
    return f"{fixed}{_colours(_LIGHT)}@media (prefers-color-scheme:dark){{{_colours(_DARK)}}}"


def custom_properties() -> str:
    """Returns the same colours as custom properties of a page (`--ground`, `--stage`, ...), by its colour scheme."""
    pairs = "".join(f"--{name}:light-dark({_LIGHT[name]},{_DARK[name]});" for name in _LIGHT)
    return f":root{{{pairs}}}"


def _colours(palette: dict[str, str]) -> str:
    rules = [
        f".ground{{fill:{palette['ground']};stroke:{palette['line']}}}",
        f".frame{{fill:{palette['frame']};stroke:{palette['line']}}}",
        f"text{{fill:{palette['text']}}}.muted{{fill:{palette['muted']}}}",
        f".badge-text{{fill:{palette['ground']}}}",
        *(f".{state}{{fill:{palette[state]}}}" for state in ("fault", "throttle", "error")),
        f".edge{{stroke:{palette['edge']}}}.edge-head{{fill:{palette['edge']}}}",
        f".link{{stroke:{palette['link']}}}.link-head,.link-text{{fill:{palette['link']}}}",
        f".wait{{fill:{palette['queue']}}}",
        f".halo{{stroke:{palette['frame']};stroke-width:4;stroke-linejoin:round;paint-order:stroke}}",
        f".ring{{fill:{palette['ground']}}}",
    ]
    rules += [f".{kind}{{stroke:{palette[kind]}}}" for kind in _KINDS]
    return "".join(rules)


def text(x: float, y: float, content: str, classes: str = "") -> str:
    """Returns a line of text; what would end an element or move a cursor is made harmless."""
    attribute = f" class={quoteattr(classes)}" if classes else ""
    return f'<text x="{number(x)}" y="{number(y)}"{attribute}>{safe(content)}</text>'


def safe(content: str) -> str:
    """Text for an element's content."""
    return escape(printable(content))


def number(value: float) -> str:
    """Returns a coordinate, the same on every machine."""
    return f"{value:.1f}".removesuffix(".0")


def marker(name: str) -> str:
    """Returns an arrow head for `marker-end`."""
    size = 'viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="9" markerHeight="9"'
    head = f'<path class="{name}-head" d="M0 0.8 9.5 5 0 9.2z"/>'
    return f'<marker id="{name}-head" {size} markerUnits="userSpaceOnUse" orient="auto">{head}</marker>'
