"""The modules of the CDK whose types mypy reads.

The CDK has a module for each of AWS's services, and reading all of them is most of the time a first run of mypy takes.
So `pyproject.toml` lists those that are read. A type of any other module would be `Any`, unnoticed; it is named here.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

CDK = "aws_cdk"

# What jsii generates: each of a module's imports for types has such a line below `if TYPE_CHECKING:`.
_FOR_TYPES = re.compile(rf"^    import ({CDK}[\w.]*) as _", re.MULTILINE)


def followed(pyproject: str) -> frozenset[str]:
    """Returns the names and patterns of the CDK's modules that mypy reads.

    Args:
        pyproject: The text of `pyproject.toml`.
    """
    overrides = tomllib.loads(pyproject)["tool"]["mypy"]["overrides"]
    return frozenset(
        module for override in overrides if override.get("follow_imports") == "normal" for module in override["module"]
    )


def unfollowed_types(modules: frozenset[str], site_packages: Path) -> Iterator[str]:
    """Yields the CDK's modules that hold types of what is read and are not read themselves.

    Args:
        modules: The names and patterns of the modules that mypy reads.
        site_packages: The folder that holds the installed CDK.
    """
    pending, seen = [module for module in sorted(modules) if not module.endswith(".*")], set(modules)
    while pending:
        folder = site_packages.joinpath(*pending.pop().split("."))
        source = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        for module in sorted(set(_FOR_TYPES.findall(source.read_text(encoding="utf-8"))) - seen):
            seen.add(module)
            if _covers(modules, module):
                continue
            pending.append(module)
            yield module


def unfollowed_attributes(modules: frozenset[str], source: str) -> Iterator[tuple[str, int]]:
    """Yields the modules that a source reaches as attributes of the CDK and mypy does not read, each with its line.

    An import of such a module is an error to mypy, an attribute is not.

    Args:
        modules: The names and patterns of the modules that mypy reads.
        source: The text of a Python file.
    """
    if f"import {CDK}" not in source:
        return
    tree = ast.parse(source)
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == CDK
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names:
            module = f"{CDK}.{node.attr}"
            if node.attr.startswith("aws_") and not _covers(modules, module):
                yield module, node.lineno


def _covers(modules: Iterable[str], module: str) -> bool:
    return any(
        module == known or (known.endswith(".*") and f"{module}.".startswith(known.removesuffix("*")))
        for known in modules
    )
