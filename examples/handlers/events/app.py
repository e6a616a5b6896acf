"""A worker that takes events of EventBridge from its queue."""

import os
from decimal import Decimal

import boto3
from trace_bridge import Message, sqs_handler

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@sqs_handler
def handler(message: Message) -> None:
    event = message.eventbridge(parse_float=Decimal)
    table.put_item(
        Item={"id": f"{event.detail_type} {event.detail['id']}", "source": event.source, "trace_id": message.trace_id}
    )
