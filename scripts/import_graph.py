"""The imports inside a package as a graph: which module imports which, cycles, and imports against the layers."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Import:
    """A module that is imported.

    Attributes:
        target: Its dotted name, from the source root.
        line: Where the import stands.
        names: What is taken from it; empty for the module itself.
    """

    target: str
    line: int
    names: tuple[str, ...] = ()


def imports_of(source: str, module: str, *, is_package: bool) -> Iterator[Import]:
    """Yields every import of a module, those inside functions included, those for type checkers alone left out.

    Args:
        source: The module's text.
        module: Its dotted name.
        is_package: Whether it is a package's `__init__`.
    """
    package = module.split(".") if is_package else module.split(".")[:-1]
    for node in _executed(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(target=alias.name, line=node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            target = ".".join([*base, *([node.module] if node.module else [])])
            yield Import(target=target, line=node.lineno, names=tuple(alias.name for alias in node.names))


def package_graph(root: Path, package: str) -> dict[str, dict[str, int]]:
    """Returns the modules of a package, each with those of the same package it imports and the line where it does.

    Args:
        root: The source root: the folder that holds the package.
        package: The package's name.
    """
    sources: dict[str, Path] = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        sources[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    graph: dict[str, dict[str, int]] = {module: {} for module in sources}
    for module, path in sources.items():
        text = path.read_text(encoding="utf-8")
        for imported in imports_of(text, module, is_package=path.name == "__init__.py"):
            for target in _modules(imported, sources):
                graph[module].setdefault(target, imported.line)
    return graph


def cycles(graph: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    """Returns the groups of modules that import each other, directly or through others; each group is sorted."""
    reach = {module: _reachable(graph, module) for module in graph}
    groups = {
        tuple(sorted({module} | {other for other in reach[module] if module in reach.get(other, ())}))
        for module in graph
        if module in reach[module]
    }
    return sorted(map(list, groups))


def against_layers(
    graph: Mapping[str, Mapping[str, int]], package: str, layers: Sequence[Sequence[str]]
) -> Iterator[tuple[str, int, str]]:
    """Yields each import that goes up, and each module that stands in no layer.

    Args:
        graph: The package's imports, as `package_graph` gives them.
        package: The package's name.
        layers: The rooms and modules of the package, the lowest layer first; a module may import its own layer and
            those below it. A package's `__init__` hands names on and may import everything.

    Yields:
        Module, line and what is wrong.
    """
    rank = {name: number for number, names in enumerate(layers) for name in names}

    def layer_of(module: str) -> int | None:
        parts = module.removeprefix(f"{package}.").split(".")
        ranks = [rank[name] for end in range(len(parts), 0, -1) if (name := ".".join(parts[:end])) in rank]
        return ranks[0] if ranks else None

    for module, targets in graph.items():
        if module == package:
            continue
        own = layer_of(module)
        if own is None:
            yield module, 1, "stands in no layer; add it to LAYERS in scripts/layers.py"
            continue
        for target, line in targets.items():
            other = len(layers) if target == package else layer_of(target)
            if other is not None and other > own:
                yield module, line, f"must not import {target}, which is in a higher layer"


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs; `if TYPE_CHECKING:` does not."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"):
            for statement in child.orelse:
                yield statement
                yield from _executed(statement)
            continue
        yield child
        yield from _executed(child)


def _modules(imported: Import, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules an import names: of `from package import module` the module, not the package."""
    if not imported.names:
        yield from [imported.target] if imported.target in known else []
        return
    for name in imported.names:
        submodule = f"{imported.target}.{name}"
        if submodule in known:
            yield submodule
        elif imported.target in known:
            yield imported.target


def _reachable(graph: Mapping[str, Mapping[str, int]], module: str) -> set[str]:
    seen: set[str] = set()
    todo = list(graph[module])
    while todo:
        target = todo.pop()
        if target not in seen:
            seen.add(target)
            todo.extend(graph.get(target, ()))
    return seen


def of_other_tests(graph: Mapping[str, Mapping[str, int]], shared: str) -> Iterator[tuple[str, int, str]]:
    """Yields the imports between tests that are not of what tests share.

    What pytest collects, tests and conftests, is imported by nobody. Anything else is imported inside its own folder,
    and what is shared everywhere.

    Args:
        graph: The modules of the tests, from `package_graph`.
        shared: The name of the folder with what tests share.

    Yields:
        The module, the line of the import, and what is wrong with it.
    """
    for module, targets in graph.items():
        for target, line in targets.items():
            name = target.rpartition(".")[2]
            collected = name == "conftest" or name.startswith("test_")
            if collected or _folder(target) not in (_folder(module), shared):
                yield module, line, f"must not import {target}; what tests share stands in tests/{shared}"


def _folder(module: str) -> str:
    """The folder of the tests in which a module stands, such as `unit`."""
    return module.split(".")[1]
