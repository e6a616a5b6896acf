"""Finds in a function's log why it failed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from ..json_text import read_json

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

_READ_AT_MOST = 1000
# Lambda's plain-text log: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html.
_TEXT_ERRORS = (
    re.compile(r"\[(?:ERROR|CRITICAL)\]\s+(?:\S+Z\s+[0-9a-f-]{36}\s+)?(?P<text>.+)"),
    re.compile(r"(?:\S+Z\s+[0-9a-f-]{36}\s+)?(?P<text>Task timed out after .+)"),
    # The bridge's own word, where the function's log has no levels.
    re.compile(r"(?P<text>message \S+ failed: .+)"),
)


_NEVER_BEGUN = re.compile(r"\d+ of \d+ messages were never begun: (?P<why>[^;]+);.*")
_NEVER_BEGUN_REASON = "never begun: "


def first_error(client: CloudWatchLogsClient, group: str, since: float) -> str | None:
    """Returns the first error a function logged, in a line; None where there is none.

    Args:
        client: The CloudWatch Logs client.
        group: The function's log group.
        since: From when on, in seconds since the epoch.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
    """
    return next(_errors(client, group, since, ""), None)


def error_about(client: CloudWatchLogsClient, group: str, since: float, message_id: str) -> str | None:
    """Why a message was not done, by the last line of the log that says so; None where there is none.

    The bridge's own words about the message come before an error that names it among others.

    Args:
        client: The CloudWatch Logs client.
        group: The function's log group.
        since: From when on, in seconds since the epoch.
        message_id: The message's id.

    Raises:
        botocore.exceptions.ClientError: AWS refused.
    """
    errors = list(_errors(client, group, since, f'"{message_id}"'))
    failed = f"message {message_id} failed: "
    of_the_bridge = [line for line in errors if line.startswith((failed, _NEVER_BEGUN_REASON))]
    lines = of_the_bridge or errors
    return lines[-1].removeprefix(failed) if lines else None


def _errors(client: CloudWatchLogsClient, group: str, since: float, pattern: str) -> Iterator[str]:
    # An empty pattern matches every event.
    pages = client.get_paginator("filter_log_events").paginate(
        logGroupName=group, startTime=int(since * 1000), filterPattern=pattern
    )
    events = (event for page in pages for event in page.get("events", []))
    for event in islice(events, _READ_AT_MOST):
        if (error := error_in(event.get("message", ""))) is not None:
            yield error


def error_in(line: str) -> str | None:
    """Returns the error in a line of a function's log, JSON or text; None where it is none.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
    """
    value = read_json(line)
    if value is None:
        if never_begun := _never_begun(line):
            return never_begun
        matches = [match for error in _TEXT_ERRORS if (match := error.match(line)) is not None]
        return " ".join(matches[0]["text"].split()) if matches else None
    if not isinstance(value, dict):
        return None
    record = value.get("record")
    if isinstance(record, dict) and record.get("status") in ("error", "failure", "timeout"):
        return f"the invocation ended with {record.get('errorType') or record['status']}"
    if never_begun := _never_begun(value.get("message")):
        return never_begun
    if value.get("level") not in ("ERROR", "CRITICAL", "FATAL") and "errorType" not in value:
        return None
    error = ": ".join(str(value[key]) for key in ("errorType", "errorMessage") if value.get(key))
    message = value.get("message")
    return " ".join((message if isinstance(message, str) and message else error).split()) or None


def _never_begun(text: object) -> str | None:
    """What the bridge warns of where messages were left for another invocation."""
    match = _NEVER_BEGUN.search(text) if isinstance(text, str) else None
    return f"{_NEVER_BEGUN_REASON}{match['why']}" if match else None
