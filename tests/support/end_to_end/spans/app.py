"""A worker's handler with spans of its own, by OpenTelemetry's API alone."""

import os

import boto3
from opentelemetry import trace
from trace_bridge import Message, sqs_handler

_table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
_tracer = trace.get_tracer("orders")


@sqs_handler
def handler(message: Message) -> None:
    """Prices an order and stores it."""
    order = message.json()
    with _tracer.start_as_current_span("price") as span:
        span.set_attribute("order.id", order["id"])
        if order["amount"] == 0:
            raise ValueError("the order has no amount")
    _table.put_item(Item={"id": order["id"], "trace_id": message.trace_id})
