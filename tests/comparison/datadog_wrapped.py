"""Runs a bridged handler below Datadog's own, and prints what it returned, saw and logged.

It is run beside Datadog's packages, once in a process: to import their handler is to wrap ours.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

HANDLER = """
import logging

from trace_bridge import Message, sqs_handler

seen = []


@sqs_handler
def handler(message: Message) -> None:
    from ddtrace import tracer

    context = tracer.current_trace_context()
    seen.append([message.message_id, None if context is None else str(context.trace_id)])
    logging.getLogger("shop").warning("here")
    if message.body == "fail":
        raise ValueError(message.body)
"""
ROOT_ID = "1-5e61292c-cc1229a4dfbeae1043928548"


def main(folder: str, event: str) -> None:
    """Prints result, traces that are current in each message, and fields of each line.

    Args:
        folder: An empty folder for the handler.
        event: The bodies and Datadog trace ids of the batch's messages, as JSON.
    """
    (Path(folder) / "shop_app.py").write_text(HANDLER)
    sys.path.insert(0, folder)
    lines: list[dict[str, Any]] = []
    keep = logging.Handler()
    keep.emit = lambda record: lines.append(vars(record)) if record.name == "shop" else None  # type: ignore[method-assign]
    logging.getLogger().addHandler(keep)

    from datadog_lambda import handler as datadog

    records = [_record(number, *message) for number, message in enumerate(json.loads(event))]
    result = datadog.handler({"Records": records}, _context())
    seen = sys.modules["shop_app"].seen
    fields = [{k: str(v) for k, v in line.items() if k in _FIELDS} for line in lines]
    print(json.dumps({"result": result, "seen": seen, "lines": fields}))  # noqa: T201 - for the test


_FIELDS = ("dd.trace_id", "dd.span_id", "xray_trace_id", "segment_id", "message_id")


def _record(number: int, body: str, trace_id: int | None) -> dict[str, Any]:
    attributes = {
        "AWSTraceHeader": f"Root={ROOT_ID};Parent=53995c3f42cd8ad8;Sampled=1",
        "SentTimestamp": "1700000000000",
        "ApproximateReceiveCount": "1",
    }
    propagated: dict[str, Any] = {}
    if trace_id is not None:
        header = {
            "x-datadog-trace-id": str(trace_id),
            "x-datadog-parent-id": "7",
            "x-datadog-sampling-priority": "1",
        }
        propagated["_datadog"] = {"stringValue": json.dumps(header), "dataType": "String"}
    return {
        "messageId": f"m{number}",
        "body": body,
        "attributes": attributes,
        "messageAttributes": propagated,
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:111111111111:jobs",
        "awsRegion": "eu-west-1",
    }


def _context() -> SimpleNamespace:
    return SimpleNamespace(
        aws_request_id="7f2a6f0e-0000-4000-8000-000000000000",
        function_name="worker",
        function_version="$LATEST",
        memory_limit_in_mb=128,
        invoked_function_arn="arn:aws:lambda:eu-west-1:111111111111:function:worker",
        client_context=None,
        get_remaining_time_in_millis=lambda: 30_000,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
