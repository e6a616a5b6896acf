"""What users of the constructs rely on by name; traced_pipeline_names.json changes by intent alone."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import traced_pipeline

NAMES = json.loads(Path(__file__).with_name("traced_pipeline_names.json").read_text(encoding="utf-8"))
PUBLIC: dict[str, type] = {name: getattr(traced_pipeline, name) for name in traced_pipeline.__all__}
ENUMS = [name for name, item in PUBLIC.items() if issubclass(item, Enum)]
OPTIONS = [name for name, item in PUBLIC.items() if dataclasses.is_dataclass(item)]
OTHERS = [name for name in PUBLIC if name not in {*ENUMS, *OPTIONS}]


def fields(options: type) -> list[str]:
    """The fields of a dataclass in their order, those without a default marked."""
    assert dataclasses.is_dataclass(options)
    return [
        f"{field.name} (required)" if field.default is dataclasses.MISSING else field.name
        for field in dataclasses.fields(options)
    ]


def members(item: type) -> dict[str, str]:
    """The constructor, properties and methods of a class, with what they take; those of its bases here as well."""
    found: dict[str, str] = {}
    classes = [base for base in reversed(item.__mro__) if base.__module__.startswith("traced_pipeline.")]
    for name, member in {n: m for base in classes for n, m in vars(base).items()}.items():
        function = getattr(member, "__func__", member)
        if isinstance(member, property):
            found[name] = "property"
        elif inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
            found[name] = _parameters(function)
    return found


def _parameters(function: Callable[..., Any]) -> str:
    """The signature without types, and without the values of defaults."""
    signature = inspect.signature(function)
    bare = [
        p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else ...)
        for p in signature.parameters.values()
        if p.name not in {"self", "cls"}
    ]
    return str(signature.replace(parameters=bare, return_annotation=signature.empty)).replace("Ellipsis", "...")


def test_the_public_names() -> None:
    assert sorted(PUBLIC) == NAMES["names"]


def test_nothing_else_is_handed_on_by_accident() -> None:
    named = {name for name, item in vars(traced_pipeline).items() if not isinstance(item, ModuleType)}
    assert {name for name in named if not name.startswith("__")} == {*PUBLIC}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_fields_of_a_dataclass(name: str) -> None:
    assert fields(PUBLIC[name]) == NAMES["fields"][name]


@pytest.mark.parametrize("name", OTHERS)
def test_the_members_of_a_class(name: str) -> None:
    assert members(PUBLIC[name]) == NAMES["members"][name]


@pytest.mark.parametrize("name", ENUMS)
def test_the_values_of_an_enum(name: str) -> None:
    kind = PUBLIC[name]
    assert issubclass(kind, Enum)
    assert {member.name: member.value for member in kind} == NAMES["values"][name]


def test_nothing_is_named_that_is_no_more() -> None:
    assert {*NAMES["fields"], *NAMES["members"], *NAMES["values"]} == {*PUBLIC}
