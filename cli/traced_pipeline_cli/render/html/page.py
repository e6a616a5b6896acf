"""The traces as one page that needs nothing else: no network, no server, no other file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files

from ...aws.logs import FunctionLogs
from ...text import printable
from ...traces.graph_model import TraceMap
from ...traces.model import JsonValue, Trace
from ..svg.shapes import GLYPHS, custom_properties
from .data import page_data

_SCRIPTS = ("elements.js", "fields.js", "details.js", "graph.js", "map.js", "rows.js", "waterfall.js", "page.js")
_LIBRARY = "dagre.min.js"


def page_html(
    trace_map: TraceMap,
    traces: Iterable[Trace],
    *,
    logs: Mapping[str, FunctionLogs] | None = None,
    title: str = "Trace map",
) -> str:
    """Returns the page: map, waterfalls, and every field and log line of what is selected.

    Traces and logs hold what anybody may have sent through the pipeline. They are in the page as data alone, set as
    text, and its content security policy lets nothing run that is not named by its hash, and nothing be fetched.

    Args:
        trace_map: The map.
        traces: Its traces.
        logs: What functions logged, by name; by default the page says that logs were not fetched.
        title: The heading.

    Returns:
        The HTML document; the same arguments make the same text.
    """
    library, script = _library(), _script()
    style = f"{custom_properties()}\n{_asset('page.css')}"
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_hash(library)} {_hash(script)}",
            f"style-src {_hash(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    parts = {
        "policy": policy,
        "title": escape(printable(title)),
        "style": style,
        "glyphs": "".join(
            f'<symbol id="glyph-{kind}" viewBox="0 0 24 24">{shape}</symbol>' for kind, shape in GLYPHS.items()
        ),
        "data": _embedded(page_data(trace_map, traces, logs, title=printable(title))),
        "library": library,
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match.group(1)], _asset("page.html"))


def _embedded(data: JsonValue) -> str:
    """JSON that ends no script element and opens no comment, whatever it holds."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _library() -> str:
    """Returns the graph library with its licence, without the address of a file that is not in the page."""
    code = re.sub(r"\n//# sourceMappingURL=.*", "", _asset(f"vendor/{_LIBRARY}"))
    return f"/*! @dagrejs/dagre\n{_asset('vendor/dagre.LICENSE').strip()}\n*/\n{code}"


def _script() -> str:
    return '"use strict";\n(() => {\n' + "\n".join(_asset(name) for name in _SCRIPTS) + "})();\n"


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", *name.split("/")).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
