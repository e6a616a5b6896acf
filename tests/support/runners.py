"""The ways to run a handler over a batch: each does some work for every message."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
)
from trace_bridge import Message, continue_trace, poll, sqs_handler, trace_batch

from tests.support import bridge
from tests.support.lambda_events import LambdaContext
from tests.support.lambda_process import Process

Runner = Callable[[Process, Callable[[], object], dict[str, Any]], Any]


def sync(_process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """`sqs_handler`, one message after another."""

    @sqs_handler
    def handler(_message: Message) -> None:
        work()

    return handler(batch, LambdaContext())


def async_(_process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """`sqs_handler` of an `async def`, messages side by side."""

    @sqs_handler(max_workers=4)
    async def handler(_message: Message) -> None:
        await asyncio.to_thread(work)

    return handler(batch, LambdaContext())


def threads(_process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """`sqs_handler`, messages side by side in threads."""

    @sqs_handler(max_workers=4)
    def handler(_message: Message) -> None:
        work()

    return handler(batch, LambdaContext())


def fifo(_process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """`sqs_handler`, for a FIFO queue."""

    @sqs_handler
    def handler(_message: Message) -> None:
        work()

    for item in batch["Records"]:
        item["eventSourceARN"] += ".fifo"
        item["attributes"]["MessageGroupId"] = "all"
    return handler(batch, LambdaContext())


def own_loop(_process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """A loop of the handler's own."""
    context = LambdaContext()
    for item in batch["Records"]:
        with continue_trace(item, context):
            work()
    return {"batchItemFailures": []}


def powertools(_process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """Powertools' batch processor."""
    context = LambdaContext()

    def one(record: Any) -> None:
        with continue_trace(record.raw_event, context):
            work()

    with trace_batch(context):
        return process_partial_response(batch, one, BatchProcessor(event_type=EventType.SQS), context)  # type: ignore[arg-type]


def powertools_async(_process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """Powertools' batch processor for `async def`."""
    context = LambdaContext()

    async def one(record: Any) -> None:
        with continue_trace(record.raw_event, context):
            await asyncio.to_thread(work)

    # Powertools makes an event loop where there is none, and leaves it open.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with trace_batch(context):
            processor = AsyncBatchProcessor(event_type=EventType.SQS)
            return async_process_partial_response(batch, one, processor, context)  # type: ignore[arg-type]
    finally:
        loop.run_until_complete(loop.shutdown_default_executor())
        asyncio.set_event_loop(None)
        loop.close()


def zero_code(process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """A team's unchanged handler behind `trace_bridge.auto`."""
    team: Any = ModuleType("team_of_zero_code")
    team.handler = lambda _event, _context: work()
    process.monkeypatch.setitem(sys.modules, team.__name__, team)
    process.monkeypatch.setenv("TRACE_BRIDGE_HANDLER", f"{team.__name__}.handler")
    process.monkeypatch.delitem(sys.modules, "trace_bridge.auto", raising=False)
    return importlib.import_module("trace_bridge.auto").handler(batch, LambdaContext())


def polled(process: Process, work: Callable[[], object], batch: dict[str, Any]) -> Any:
    """`poll`, in a container."""
    for name in ("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_LOG_GROUP_NAME", "LAMBDA_TASK_ROOT"):
        process.monkeypatch.delenv(name)
    process.monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", "http://127.0.0.1/v4")
    process.monkeypatch.setenv("AWS_XRAY_TRACING_NAME", "worker")
    bridge.forget_invocation()
    messages = [
        {
            "MessageId": item["messageId"],
            "ReceiptHandle": item["receiptHandle"],
            "Body": item["body"],
            "Attributes": item["attributes"],
        }
        for item in batch["Records"]
    ]
    stop = threading.Event()

    def answer(path: str, body: Any) -> tuple[int, dict[str, Any]]:
        if path != "/" or "MaxNumberOfMessages" not in body:
            return 200, {}
        given, messages[:] = messages[:], []
        if not given:
            stop.set()
        return 200, {"Messages": given}

    process.services.answer = answer
    queue = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
    poll(queue, lambda _message: work(), client=process.client("sqs"), stop=stop, wait_seconds=0)
    bridge.forget_invocation()
    return {"batchItemFailures": []}


RUNNERS: dict[str, Runner] = {
    "sync": sync,
    "async": async_,
    "threads": threads,
    "FIFO": fifo,
    "own loop": own_loop,
    "Powertools": powertools,
    "Powertools async": powertools_async,
    "zero code": zero_code,
    "poll": polled,
}
