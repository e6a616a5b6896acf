"""What became of a resource below `TraceEverything`."""

from __future__ import annotations

from enum import StrEnum


class TraceState(StrEnum):
    """What became of a resource below `TraceEverything`."""

    ALREADY_ENABLED = "already enabled"
    ENABLED = "enabled"
    SKIPPED = "skipped"
    UNSUPPORTED = "unsupported"


class BridgeState(StrEnum):
    """What became of a consumer of SQS below `TraceEverything(bridge=True)`."""

    CONTINUED = "continued"
    LINKED = "linked"
    ALREADY_BRIDGED = "already bridged"
    UNBRIDGED = "unbridged"


Outcome = tuple[TraceState, str]
"""The state, and why; the reason is empty where there is nothing to say."""


def unknown_properties() -> Outcome:
    """Returns the outcome for a resource of a type that can be traced, but of a class without known properties."""
    return TraceState.SKIPPED, "it is a plain CfnResource, whose properties are not known here"
