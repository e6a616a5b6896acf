"""A worker's handler that stores what it was given, and no body, which may be larger than an item."""

import os
import tempfile

import boto3
import shop_tools  # type: ignore[import-not-found]  # of a layer
from trace_bridge import Message, sqs_handler

_table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@sqs_handler
def handler(message: Message) -> None:
    """Stores how much of an order came, its group, and what the function has."""
    with tempfile.TemporaryFile() as file:
        size = file.write(message.body.encode())
    _table.put_item(
        Item={
            "id": f"{message.json()['id']} {os.environ['WORKER']}",
            "bytes": size,
            "group": message.group_id,
            "tool": shop_tools.NAME,
            "version": os.environ["AWS_LAMBDA_FUNCTION_VERSION"],
            "trace_id": message.trace_id,
        }
    )
