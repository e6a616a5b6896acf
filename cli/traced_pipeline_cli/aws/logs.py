"""Fetches what functions logged while they worked on traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ..traces.model import Segment, Trace
from ..traces.resource_types import LAMBDA_FUNCTION, LAMBDA_SERVICE
from .error_messages import describe
from .log_owners import LineOwners

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

_Window: TypeAlias = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """One event of a log group.

    Attributes:
        time: When, in seconds since the epoch.
        message: The text, as it was logged.
        trace_ids: The traces it belongs to.
        segment_id: The segment, or subsegment, of the message that it was logged for; None for a line of a whole
            invocation, or one that does not say.
    """

    time: float
    message: str
    trace_ids: tuple[str, ...]
    segment_id: str | None = None


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
    """The log group and times of one function's segments, and the owners of its lines."""

    arn: str | None = None
    group: str | None = None
    windows: list[_Window] = field(default_factory=list)
    owners: LineOwners = field(default_factory=LineOwners)


def fetch_logs(session: boto3.Session, traces: Iterable[Trace]) -> dict[str, FunctionLogs]:
    """Fetches the lines that functions logged for traces.

    The log group is the one the segments name (`aws.cloudwatch_logs`), or else the one Lambda says the function has.
    Which traces a line belongs to, `LineOwners` says. What cannot be fetched is said in `problem`, not raised.

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
    functions: dict[str, _Wanted] = {}
    for trace in traces:
        for segment in trace.segments:
            if segment.resource_type in (LAMBDA_SERVICE, LAMBDA_FUNCTION):
                _note(functions.setdefault(segment.name, _Wanted()), segment, trace)
    return functions


def _note(wanted: _Wanted, segment: Segment, trace: Trace) -> None:
    arn = segment.aws.get("function_arn") or segment.resource_arn
    wanted.arn = wanted.arn or (arn if isinstance(arn, str) else None)
    named = segment.aws.get("cloudwatch_logs")
    for entry in named if isinstance(named, list) else []:
        if isinstance(entry, dict) and isinstance(group := entry.get("log_group"), str):
            wanted.group = wanted.group or group
    end = segment.start if segment.end is None else segment.end
    wanted.windows.append((segment.start - _BEFORE, end + _AFTER))
    wanted.owners.add(segment, trace)


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
        paginator = logs.get_paginator("filter_log_events")
        for page in paginator.paginate(logGroupName=group, startTime=int(begin * 1000), endTime=int(end * 1000)):
            pages += 1
            lines.extend(_matching(page.get("events", []), wanted.owners))
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


def _matching(events: Iterable[FilteredLogEventTypeDef], owners: LineOwners) -> Iterator[LogLine]:
    for event in events:
        message = event.get("message", "")
        owner = owners.of(message, event.get("logStreamName", ""))
        if owner.trace_ids:
            yield LogLine(
                time=event.get("timestamp", 0) / 1000,
                message=message.rstrip("\n"),
                trace_ids=owner.trace_ids,
                segment_id=owner.segment_id,
            )
