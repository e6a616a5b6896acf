"""Whether a span failed, and its `cause` block, by the rules of the collector's AWS X-Ray exporter.

https://github.com/open-telemetry/opentelemetry-collector-contrib/blob/main/exporter/awsxrayexporter/internal/translator/cause.go
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from .._errors import cause
from ._values import text_of

_AWS_HTTP_EVENT = "HTTP request failure"
_FILE = "  File "
_DURING = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
"""What Python writes between an exception and the one that was raised while, or because, it was handled."""

_KIND_AND_MESSAGE = re.compile(r"([^:\s]+)(?:: ?(.*))?", re.DOTALL).fullmatch


class Event(Protocol):
    """What is read of an event of a span."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def timestamp(self) -> int:
        """When it was, in nanoseconds since the epoch."""

    @property
    def attributes(self) -> Mapping[str, Any] | None:
        """What it tells."""


def failure_flags(*, failed: bool, status: int | None) -> dict[str, bool]:
    """Returns which of `fault`, `error` and `throttle` a span has.

    Args:
        failed: Whether the span's status is an error.
        status: Its HTTP status, which goes before; None where it has none.
    """
    if status is not None and 400 <= status <= 499:
        return {"error": True, "throttle": True} if status == 429 else {"error": True}
    if failed or (status is not None and 500 <= status <= 599):
        return {"fault": True}
    return {}


def take_cause(
    attributes: dict[str, Any],
    events: Sequence[Event],
    *,
    failed: bool,
    message: str,
    calls: bool,
    of_aws: bool,
    python: bool,
) -> dict[str, object] | None:
    """Returns why a span failed, and takes what says so out of its attributes.

    Args:
        attributes: The attributes that no block has taken yet.
        events: The span's events, its exceptions among them.
        failed: Whether the span's status is an error.
        message: The description of that status.
        calls: Whether the span is a call, so that its exceptions are another service's.
        of_aws: Whether it is a call of an AWS service.
        python: Whether the exceptions are Python's, whose stack traces can be read.
    """
    exceptions: list[dict[str, object]] = []
    for event in events:
        details = event.attributes or {}
        if event.name == "exception":
            exceptions += _exceptions(details, remote=calls, python=python)
        elif of_aws and event.name == _AWS_HTTP_EVENT:
            exceptions += _attempts(details, event.timestamp)
    if not exceptions:
        if not failed:
            return None
        message = message or text_of(attributes.pop("http.status_text", ""))
        if not message:
            return None
        exceptions = [{"id": _new_id(), "message": message}]
    return cause(exceptions[0]) | {"exceptions": exceptions}


def _attempts(details: Mapping[str, Any], nanoseconds: int) -> Iterator[dict[str, object]]:
    """Yields an attempt of an AWS call that failed, as AWS's instrumentations record it."""
    if "http.response.status_code" in details and "aws.http.error_message" in details:
        seconds = f"{nanoseconds // 1000 / 1_000_000:.6f}"
        yield {
            "id": _new_id(),
            "type": "aws.http.error.event",
            "remote": True,
            "message": f"{details['http.response.status_code']}@{seconds}@{details['aws.http.error_message']}",
        }


def _exceptions(details: Mapping[str, Any], *, remote: bool, python: bool) -> list[dict[str, object]]:
    """Returns an exception, and those it was raised from, as entries of which each names the next as its cause."""
    raised = _entry(text_of(details.get("exception.type")), text_of(details.get("exception.message")), remote=remote)
    trace = text_of(details.get("exception.stacktrace"))
    return [raised, *_stacks(raised, trace.split("\n"), remote=remote)] if trace and python else [raised]


def _stacks(raised: dict[str, object], lines: list[str], *, remote: bool) -> Iterator[dict[str, object]]:
    """Puts the frames of a stack trace on an exception, and yields the exceptions before it."""
    end = len(lines) - 1  # the last line is the exception itself
    while end >= 0:
        start = next((number for number in range(end - 1, -1, -1) if lines[number].startswith(_DURING)), -1)
        frames = [frame for line in reversed(lines[start + 1 : end]) if (frame := _frame(line))]
        if frames:
            raised["stack"] = frames
        before = _raised_before(lines[:start]) if start >= 0 else None
        if before is None:
            return
        earlier, end = _entry(*before[:2], remote=remote), before[2]
        raised["cause"] = earlier["id"]
        yield earlier
        raised = earlier


def _raised_before(lines: list[str]) -> tuple[str, str, int] | None:
    """Returns kind and message of an earlier exception, and where they begin; None where the trace is malformed."""
    last_frame = next((number for number in range(len(lines) - 1, -1, -1) if lines[number].startswith(_FILE)), None)
    if last_frame is None:
        return None
    start = last_frame + 1
    while start < len(lines) and lines[start].startswith("    "):  # its source, and marks below that
        start += 1
    match = _KIND_AND_MESSAGE("\n".join(lines[start:]).rstrip("\n"))
    return (match.group(1), match.group(2) or "", start) if match else None


def _frame(line: str) -> dict[str, object] | None:
    if not line.startswith(_FILE):
        return None
    parts = line.split(",")
    if len(parts) != 3:
        return None
    number = parts[1].removeprefix(" line ")
    return {
        "path": parts[0][len(_FILE) + 1 : -1],
        "line": int(number) if number.isdecimal() else 0,
        "label": parts[2].removeprefix(" in ") if parts[2].startswith(" in ") else "",
    }


def _entry(kind: str, message: str, *, remote: bool) -> dict[str, object]:
    return {"id": _new_id(), "type": kind, "remote": remote, "message": message}


def _new_id() -> str:
    return os.urandom(8).hex()
