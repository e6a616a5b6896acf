"""Ids of parametrized tests that are the same in every process of a test run."""

from __future__ import annotations

from collections.abc import Mapping


def case_id(value: Mapping[str, object] | str) -> str:
    """Returns the id of an argument: a text as it is, and of options their names, as values may print an address."""
    return value if isinstance(value, str) else "-".join(value)
