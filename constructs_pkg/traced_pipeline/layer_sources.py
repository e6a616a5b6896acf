"""Python sources as the layer holds them: without docstrings, which are a third of the bridge's size."""

from __future__ import annotations

import ast
from functools import cache


@cache
def without_docstrings(source: str) -> str:
    """Returns a module's source with `""` in the place of each docstring; every other line keeps its number.

    Tracebacks from the layer and coverage of it therefore fit the sources in the package. An empty docstring is one all
    the same, and may stand before `from __future__`.
    """
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            indentation = lines[node.lineno - 1][: node.col_offset]
            end = node.end_lineno or node.lineno
            lines[node.lineno - 1 : end] = [f'{indentation}""\n', *["\n"] * (end - node.lineno)]
    return "".join(lines)
