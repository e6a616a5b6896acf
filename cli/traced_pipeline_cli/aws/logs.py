"""Fetches what functions logged while they worked on traces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..traces.model import Segment, Trace
from ..traces.resource_types import LAMBDA_FUNCTION, LAMBDA_SERVICE
from .error_messages import describe

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_logs.type_defs import FilteredLogEventTypeDef

# Lambda may write an invocation's last lines after the segment's end, and clocks differ a little.
_BEFORE, _AFTER = 2.0, 10.0
# FilterLogEvents answers at most 10,000 events a page:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html.
_PAGES = 10
_LINES = 2_000
_STARTS = re.compile(r"START RequestId: (\S+)")

_Window: TypeAlias = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One event of a log group.

    Attributes:
        time: When, in seconds since the epoch.
        message: The text, as it was logged.
        trace_ids: The traces it belongs to, by their ids or by the invocation's request id.
    """

    time: float
    message: str
    trace_ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionLogs:
    """What one function logged for a set of traces.

    Attributes:
        group: The log group; None where it could not be found out.
        lines: The lines of the traces, in order of time.
        problem: Why there are none, or not all; None where nothing is known to be missing.
    """

    group: str | None
    lines: tuple[LogLine, ...]
    problem: str | None


@dataclass
class _Wanted:
    """The log group, times and ids of one function's segments, whose lines are wanted."""

    arn: str | None = None
    group: str | None = None
    windows: list[_Window] = field(default_factory=list)
    ids: dict[str, dict[str, None]] = field(default_factory=dict)


def fetch_logs(session: boto3.Session, traces: Iterable[Trace]) -> dict[str, FunctionLogs]:
    """Fetches the lines that functions logged for traces.

    The log group is the one the segments name (`aws.cloudwatch_logs`), or else the one Lambda says the function has.
    A line belongs to a trace where it holds the trace's id or the request id of one of its invocations, or where it
    stands, in its log stream, behind the start of such an invocation. What cannot be fetched is said in `problem`, not
    raised.

    Args:
        session: Whose credentials and region are used.
        traces: The traces.

    Returns:
        By the function's name, for every function the traces passed.
    """
    wanted = _wanted(traces)
    if not wanted:
        return {}
    logs, functions = session.client("logs"), session.client("lambda")
    return {name: _fetch(name, function, logs, functions) for name, function in wanted.items()}


def _wanted(traces: Iterable[Trace]) -> dict[str, _Wanted]:
    found: dict[str, _Wanted] = {}
    for trace in traces:
        for segment in trace.segments:
            if segment.resource_type in (LAMBDA_SERVICE, LAMBDA_FUNCTION):
                _note(found.setdefault(segment.name, _Wanted()), segment, trace)
    return found


def _note(wanted: _Wanted, segment: Segment, trace: Trace) -> None:
    arn = segment.aws.get("function_arn") or segment.resource_arn
    wanted.arn = wanted.arn or (arn if isinstance(arn, str) else None)
    named = segment.aws.get("cloudwatch_logs")
    for entry in named if isinstance(named, list) else []:
        if isinstance(entry, dict) and isinstance(group := entry.get("log_group"), str):
            wanted.group = wanted.group or group
    end = segment.start if segment.end is None else segment.end
    wanted.windows.append((segment.start - _BEFORE, end + _AFTER))
    for known in (trace.id, segment.aws.get("request_id")):
        if isinstance(known, str) and known:
            wanted.ids.setdefault(known, {})[trace.id] = None


def _fetch(name: str, wanted: _Wanted, logs: CloudWatchLogsClient, functions: LambdaClient) -> FunctionLogs:
    region = (wanted.arn or "").split(":")[3:4]
    if region and region[0] != logs.meta.region_name:
        problem = f"The function is in {region[0]}; logs were searched in {logs.meta.region_name} only."
        return FunctionLogs(group=wanted.group, lines=(), problem=problem)
    group = wanted.group
    try:
        if group is None:
            configuration = functions.get_function_configuration(FunctionName=wanted.arn or name)
            group = configuration.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"
        return _read(group, wanted, logs)
    except (ClientError, BotoCoreError) as error:
        return FunctionLogs(group=group, lines=(), problem=describe(error))


def _read(group: str, wanted: _Wanted, logs: CloudWatchLogsClient) -> FunctionLogs:
    lines: list[LogLine] = []
    problem = None
    pages = 0
    for begin, end in _merged(wanted.windows):
        streams: dict[str, str] = {}
        paginator = logs.get_paginator("filter_log_events")
        for page in paginator.paginate(logGroupName=group, startTime=int(begin * 1000), endTime=int(end * 1000)):
            pages += 1
            lines.extend(_matching(page.get("events", []), wanted.ids, streams))
            if pages >= _PAGES or len(lines) >= _LINES:
                problem = f"Only the first {len(lines):,} lines were fetched; there may be more."
                break
        if problem is not None:
            break
    else:
        if not lines:
            problem = "There are no lines: the function wrote none, or the group no longer keeps them."
    return FunctionLogs(group=group, lines=tuple(sorted(lines, key=lambda line: line.time)), problem=problem)


def _merged(windows: Sequence[_Window]) -> list[_Window]:
    merged: list[_Window] = []
    for begin, end in sorted(windows):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _matching(
    events: Iterable[FilteredLogEventTypeDef], ids: dict[str, dict[str, None]], streams: dict[str, str]
) -> Iterator[LogLine]:
    for event in events:
        message, stream = event.get("message", ""), event.get("logStreamName", "")
        if started := _started(message):
            streams[stream] = started
        traces = {trace: None for known, of in ids.items() if known in message for trace in of}
        if not traces:
            traces = ids.get(streams.get(stream, ""), {})
        if traces:
            yield LogLine(time=event.get("timestamp", 0) / 1000, message=message.rstrip("\n"), trace_ids=tuple(traces))


def _started(message: str) -> str | None:
    """Returns the request id of an invocation that begins with this line, in Lambda's text or JSON format.

    See https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html.
    """
    if match := _STARTS.match(message):
        return match.group(1)
    if '"platform.start"' not in message:
        return None
    try:
        parsed = json.loads(message)
    except ValueError:
        return None
    record = parsed.get("record") if isinstance(parsed, dict) else None
    request = record.get("requestId") if isinstance(record, dict) else None
    return request if isinstance(request, str) else None
