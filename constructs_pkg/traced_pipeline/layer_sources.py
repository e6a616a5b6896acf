"""Python sources as the layer holds them: without docstrings and comments, a third of the bridge, and without types."""

from __future__ import annotations

import ast
import io
import tokenize
from functools import cache


@cache
def condensed(source: str) -> str:
    """Returns a module's source without comments, with `""` for each docstring and `pass` for what only types need.

    A level of indentation is one space. Every line keeps its number, so that tracebacks from the layer fit the sources
    in the package. An empty docstring is one all the same, and may stand before `from __future__`.
    """
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = f"{lines[row - 1][:column].rstrip()}\n"
    nodes = list(ast.walk(ast.parse(source)))
    for node in nodes:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            _replace(lines, node, node, '""')
    for node in nodes:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            _replace(lines, node.body[0], node.body[-1], "pass")
    return _indented_by_one_space("".join(lines))


def _indented_by_one_space(source: str) -> str:
    texts = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant | ast.JoinedStr))
    inside = {row for text in texts for row in range(text.lineno + 1, (text.end_lineno or text.lineno) + 1)}
    lines = enumerate(source.splitlines(keepends=True), start=1)
    return "".join(line if row in inside else _dedented(line) for row, line in lines)


def _dedented(line: str) -> str:
    code = line.lstrip(" ")
    return " " * ((len(line) - len(code)) // 4) + code


def _replace(lines: list[str], first: ast.stmt, last: ast.stmt, statement: str) -> None:
    """Puts a statement in the place of others, and leaves the rest of their lines empty."""
    begin = min(first.lineno, *(node.lineno for node in getattr(first, "decorator_list", ()) or (first,)))
    end = last.end_lineno or last.lineno
    indentation = lines[begin - 1][: first.col_offset]
    lines[begin - 1 : end] = [f"{indentation}{statement}\n", *["\n"] * (end - begin)]
