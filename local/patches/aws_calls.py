"""The tracing header of a call to an AWS API, kept for whatever the call sets off."""

import time
from typing import Any

from ministack import app

from local.propagation import request_context

# The APIs that pass a caller's header on: Invoke, Publish and PublishBatch, SendMessage and SendMessageBatch.
_SERVICES = ("lambda", "sns", "sqs")


def install() -> None:
    """Keeps `X-Amzn-Trace-Id` of every call to Lambda, SNS and SQS in `flow.inbound`, and when it came."""
    for service in _SERVICES:
        app.SERVICE_HANDLERS[service] = _keeping_header(app.SERVICE_HANDLERS[service])


def _keeping_header(handler: Any) -> Any:
    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]) -> Any:
        with (
            request_context.using(request_context.inbound, headers.get("x-amzn-trace-id")),
            request_context.using(request_context.received, time.time()),
        ):
            return await handler(method, path, headers, body, query)

    return handle
