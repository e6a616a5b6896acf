"""Invocations of a Lambda function, and the events of a queue that it is invoked with."""

from __future__ import annotations

import time
from typing import Any

OWN_TRACE = "1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa"
OWN_PARENT = "53995c3f42cd8ad8"
ACTIVE = f"Root={OWN_TRACE};Parent={OWN_PARENT};Sampled=1;Lineage=061379e8:0"
UNSAMPLED = f"Root={OWN_TRACE};Parent={OWN_PARENT};Sampled=0;Lineage=061379e8:0"
PASS_THROUGH = f"Root={OWN_TRACE};Lineage=061379e8:0"
SENDER = "0123456789abcdef"
_BEGAN = int(time.time()) // 86_400 * 86_400


class LambdaContext:
    """An invocation's context."""

    def __init__(self, milliseconds: int = 30_000) -> None:
        self.aws_request_id = "7f2a6f0e-0000-4000-8000-000000000000"
        self.invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


def trace_id(number: int = 1) -> str:
    """The trace of a message; begun today, the same in every process that runs tests."""
    return f"1-{_BEGAN:08x}-{number:024x}"


def header(root: str, *, sampled: str | None = "1", parent: str | None = SENDER) -> str:
    parts = [f"Root={root}"]
    parts += [f"Parent={parent}"] if parent else []
    parts += [f"Sampled={sampled}"] if sampled else []
    return ";".join(parts)


def record(number: int = 1, *, trace: str | None = None, queue: str = "orders", **more: str) -> dict[str, Any]:
    """A record of a Lambda event."""
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1795478000000",
        "ApproximateFirstReceiveTimestamp": "1795478000250",
        **more,
    }
    if trace is not None:
        attributes["AWSTraceHeader"] = trace
    return {
        "messageId": f"message-{number}",
        "receiptHandle": f"handle-{number}",
        "body": f'{{"number": {number}}}',
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:us-east-1:123456789012:{queue}",
        "attributes": attributes,
    }


def event(*records: dict[str, Any]) -> dict[str, Any]:
    return {"Records": list(records)}


def batch_of(count: int) -> dict[str, Any]:
    """An event of sampled messages, each with a trace of its own."""
    return event(*(record(number, trace=header(trace_id(number))) for number in range(1, count + 1)))
