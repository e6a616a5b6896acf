"""What the benchmarks are to reach, and how they say whether they did."""

from typing import TypeAlias

Goal: TypeAlias = tuple[str, float, float]
"""What is measured, the most it may be, and what it is."""


def is_met(goal: Goal) -> bool:
    """Returns whether a goal is met."""
    _, limit, measured = goal
    return measured <= limit


def verdict(goal: Goal) -> str:
    """Returns a goal as a line of a benchmark's output."""
    name, limit, measured = goal
    return f"{'met ' if is_met(goal) else 'MISSED'} {name}: {measured} (at most {limit})"
