"""What failed at a node, in words."""

from __future__ import annotations

from ..text import counted
from ..traces.failure_states import State
from ..traces.graph_model import Node


def failures(node: Node) -> tuple[tuple[State, str], ...]:
    """Returns what failed at a node, the worst first: the states, each with its count as a text (`2 faults`)."""
    return tuple((state, counted(number, state)) for state, number in node.failed.items())
