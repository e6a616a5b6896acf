"""The program of a worker in a container: puts each message into a table, and can be held in the middle of one."""

import json
import os
import time
from pathlib import Path

import boto3
from trace_bridge import Message, poll

_FOLDER = Path(os.environ["HELD_IN"])
_ENDS_AFTER_SECONDS = 300.0
table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


def handle(message: Message) -> None:
    """Puts the message into the table; one that asks for it is held before, until a file says that it may go on."""
    order = message.json()
    if order.get("held"):
        (_FOLDER / f"{order['id']}.begun").touch()
        _wait_for(_FOLDER / "released")
    table.put_item(Item={"id": order["id"], "order": json.dumps(order)})


def _wait_for(file: Path) -> None:
    ends = time.monotonic() + _ENDS_AFTER_SECONDS
    while not file.exists():
        if time.monotonic() > ends:
            raise TimeoutError(f"{file} is not there after {_ENDS_AFTER_SECONDS:g} s")
        time.sleep(0.02)


def set_up_spans() -> None:
    """Sets up OpenTelemetry as an application does, with the exporter that needs no collector."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from trace_bridge.otel import XRaySpanExporter

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(XRaySpanExporter()))
    trace.set_tracer_provider(provider)


if __name__ == "__main__":
    if os.environ.get("TRACE_BRIDGE_ENGINE") == "otel":
        set_up_spans()
    poll(
        os.environ["QUEUE_URL"],
        handle,
        max_messages=int(os.environ["MESSAGES_A_CALL"]),
        wait_seconds=1,
        visibility_seconds=3,
    )
