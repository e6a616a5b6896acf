"""The log group of Transaction Search, `aws/spans`, in MiniStack's CloudWatch Logs.

Source: CloudWatch User Guide, "Spans": "spans cannot be sent to CloudWatch Logs with the PutLogEvents API";
subscriptions get "a real-time feed of span events". The log group is there with its first span, and its one stream is
called `default`: assumed, as is the code of the error.
"""

import json
import time
from collections.abc import Sequence
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs

from local.xray.otlp.records import Record
from local.xray.span_log import LOG_GROUP, MAX_RECORD_BYTES

_STREAM = "default"


def install() -> None:
    """Keeps everybody but X-Ray from writing to the log group."""
    put = cloudwatch_logs._put_log_events

    def put_elsewhere(data: dict[str, Any]) -> Any:
        if data.get("logGroupName") == LOG_GROUP:
            message = f"The log group {LOG_GROUP} takes spans from X-Ray alone"
            return error_response_json("InvalidParameterException", message, 400)
        return put(data)

    cloudwatch_logs._put_log_events = put_elsewhere


def write(records: Sequence[Record]) -> None:
    """Writes records to the log group."""
    now = int(time.time() * 1000)
    lines = [json.dumps(record) for record in records]
    events = [{"timestamp": now, "message": line} for line in lines if len(line.encode()) <= MAX_RECORD_BYTES]
    if not events:
        return
    if LOG_GROUP not in cloudwatch_logs._log_groups:
        cloudwatch_logs._create_log_group({"logGroupName": LOG_GROUP})
    group = cloudwatch_logs._log_groups[LOG_GROUP]
    if _STREAM not in group["streams"]:
        cloudwatch_logs._create_log_stream({"logGroupName": LOG_GROUP, "logStreamName": _STREAM})
    stored = [{**event, "ingestionTime": now} for event in events]
    cloudwatch_logs._append_log_events(group["streams"][_STREAM], stored)
    cloudwatch_logs._fanout_to_subscription_filters(LOG_GROUP, _STREAM, events)
