"""Python sources as the layer holds them: without docstrings and comments, a third of the bridge, and without types."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate
from typing import NamedTuple

# In a source that Python 3.11 takes, no quote within a replacement field of an f-string is the f-string's own.
_TEXT_OR_COMMENT = re.compile(
    rb'"""(?:[^\\]|\\.)*?"""'
    rb"|'''(?:[^\\]|\\.)*?'''"
    rb'|"(?:[^\\"\n]|\\.)*"'
    rb"|'(?:[^\\'\n]|\\.)*'"
    rb"|[ \t]*#[^\n]*",
    re.DOTALL,
)


class _Cut(NamedTuple):
    """A part of a source, by its offsets in bytes, and what comes in its place."""

    begin: int
    end: int
    instead: bytes


@cache
def condensed(source: str) -> str:
    """Returns a module's source without comments, with `""` for each docstring and `pass` for what only types need.

    A level of indentation is one space. Every line keeps its number, so that tracebacks from the layer fit the sources
    in the package. An empty docstring is one all the same, and may stand before `from __future__`. Annotations that
    nobody asks for at run time are left out: those of private functions, and of variables inside functions. One that
    takes several lines stays.
    """
    text = source.encode()
    cuts = list(_Source(text).cuts(ast.parse(source).body, in_function=False))
    kept_rows = set[int]()
    for found in _TEXT_OR_COMMENT.finditer(text):
        begin, end = found.span()
        if found[0].lstrip().startswith(b"#"):
            cuts.append(_Cut(begin, end, b""))
        elif b"\n" in found[0]:
            first = text.count(b"\n", 0, begin)
            kept_rows.update(range(first + 1, first + found[0].count(b"\n") + 1))
    lines = b"".join(_without(text, sorted(cuts, key=lambda cut: (cut.begin, -cut.end)))).splitlines(keepends=True)
    return b"".join(line if row in kept_rows else _dedented(line) for row, line in enumerate(lines)).decode()


class _Source:
    """What is left out of a module's source as it was parsed.

    Args:
        text: The source.
    """

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._begins = [0, *accumulate(len(line) for line in text.splitlines(keepends=True))]

    def cuts(self, statements: Iterable[ast.AST], *, in_function: bool) -> Iterator[_Cut]:
        """Yields what is left out of statements and of those inside them.

        Args:
            statements: The statements, or clauses of one.
            in_function: Whether variables set by them are a function's; those of a class are its fields.
        """
        for statement in statements:
            inside = in_function
            match statement:
                case ast.Expr(value=ast.Constant(value=str())):
                    yield self._lines(statement, statement, b'""')
                case ast.If(test=ast.Name(id="TYPE_CHECKING"), body=body):
                    yield self._lines(body[0], body[-1], b"pass")
                case ast.AnnAssign(value=ast.expr()) if in_function:
                    yield from self._on_one_line(self._end(statement.target), self._end(statement.annotation))
                case ast.ClassDef():
                    inside = False
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    inside = True
                    if _is_private(statement.name):
                        yield from self._signature(statement)
            for clauses in ("body", "orelse", "finalbody", "handlers", "cases"):
                yield from self.cuts(getattr(statement, clauses, ()), in_function=inside)

    def _signature(self, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[_Cut]:
        every = function.args
        for argument in (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg):
            if argument is not None and argument.annotation is not None:
                yield from self._on_one_line(self._begin(argument) + len(argument.arg.encode()), self._end(argument))
        if function.returns is not None:
            arrow = self._text.rindex(b"->", 0, self._begin(function.returns))
            yield from self._on_one_line(self._text.rindex(b")", 0, arrow) + 1, self._end(function.returns))

    def _lines(self, first: ast.stmt, last: ast.stmt, statement: bytes) -> _Cut:
        """Puts a statement in the place of others, and leaves the rest of their lines empty."""
        row = min(node.lineno for node in (first, *getattr(first, "decorator_list", ())))
        begin, end = self._begins[row - 1] + first.col_offset, self._text.index(b"\n", self._end(last))
        return _Cut(begin, end, statement + b"\n" * self._text.count(b"\n", begin, end))

    def _on_one_line(self, begin: int, end: int) -> Iterator[_Cut]:
        if b"\n" not in self._text[begin:end]:
            yield _Cut(begin, end, b"")

    def _begin(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        return self._begins[node.lineno - 1] + node.col_offset

    def _end(self, node: ast.expr | ast.stmt | ast.arg) -> int:
        return self._begins[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or node.col_offset)


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _without(text: bytes, cuts: Iterable[_Cut]) -> Iterator[bytes]:
    """Yields a text in pieces, without cuts in their order; one inside another goes with that."""
    done = 0
    for cut in cuts:
        if cut.begin >= done:
            yield text[done : cut.begin]
            yield cut.instead
            done = cut.end
    yield text[done:]


def _dedented(line: bytes) -> bytes:
    code = line.lstrip(b" ")
    return b" " * ((len(line) - len(code)) // 4) + code
