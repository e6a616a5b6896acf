"""Exceptions as segment documents describe them."""

import os
import re
import traceback
from collections import deque
from pathlib import Path, PurePath

from . import _state

_MAX_FRAMES = 10
_MAX_MESSAGE = 2000
_CREDENTIALS = re.compile(r"(?<=://)[^\s/?#'\"]*@")
_QUERY = re.compile(r"(/[^\s'\"<>/?]*)\?[^\s'\"<>]+")


def exception_entry(error: BaseException, *, remote: bool = False) -> dict[str, object]:
    """Returns an entry of `cause.exceptions`: id, type, message and the innermost frames, outermost first.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-errors

    Args:
        error: The exception.
        remote: Whether a service answered it.
    """
    entry: dict[str, object] = {"id": os.urandom(8).hex(), "type": type(error).__name__, "remote": remote}
    try:
        entry["message"] = without_secrets(str(error)[: 5 * _MAX_MESSAGE])[:_MAX_MESSAGE]
    except Exception:  # noqa: BLE001 - whatever an exception's own __str__ raises must not hide the exception
        entry["message"] = "(its text could not be read)"
    # By hand, as `traceback.extract_tb` reads the source of each frame. A handler may pass what is no exception.
    frames = deque(traceback.walk_tb(getattr(error, "__traceback__", None)), maxlen=_MAX_FRAMES)
    if frames:
        entry["stack"] = [
            {"path": PurePath(frame.f_code.co_filename).name, "line": line or 0, "label": frame.f_code.co_name}
            for frame, line in frames
        ]
    return entry


def without_secrets(text: str) -> str:
    """Returns a text or stack trace of an exception without credentials of URLs and, by default, without their queries.

    HTTP clients write URLs into their exceptions: as they were given, as they encode them, and those of redirects.
    """
    if "@" in text:
        text = _CREDENTIALS.sub("", text)
    if "?" in text and not _state.settings.http_query:
        text = _QUERY.sub(r"\1", text)
    return text


def cause(entry: dict[str, object]) -> dict[str, object]:
    """Returns the `cause` of a segment that holds one exception."""
    try:
        directory = str(Path.cwd())
    except OSError:  # it may be gone
        directory = ""
    return {"working_directory": directory, "exceptions": [entry]}
