"""What a command gives back besides text: the JSON envelope, and files, each written whole or not at all."""

from __future__ import annotations

import json
import math
import os
import time
from contextlib import suppress
from pathlib import Path

from ..errors import FileError
from ..exit_status import ExitStatus
from ..traces.model import JsonObject, JsonValue
from .streams import write_out

ENVELOPE_VERSION = 1
"""Grows when a key of a result is removed or changes its meaning; new keys do not change it."""


def write_result(command: str, result: JsonValue) -> None:
    """Writes the envelope of a command that came to a result to standard output.

    Args:
        command: The command's name.
        result: What it found; docs/command-line.md lists the keys.
    """
    _write({"version": ENVELOPE_VERSION, "command": command, "result": result})


def write_error(command: str | None, *, status: ExitStatus, message: str) -> None:
    """Writes the envelope of a command that came to no result to standard output.

    Args:
        command: The command's name; None where the command line names none.
        status: The exit status.
        message: The line that standard error has too.
    """
    _write({"version": ENVELOPE_VERSION, "command": command, "error": {"status": int(status), "message": message}})


def write_whole(path: Path, content: str) -> None:
    """Writes a text file; whoever reads it meanwhile finds the old content or the new, never half of one.

    Args:
        path: The file; missing folders are created.
        content: What it holds afterwards.

    Raises:
        FileError: It cannot be written.
    """
    # Not named after the file, whose name may be as long as names get.
    unfinished = path.parent / f".traced-pipeline.{os.getpid()}-{time.monotonic_ns()}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():
            # A device or a pipe, such as /dev/stdout, is written to; it cannot be replaced.
            path.write_text(content, encoding="utf-8")
            return
        unfinished.write_text(content, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise FileError(f"The file {path} cannot be written: {error.strerror}.") from error


def _write(envelope: JsonObject) -> None:
    try:
        text = json.dumps(envelope, indent=2, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(envelope), indent=2)
    write_out(f"{text}\n")


def _finite(value: JsonValue) -> JsonValue:
    """Returns a value without numbers that JSON does not have; 1e999, which JSON has, is read as such a one."""
    if isinstance(value, dict):
        return {key: _finite(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_finite(held) for held in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
