"""How Sphinx makes the site of the docs; `make docs` runs it, with every warning an error.

The pages are plain Markdown that GitHub renders too, in the folders where they belong. Only the side bar is added here.
"""

import tomllib
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).resolve().parent.parent

project = "traced-pipeline"
author = "the traced-pipeline contributors"
version = release = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
language = "en"

extensions = ["myst_parser"]
root_doc = "docs/README"
include_patterns = ["*.md", "docs/*.md", "examples/*.md", "local/*.md"]
exclude_patterns = [".*", "build", "node_modules", "cdk.out"]
nitpicky = True

myst_heading_anchors = 4
"""Anchors are those of GitHub, so that a link works there and here."""

html_theme = "furo"
html_title = f"traced-pipeline {release}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_permalinks_icon = "#"

_NAVIGATION = {
    "Begin": ["/README", "/examples/README"],
    "Build": [
        "constructs",
        "containers",
        "recipes",
        "checks",
        "migrate",
    ],
    "Write handlers": ["handlers", "trace-bridge", "opentelemetry", "datadog", "with-other-tools", "moving"],
    "Run": ["operate", "costs", "command-line", "trace-page", "what-traces-what"],
    "About": ["comparison", "/local/README", "/CONTRIBUTING", "/CHANGELOG", "/SECURITY"],
}
"""The pages, by the part of the side bar that they stand in."""
_PLACED = {page for pages in _NAVIGATION.values() for page in pages}
_FURTHER = sorted({page.stem for page in (_ROOT / "docs").glob("*.md")} - {*_PLACED, "README"})
if _FURTHER:
    _NAVIGATION["Further"] = _FURTHER


def setup(app: Sphinx) -> None:
    """Registers what is added to the pages."""
    app.connect("source-read", _add_navigation)


def _add_navigation(_app: Sphinx, page: str, source: list[str]) -> None:
    """Ends the first page with the side bar's tables of contents, which GitHub would show as code."""
    if page == root_doc:
        for caption, pages in _NAVIGATION.items():
            listed = "\n".join(pages)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"
