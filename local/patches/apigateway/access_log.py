"""The access log of a REST API's stage, written to its log group.

Source: API Gateway Developer Guide, "Set up CloudWatch logging for REST APIs" and "Variables for access logging".
"""

import re
import time
from typing import Any

from ministack.core.responses import get_account_id, new_uuid
from ministack.services import cloudwatch_logs

_VARIABLE = re.compile(r"\$context\.([A-Za-z][\w.]*)")


def write_access_log(
    *,
    stage: dict[str, Any],
    api_id: str,
    context: dict[str, Any],
    method: str,
    path: str,
    status: int,
    length: int,
    latency: float,
    trace_id: str | None,
) -> None:
    """Writes one line, if the stage has an access log.

    Args:
        stage: The stage, as MiniStack keeps it.
        api_id: The API's id.
        context: `requestContext` of the function's event; empty for a request that reached none.
        method: The request's HTTP method.
        path: The request's path, without the stage.
        status: The answer's status.
        length: Bytes of the answer's body.
        latency: Seconds the request took.
        trace_id: The trace the request belongs to; `None` leaves `$context.xrayTraceId` at `-`.
    """
    settings = stage.get("accessLogSettings") or {}
    group = cloudwatch_logs._log_groups.get(
        str(settings.get("destinationArn", "")).partition(":log-group:")[2].removesuffix(":*")
    )
    if group is None:
        return
    identity = context.get("identity") or {}
    now = int(time.time() * 1000)
    values: dict[str, Any] = {
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime()),
        "requestTimeEpoch": now,
        "requestId": new_uuid(),
        "accountId": get_account_id(),
        "apiId": api_id,
        "stage": stage["stageName"],
        "path": f"/{stage['stageName']}{path}",
        "protocol": "HTTP/1.1",
        **{key: value for key, value in context.items() if isinstance(value, str | int)},
        **{f"identity.{key}": value for key, value in identity.items()},
        "httpMethod": method,
        "status": status,
        "responseLength": length,
        "responseLatency": int(latency * 1000),
        "xrayTraceId": trace_id,
    }
    values.setdefault("extendedRequestId", values["requestId"])
    line = _VARIABLE.sub(lambda match: _text(values.get(match[1])), str(settings.get("format", "")))
    stream = group["streams"].setdefault("access", _new_stream(now))
    cloudwatch_logs._append_log_events(stream, [{"timestamp": now, "message": line, "ingestionTime": now}])


def _text(value: object) -> str:
    # "-" stands for a variable without a value.
    return "-" if value is None or value == "" else str(value)


def _new_stream(now: int) -> dict[str, Any]:
    return {
        "events": [],
        "uploadSequenceToken": "1",
        "creationTime": now,
        "firstEventTimestamp": None,
        "lastEventTimestamp": None,
        "lastIngestionTime": None,
    }
