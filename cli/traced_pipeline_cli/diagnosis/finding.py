"""A cause of a broken trace."""

from __future__ import annotations

from dataclasses import dataclass

from ..traces.resource_types import NodeKind
from .checks import Check


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something in the configuration, or in what came of the request, that breaks a trace.

    Attributes:
        check: The check that found it.
        kind: What kind of resource the trace breaks at.
        name: That resource's name.
        text: What is so, and what comes of it.
        fix: What to do.
    """

    check: Check
    kind: NodeKind
    name: str
    text: str
    fix: str
