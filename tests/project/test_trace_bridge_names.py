"""What users of trace_bridge rely on by name; trace_bridge_names.json changes by intent alone."""

import dataclasses
import inspect
import json
from pathlib import Path

import pytest
import trace_bridge
import trace_bridge.otel
from trace_bridge import Counters, Message, MessageSegment, TraceHeader

from harness.local_aws import ROOT
from scripts.import_graph import Import, imports_of
from scripts.layers import LAYERS
from tests.support.bridge import VARIABLES

NAMES = json.loads(Path(__file__).with_name("trace_bridge_names.json").read_text(encoding="utf-8"))
_PACKAGE = ROOT / "runtime" / "trace_bridge"
MODULES = {path.stem for path in _PACKAGE.glob("*.py")} - {"__init__"} | {
    path.parent.name for path in _PACKAGE.glob("*/__init__.py")
}


def _members(kind: type) -> list[str]:
    """The public names of a class, those of its base classes left out, and those only annotated included."""
    named = {*vars(kind), *inspect.get_annotations(kind)}
    return sorted(name for name in named if not name.startswith("_"))


def _parameters(name: str) -> str | None:
    item = getattr(trace_bridge, name)
    return ", ".join(inspect.signature(item).parameters) if inspect.isfunction(item) else None


def test_the_public_names() -> None:
    assert sorted(trace_bridge.__all__) == sorted(NAMES["names"])
    assert sorted(trace_bridge.otel.__all__) == NAMES["names of trace_bridge.otel"]


@pytest.mark.parametrize("name", sorted(name for name in trace_bridge.__all__ if _parameters(name) is not None))
def test_the_parameters_of_a_function(name: str) -> None:
    assert _parameters(name) == NAMES["parameters"].get(name)


@pytest.mark.parametrize("kind", [Message, MessageSegment, TraceHeader], ids=lambda kind: kind.__name__)
def test_the_members_of_a_class(kind: type) -> None:
    assert _members(kind) == NAMES["members"][kind.__name__]


def test_the_fields_of_the_counters() -> None:
    assert [field.name for field in dataclasses.fields(Counters)] == NAMES["counters"]


def test_the_environment_variables() -> None:
    assert sorted(NAMES["environment variables"]) == VARIABLES


def test_the_packages_docstring_names_every_module_in_its_layer() -> None:
    text = trace_bridge.__doc__ or ""
    parts = text.split("\n\n")
    listed = next(part for part in parts if part.startswith("Base: "))
    layers = [
        {name for line in layer for name in line.partition(":")[0].replace(",", " ").split()}
        for layer in _split(listed.splitlines())
    ]
    assert layers == [set(names) for names in LAYERS["runtime", "trace_bridge"]]
    assert set().union(*layers) == MODULES


def test_the_packages_docstring_names_every_environment_variable() -> None:
    assert [name for name in VARIABLES if f"`{name}`" not in (trace_bridge.__doc__ or "")] == []


@pytest.mark.parametrize("folder", ["tests", "bench", "examples", "harness"])
def test_one_module_alone_knows_private_names_of_the_bridge(folder: str) -> None:
    inside = [
        f"{path.relative_to(ROOT)}:{imported.line}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path != ROOT / "tests" / "support" / "bridge.py"
        for imported in imports_of(path.read_text(encoding="utf-8"), path.stem, is_package=False)
        if any(name.startswith("_") for name in _names_in_bridge(imported))
    ]
    assert inside == []


def _names_in_bridge(imported: Import) -> list[str]:
    package, *modules = imported.target.split(".")
    return [*modules, *imported.names] if package == "trace_bridge" else []


def _split(lines: list[str]) -> list[list[str]]:
    """The indented lines below each line that is not."""
    layers: list[list[str]] = []
    for line in lines:
        if line.startswith(" "):
            layers[-1].append(line)
        else:
            layers.append([])
    return layers
