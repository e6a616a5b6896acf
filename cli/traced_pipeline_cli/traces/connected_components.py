"""Connected components."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

_T = TypeVar("_T", bound=Hashable)


class Unions(Generic[_T]):
    """Groups of items, joined pair by pair."""

    def __init__(self) -> None:
        self._parents: dict[_T, _T] = {}

    def add(self, item: _T) -> None:
        """Makes an item known; a group of its own unless it is known."""
        self._parents.setdefault(item, item)

    def join(self, first: _T, second: _T) -> None:
        """Makes one group of the two items' groups."""
        self.add(first)
        self.add(second)
        self._parents[self._top(second)] = self._top(first)

    def same(self, first: _T, second: _T) -> bool:
        """Returns whether two known items are in one group."""
        return self._top(first) == self._top(second)

    def count(self) -> int:
        """How many groups there are."""
        return sum(1 for item, parent in self._parents.items() if item == parent)

    def groups(self) -> list[list[_T]]:
        """Returns the groups, in the order their first items became known."""
        groups: dict[_T, list[_T]] = {}
        for item in self._parents:
            groups.setdefault(self._top(item), []).append(item)
        return list(groups.values())

    def _top(self, item: _T) -> _T:
        while (parent := self._parents[item]) != item:
            self._parents[item] = self._parents[parent]
            item = self._parents[item]
        return item
