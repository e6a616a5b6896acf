"""The reference worker: writes each message's item to the table, once, in the message's trace.

Environment: `TABLE_NAME`, the table to write to; its key is the string `id`. With `TOPIC_ARN` set, an item is
published on to that topic after it was written: to a FIFO topic in the message group it came in, else in that of its
id.
"""

import hashlib
import json
import os
import re
from decimal import Decimal
from typing import Any

import boto3
from trace_bridge import Message, sqs_handler

_table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"]) if "TABLE_NAME" in os.environ else None
_sns = boto3.client("sns") if "TOPIC_ARN" in os.environ else None

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_MESSAGE_GROUP = re.compile(r"[!-~]{1,128}")


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
        topic = os.environ["TOPIC_ARN"]
        if topic.endswith(".fifo"):
            group = message.group_id or _group_of(item["id"])
            _sns.publish(TopicArn=topic, Message=message.body, MessageGroupId=group)
        else:
            _sns.publish(TopicArn=topic, Message=message.body)


def _write_once(table: Any, item: dict[str, Any], message: Message) -> None:
    """Writes the item unless one of its id is there already."""
    data = {name: value for name, value in item.items() if name != "id"}
    new = {"id": item["id"], "trace_id": message.trace_id, "message_id": message.message_id, "data": data}
    try:
        table.put_item(Item=new, ConditionExpression="attribute_not_exists(id)")
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return


def _group_of(item_id: str) -> str:
    """The id as a message group, which takes up to 128 ASCII letters, digits and punctuation."""
    return item_id if _MESSAGE_GROUP.fullmatch(item_id) else hashlib.sha256(item_id.encode()).hexdigest()
