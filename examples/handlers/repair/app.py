"""A worker on a dead-letter queue: it keeps what could not be billed, for people to look into."""

import os

import boto3
from trace_bridge import Message, sqs_handler

unbilled = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@sqs_handler
def handler(message: Message) -> None:
    if os.environ.get("PAUSED"):
        raise RuntimeError("repairs are paused")
    unbilled.put_item(Item={"id": message.json()["id"], "order": message.body, "trace_id": message.trace_id})
