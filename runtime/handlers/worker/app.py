"""The reference worker: writes each message's item to the table, once, in the message's trace.

Environment: `TABLE_NAME`, the table to write to; its key is the string `id`. With `TOPIC_ARN` set, an item is
published on to that topic after it was written, in the message group it came in; to a FIFO topic in the group of its
id where it came in none. A message that comes again changes nothing in the table and is published on again; one that
brings other content under an id that is taken is neither written nor published on, and the log says so. Each item that
is done is logged.
"""

import hashlib
import logging
import os
import re
from decimal import Decimal
from functools import partial
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config
from trace_bridge import Message, sqs_handler

_log = logging.getLogger("worker")
# A call is over well before a message's part of the function's time, 3 of 30 seconds, so that a table or topic that
# does not answer fails that message instead of cutting the whole invocation off.
_QUICK = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 2, "mode": "standard"})
_table = (
    boto3.resource("dynamodb", config=_QUICK).Table(os.environ["TABLE_NAME"]) if "TABLE_NAME" in os.environ else None
)
_sns = boto3.client("sns", config=_QUICK) if "TOPIC_ARN" in os.environ else None
_deserialize = TypeDeserializer().deserialize

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_MESSAGE_GROUP = re.compile(r"[!-~]{1,128}")


@sqs_handler
def handler(message: Message) -> None:
    """Handles one message; a redelivered one changes nothing."""
    item = message.json(parse_float=Decimal)
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        raise ValueError(  # noqa: TRY004 - the type is JSON's, the value is wrong
            f"message {message.message_id} holds no item: expected a JSON object with a string id"
        )
    if _table is not None and not _write_once(_table, item, message):
        return
    if _sns is not None:
        topic = os.environ["TOPIC_ARN"]
        group = message.group_id or (_group_of(item["id"]) if topic.endswith(".fifo") else None)
        publish = partial(_sns.publish, TopicArn=topic, Message=message.body)
        publish() if group is None else publish(MessageGroupId=group)
    _log.info("item %r is done", item["id"])


def _write_once(table: Any, item: dict[str, Any], message: Message) -> bool:
    """Writes the item unless one of its id is there already; False where that one has other content."""
    data = {name: value for name, value in item.items() if name != "id"}
    new = {"id": item["id"], "trace_id": message.trace_id, "message_id": message.message_id, "data": data}
    try:
        table.put_item(
            Item=new,
            ConditionExpression="attribute_not_exists(id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException as error:
        stored = {name: _deserialize(value) for name, value in error.response.get("Item", {}).items()}
        if _is_same(stored.get("data"), data):
            return True
        _log.warning(
            "item %s is there already with other content, from message %s; message %s is neither written nor "
            "published on",
            item["id"],
            stored.get("message_id"),
            message.message_id,
        )
        return False
    return True


def _is_same(left: object, right: object) -> bool:
    """Returns whether two values are the same in JSON, where true is not 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_is_same(left[name], right[name]) for name in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_is_same, left, right))
    return left == right


def _group_of(item_id: str) -> str:
    """Returns the id as a message group, which takes up to 128 ASCII letters, digits and punctuation."""
    return item_id if _MESSAGE_GROUP.fullmatch(item_id) else hashlib.sha256(item_id.encode()).hexdigest()
