"""The reference worker: writes each message's item to the table, once, in the message's trace.

Environment: `TABLE_NAME`, the table to write to; its key is the string `id`. With `TOPIC_ARN` set, an item is
published on to that topic after it was written.
"""

import json
import os
from decimal import Decimal
from typing import Any

import boto3
from trace_bridge import Message, sqs_handler

_table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"]) if "TABLE_NAME" in os.environ else None
_sns = boto3.client("sns") if "TOPIC_ARN" in os.environ else None


@sqs_handler
def handler(message: Message) -> None:
    """Handles one message; a redelivered one changes nothing."""
    item = json.loads(message.body, parse_float=Decimal)
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise ValueError(  # noqa: TRY004 - the type is JSON's, the value is wrong
            f"message {message.message_id} holds no item: expected a JSON object with a string id"
        )
    if _table is not None:
        _write_once(_table, item, message)
    if _sns is not None:
        _sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=message.body)


def _write_once(table: Any, item: dict[str, Any], message: Message) -> None:
    """Writes the item unless one of its id is there already."""
    data = {name: value for name, value in item.items() if name != "id"}
    new = {"id": item["id"], "trace_id": message.trace_id, "message_id": message.message_id, "data": data}
    try:
        table.put_item(Item=new, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return
