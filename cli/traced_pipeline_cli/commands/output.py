"""Writes a file whole or not at all."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from ..errors import OpsError


def write_whole(path: Path, content: str) -> None:
    """Write a text file; whoever reads it meanwhile finds the old content or the new, never half of one.

    Args:
        path: The file; folders on the way are made.
        content: What it shall hold.

    Raises:
        OpsError: It cannot be written.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}")
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
        raise OpsError(f"The file {path} cannot be written: {error.strerror}.") from error
