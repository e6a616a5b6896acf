"""Errors whose text is meant for the person at the terminal, each with the exit status it leads to."""

from __future__ import annotations

from typing import ClassVar

from .exit_status import ExitStatus


class CliError(Exception):
    """An error that is reported in one line, without a traceback.

    Attributes:
        exit_status: The command line's exit status for it.
    """

    exit_status: ClassVar[ExitStatus] = ExitStatus.AWS


class NotFoundError(CliError):
    """Something that was named does not exist: a stack, an output, a trace."""

    exit_status = ExitStatus.NOT_FOUND


class FileError(CliError):
    """A file that was named cannot be read or written."""

    exit_status = ExitStatus.FILE


class InvalidDocumentError(CliError, ValueError):
    """X-Ray's answer holds something that is no segment document."""

    def __init__(self, *, trace_id: str, reason: str, document: object) -> None:
        text = str(document)
        shown = text if len(text) <= 120 else f"{text[:119]}…"
        name = trace_id or "(without id)"
        super().__init__(f"Trace {name} holds a document that cannot be read: {reason}. It is: {shown}")
