"""What packages that do not import each other have to agree on, compared: the bridge's environment variables."""

import ast
from collections.abc import Iterator
from pathlib import Path

ORIGINAL = Path("runtime/trace_bridge/_environment.py")
"""The module that says which variables there are."""

COPY_NAME = "bridge_environment.py"
"""The file name of a copy, which has those constants that its package needs."""

SOURCE_ROOTS = ("constructs_pkg", "cli")
"""Where packages with copies are."""

Literal = str | tuple[object, ...] | dict[object, object]


def copies(root: Path) -> list[Path]:
    """Returns the copies in a checkout, relative to it."""
    copies = [path for folder in SOURCE_ROOTS for path in (root / folder).rglob(COPY_NAME)]
    return sorted(path.relative_to(root) for path in copies)


def differing_copies(root: Path) -> Iterator[str]:
    """Yields what is wrong with the copies in a checkout, and each variable that is named outside of these modules."""
    original = dict(_constants(root, ORIGINAL))
    for path in copies(root):
        for name, value in _constants(root, path):
            if name not in original:
                yield f"{path}: {name} is no constant of {ORIGINAL}; add it there, or rename it"
            elif value != original[name]:
                yield f"{path}: {name} is {value!r}, but {original[name]!r} in {ORIGINAL}; make them equal"
    variables = {value: name for name, value in original.items() if isinstance(value, str)}
    for module in (ORIGINAL, *copies(root)):
        for path in sorted((root / _package(module)).rglob("*.py")):
            if path != root / module:
                yield from _literals(path, root, variables, module)


def _package(module: Path) -> Path:
    """The package's folder, two levels below the checkout."""
    return Path(*module.parts[:2])


def _constants(root: Path, path: Path) -> Iterator[tuple[str, Literal]]:
    """The constants of a module; refuses what cannot be compared without running it."""
    known: dict[str, ast.expr] = {}
    for node in ast.parse((root / path).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            value = _WithoutNames(known).visit(node.value)
            try:
                literal = ast.literal_eval(value)
            except ValueError:
                raise SystemExit(f"{path}:{node.lineno}: {ast.unparse(targets[0])} is no literal") from None
            for name in map(ast.unparse, targets):
                known[name] = value
                yield name, literal


class _WithoutNames(ast.NodeTransformer):
    """Puts the values of constants into the place of their names."""

    def __init__(self, known: dict[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._known.get(node.id, node)


def _literals(path: Path, root: Path, variables: dict[str, str], module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in variables:
            place = f"{path.relative_to(root)}:{node.lineno}"
            yield f"{place}: {node.value!r} is written out; take {variables[node.value]} of {module}"
