"""The fields of a log event: those that every event has, and those that are discovered in its message.

Source: CloudWatch Logs User Guide, "Supported logs and discovered fields": JSON in dot notation, arrays by index, at
most 200 fields; of a Lambda log also the first fragment of JSON in a line, and the fields of START, END and REPORT.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from local.logs_insights.values import TIMESTAMP, Instant, Row, Value

_MOST_FIELDS = 200
_LAMBDA_STREAM = re.compile(r"\d{4}/\d{2}/\d{2}/\[")
_LAMBDA_LINE = re.compile(r"(START|END|REPORT) RequestId: (\S+)")
_REPORTED = {
    "@duration": (re.compile(r"\tDuration: ([\d.]+) ms"), 1.0),
    "@billedDuration": (re.compile(r"Billed Duration: ([\d.]+) ms"), 1.0),
    # The User Guide's sample divides by 1000 twice for megabytes.
    "@memorySize": (re.compile(r"Memory Size: ([\d.]+) MB"), 1e6),
    "@maxMemoryUsed": (re.compile(r"Max Memory Used: ([\d.]+) MB"), 1e6),
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """A log event.

    Attributes:
        pointer: What `GetLogRecord` finds it by.
        account: The account of its log group.
        group: The log group's name.
        stream: The log stream's name.
        time_ms: When it happened, in milliseconds since 1970.
        ingestion_ms: When CloudWatch Logs received it.
        message: Its text.
    """

    pointer: str
    account: str
    group: str
    stream: str
    time_ms: int
    ingestion_ms: int
    message: str


def row_of(event: Event) -> Row:
    """Returns all fields of an event."""
    discovered: dict[str, Value] = {}
    of_lambda = _LAMBDA_STREAM.match(event.stream) is not None
    for name, value in _flat("", _json_in(event.message, anywhere=of_lambda)):
        if len(discovered) == _MOST_FIELDS:
            break
        discovered[f"@{name}" if name.startswith("@") else name] = value
    if of_lambda:
        discovered.update(_of_lambda(event.message))
    return {
        **discovered,
        "@ptr": event.pointer,
        TIMESTAMP: Instant(event.time_ms),
        "@ingestionTime": Instant(event.ingestion_ms),
        "@message": event.message,
        "@logStream": event.stream,
        "@log": f"{event.account}:{event.group}",
    }


def _json_in(message: str, *, anywhere: bool) -> object:
    start = message.find("{")
    if start < 0 or (message[:start].strip() and not anywhere):
        return None
    try:
        found, end = json.JSONDecoder(parse_int=float).raw_decode(message, start)
    except (ValueError, RecursionError):
        return None
    return found if anywhere or not message[end:].strip() else None


def _flat(path: str, value: object) -> Iterator[tuple[str, Value]]:
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            yield from _flat(f"{path}.{name}" if path else str(name), member)
    elif isinstance(value, bool):
        yield path, str(value).lower()
    elif isinstance(value, str | float):
        yield path, value


def _of_lambda(message: str) -> dict[str, Value]:
    line = _LAMBDA_LINE.match(message)
    if line is None:
        return {}
    fields: dict[str, Value] = {"@type": line[1], "@requestId": line[2]}
    for name, (pattern, unit) in _REPORTED.items():
        if match := pattern.search(message):
            fields[name] = float(match[1]) * unit
    return fields
