"""Python sources as the layer holds them: without docstrings and comments, a third of the bridge, and without types."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from itertools import accumulate


@cache
def condensed(source: str) -> str:
    """Returns a module's source without comments, with `""` for each docstring and `pass` for what only types need.

    A level of indentation is one space. Every line keeps its number, so that tracebacks from the layer fit the sources
    in the package. An empty docstring is one all the same, and may stand before `from __future__`. Annotations that
    nobody asks for at run time are left out: those of private functions, and of variables inside functions.
    """
    source = _without_annotations(source)
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


def _without_annotations(source: str) -> str:
    """Returns a module's source without the annotations of private functions, and of variables inside functions.

    One that takes several lines stays, so that every line keeps its number.
    """
    text = source.encode()
    begins = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    def span(node: ast.expr | ast.arg) -> tuple[int, int]:
        """Returns where a node is in the text; columns count bytes."""
        last, after = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return begins[node.lineno - 1] + node.col_offset, begins[last - 1] + after

    found = set[tuple[int, int]]()
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= {(span(target)[1], span(annotation)[1]) for target, annotation in _variables(function)}
            if _is_private(function.name):
                found |= {(span(each)[0] + len(each.arg.encode()), span(each)[1]) for each in _annotated(function.args)}
            if _is_private(function.name) and function.returns is not None:
                begin, end = span(function.returns)
                found.add((text.rindex(b")", 0, text.rindex(b"->", 0, begin)) + 1, end))
    for begin, end in sorted(found, reverse=True):
        if b"\n" not in text[begin:end]:
            text = text[:begin] + text[end:]
    return text.decode()


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _annotated(arguments: ast.arguments) -> Iterator[ast.arg]:
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None and argument.annotation is not None:
            yield argument


def _variables(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """Yields each annotated variable that is set in a function, and its annotation; a class's are fields."""
    for inner in ast.iter_child_nodes(node):
        if isinstance(inner, ast.AnnAssign) and inner.value is not None:
            yield inner.target, inner.annotation
        elif not isinstance(inner, ast.ClassDef):
            yield from _variables(inner)


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
