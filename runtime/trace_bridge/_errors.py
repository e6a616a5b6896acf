"""Exceptions as segment documents describe them."""

import os
import traceback
from pathlib import Path, PurePath

_MAX_FRAMES = 10
_MAX_MESSAGE = 2000


def exception_entry(error: BaseException, *, remote: bool = False) -> dict[str, object]:
    """Returns an entry of `cause.exceptions`: id, type, message and the innermost frames, outermost first.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-errors

    Args:
        error: The exception.
        remote: Whether a service answered it.
    """
    entry: dict[str, object] = {"id": os.urandom(8).hex(), "type": type(error).__name__, "remote": remote}
    try:
        entry["message"] = str(error)[:_MAX_MESSAGE]
    except Exception:  # noqa: BLE001 - whatever an exception's own __str__ raises must not hide the exception
        entry["message"] = "(its text could not be read)"
    frames = traceback.extract_tb(error.__traceback__)
    if frames:
        entry["stack"] = [
            {"path": PurePath(frame.filename).name, "line": frame.lineno or 0, "label": frame.name}
            for frame in frames[-_MAX_FRAMES:]
        ]
    return entry


def cause(entry: dict[str, object]) -> dict[str, object]:
    """Returns the `cause` of a segment that holds one exception."""
    try:
        directory = str(Path.cwd())
    except OSError:  # it may be gone
        directory = ""
    return {"working_directory": directory, "exceptions": [entry]}
