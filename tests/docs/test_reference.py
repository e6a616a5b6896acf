"""docs/constructs.md has every argument, field and member of what the library exports, as the docstrings have them."""

from __future__ import annotations

import dataclasses
import os
import re
from enum import Enum

import pytest
import traced_pipeline

from scripts.pages import ROOT, between, put_between

from . import reference

PAGE = ROOT / "docs" / "constructs.md"
PUBLIC: dict[str, type] = {name: getattr(traced_pipeline, name) for name in traced_pipeline.__all__}
DOCUMENTED = [n for n, item in PUBLIC.items() if not issubclass(item, (Enum, Exception))]
WITH_ARGUMENTS = [name for name in DOCUMENTED if "__init__" in vars(PUBLIC[name])]
WITH_MEMBERS = [name for name in DOCUMENTED if not dataclasses.is_dataclass(PUBLIC[name])]


@pytest.mark.parametrize("name", WITH_ARGUMENTS)
def test_table_is_that_of_the_docstring(name: str) -> None:
    """To take over a change, set UPDATE_SNAPSHOTS=1."""
    made = reference.table(PUBLIC[name])
    if os.environ.get("UPDATE_SNAPSHOTS"):
        put_between(PAGE, name, made)
    assert between(PAGE, name) == made


@pytest.mark.parametrize("name", WITH_MEMBERS)
def test_members_are_those_of_the_class(name: str) -> None:
    made = reference.members_table(PUBLIC[name])
    if os.environ.get("UPDATE_SNAPSHOTS"):
        put_between(PAGE, f"members of {name}", made)
    assert between(PAGE, f"members of {name}") == made


def test_the_table_of_metrics_is_that_of_the_methods() -> None:
    made = reference.metrics_table()
    if os.environ.get("UPDATE_SNAPSHOTS"):
        put_between(PAGE, "metrics", made)
    assert between(PAGE, "metrics") == made


@pytest.mark.parametrize("name", WITH_ARGUMENTS)
def test_every_argument_says_what_it_means_and_what_happens_without_it(name: str) -> None:
    entries = reference.entries(PUBLIC[name])
    assert entries
    silent = [entry.name for entry in entries if not entry.meaning]
    undecided = [entry.name for entry in entries if not entry.default]
    # A finding is given back, never made by a caller, so that it has no defaults.
    assert (silent, undecided) == ([], [])


@pytest.mark.parametrize("name", PUBLIC)
def test_everything_exported_is_on_the_page(name: str) -> None:
    """Read from the page itself, so that a table that leaves something out is found."""
    text = PAGE.read_text(encoding="utf-8")
    assert re.search(rf"`{name}\b|^#+ {name}$", text, re.MULTILINE)
    item = PUBLIC[name]
    if dataclasses.is_dataclass(item):
        names = {field.name for field in dataclasses.fields(item)}
    elif issubclass(item, (Enum, Exception)):
        names = set()
    else:
        made = name in WITH_ARGUMENTS
        names = {e.name for e in reference.arguments(reference.constructor(item), item.__doc__)} if made else set()
        names |= set(reference.public_members(item))
    missing = {one for one in names if not re.search(rf"`{one}[`(]", text)}
    assert missing == set()
