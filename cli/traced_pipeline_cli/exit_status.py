"""What the exit status of a command means."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """The exit status of every command; docs/command-line.md lists them for users, and so does the help."""

    DONE = 0
    """Done, and the answer is yes."""
    NO = 1
    """The answer is no: a request was refused, a trace is not connected, messages remain in the dead-letter queue."""
    USAGE = 2
    """The command line is wrong, or a package is missing."""
    NOT_FOUND = 3
    """A stack, a trace, or a dead-letter message to redrive does not exist."""
    AWS = 4
    """AWS refused a call or was not reached, or what it answered does not suffice for a verdict."""
    FILE = 5
    """A file could not be read or written, or standard output could not be written."""
    INTERNAL = 70
    """A fault of the command line itself (`EX_SOFTWARE` of sysexits.h)."""
    INTERRUPTED = 130
    """Interrupted at the terminal: 128 and the number of SIGINT, as shells report it."""
