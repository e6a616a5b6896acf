"""Lambda: its own lines about an invocation are JSON where the function's log format is JSON.

Sources: Lambda Developer Guide, "Configuring advanced logging controls for Lambda functions" (system logs in JSON;
their levels, of which INFO is the default) and "Lambda Telemetry API Event schema reference" (`platform.start` and
`platform.report`). Their field `tracing` is left out.
"""

import json
import re
import time
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from ministack.services import cloudwatch_logs, lambda_svc

from local.propagation import request_context

Fields = dict[str, Any]

_START = re.compile(r"START RequestId: (\S+) Version: (\S+)")
_END = re.compile(r"END RequestId: \S+")
_REPORT = re.compile(
    r"REPORT RequestId: (?P<request>\S+)\tDuration: (?P<duration>\S+) ms\tBilled Duration: (?P<billed>\S+) ms"
    r"\tMemory Size: (?P<size>\d+) MB\tMax Memory Used: (?P<used>\d+) MB"
)

_level: ContextVar[str | None] = ContextVar("system_log_level", default=None)
"""The level of the lines of the invocation that is being logged; None where they are plain text."""
_failed: ContextVar[bool] = ContextVar("failed", default=False)


def install() -> None:
    """Writes Lambda's lines in the function's format, to its log group and to the subscriptions of that."""
    emit, append = lambda_svc._emit_lambda_logs, cloudwatch_logs._append_log_events
    fan_out = cloudwatch_logs._fanout_to_subscription_filters

    def emit_in_format(func: Fields, request_id: str, log: str, error: bool, duration: int, **kwargs: Any) -> None:
        logging = (func.get("config") or func).get("LoggingConfig") or {}
        level = str(logging.get("SystemLogLevel") or "INFO") if logging.get("LogFormat") == "JSON" else None
        with request_context.using(_level, level), request_context.using(_failed, bool(error)):
            emit(func, request_id, log, error, duration, **kwargs)

    def append_in_format(stream: Fields, events: Sequence[Fields]) -> None:
        append(stream, _in_format(events))

    def fan_out_in_format(group: str, stream: str, events: Sequence[Fields]) -> None:
        fan_out(group, stream, _in_format(events))

    lambda_svc._emit_lambda_logs = emit_in_format
    cloudwatch_logs._append_log_events = append_in_format
    cloudwatch_logs._fanout_to_subscription_filters = fan_out_in_format


def _in_format(events: Sequence[Fields]) -> list[Fields]:
    level = _level.get()
    if level is None:
        return list(events)
    lines = ((event, _line(event["message"], event["timestamp"], level, failed=_failed.get())) for event in events)
    return [{**event, "message": line} for event, line in lines if line is not None]


def _line(text: str, time_ms: int, level: str, *, failed: bool) -> str | None:
    """Returns a line as it is written; None where its level is not."""
    if match := _START.fullmatch(text):
        record: Fields = {"requestId": match[1], "version": match[2]}
        return _json("platform.start", time_ms, record) if level != "WARN" else None
    if match := _REPORT.match(text):
        metrics = {
            "durationMs": float(match["duration"]),
            "billedDurationMs": int(float(match["billed"])),
            "memorySizeMB": int(match["size"]),
            "maxMemoryUsedMB": int(match["used"]),
        }
        record = {"requestId": match["request"], "metrics": metrics, "status": "error" if failed else "success"}
        return _json("platform.report", time_ms, record) if failed or level != "WARN" else None
    # The end of an invocation is `platform.runtimeDone`, which is written at the level DEBUG alone.
    return None if _END.fullmatch(text) else text


def _json(kind: str, time_ms: int, record: Fields) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    written = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"
    return json.dumps({"time": written, "type": kind, "record": record})
