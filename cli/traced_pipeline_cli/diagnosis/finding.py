"""A cause of a broken trace."""

from __future__ import annotations

from dataclasses import dataclass

from ..traces.resource_types import NodeKind


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something in the configuration, or in what came of the request, that breaks a trace.

    Attributes:
        check: The check's stable id.
        kind: What kind of resource the trace breaks at.
        name: That resource's name.
        text: What is so, and what comes of it.
        fix: What to do.
    """

    check: str
    kind: NodeKind
    name: str
    text: str
    fix: str
