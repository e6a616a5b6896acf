"""The tracing header of a call to an AWS API, kept for whatever the call sets off."""

import time
from typing import Any

from ministack import app

from local.propagation import request_context

# The APIs that propagate a caller's header: Invoke, Publish and PublishBatch, SendMessage and SendMessageBatch,
# PutEvents, StartExecution, and those of S3 that notifications are about.
_SERVICES = ("events", "lambda", "s3", "sns", "sqs", "states")


def install() -> None:
    """Keeps `X-Amzn-Trace-Id` of every call to these services in `request_context.inbound`, and when it came."""
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
