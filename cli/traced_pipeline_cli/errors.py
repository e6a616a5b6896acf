"""What can go wrong, said so that someone can act on it."""

from __future__ import annotations


class OpsError(Exception):
    """An error whose text is meant for the person at the terminal.

    Attributes:
        exit_status: The command line's exit status for it.
    """

    exit_status = 4


class NotFoundError(OpsError):
    """Something that was named does not exist: a stack, an output, a trace."""

    exit_status = 3


class InvalidDocumentError(OpsError, ValueError):
    """X-Ray's answer holds something that is no segment document."""

    def __init__(self, *, trace_id: str, reason: str, document: object) -> None:
        text = str(document)
        shown = text if len(text) <= 120 else f"{text[:119]}…"
        name = trace_id or "(without id)"
        super().__init__(f"Trace {name} holds a document that cannot be read: {reason}. It is: {shown}")
