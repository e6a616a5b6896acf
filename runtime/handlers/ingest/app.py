"""The reference ingest handler: takes a JSON object over HTTP and publishes it, in the request's trace.

Answers 202 with the item's id and the id of its trace. Environment: `TOPIC_ARN`, the topic to publish to; on a FIFO
topic an item's id is its message group, so that what is sent about one item keeps its order.
"""

import hashlib
import json
import os
import re
import uuid
from collections.abc import Mapping
from typing import Any

import boto3
from trace_bridge import TraceHeader, instrument

_MAX_ID_LENGTH = 256
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_MESSAGE_GROUP = re.compile(r"[!-~]{1,128}")

instrument()
_sns = boto3.client("sns")


class _RefusedError(Exception):
    """The request cannot be taken; holds the status and the reason to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Handles one request of an API Gateway REST API with Lambda proxy integration."""
    try:
        item = _item_of(event)
    except _RefusedError as refused:
        return _answer(refused.status, {"message": refused.reason})
    topic, body = os.environ["TOPIC_ARN"], json.dumps(item)
    if topic.endswith(".fifo"):
        _sns.publish(TopicArn=topic, Message=body, MessageGroupId=_group_of(item["id"]))
    else:
        _sns.publish(TopicArn=topic, Message=body)
    header = TraceHeader.parse(os.environ.get("_X_AMZN_TRACE_ID"))
    return _answer(202, {"id": item["id"], "trace_id": header.root if header else None})


def _item_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """The item in a request, with an id.

    Raises:
        _RefusedError: The request is none this handler takes.
    """
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise _RefusedError(415, f"content type {content_type or '(none)'} is not taken; send application/json")
    try:
        item = json.loads(event.get("body") or "")
    except ValueError as error:
        raise _RefusedError(400, f"the body is not JSON: {error}") from error
    if not isinstance(item, dict) or not item:
        raise _RefusedError(400, "the body has to be a JSON object with at least one property")
    item_id = item.setdefault("id", str(uuid.uuid4()))
    if not isinstance(item_id, str) or not 1 <= len(item_id) <= _MAX_ID_LENGTH:
        raise _RefusedError(400, f"id has to be a string of 1 to {_MAX_ID_LENGTH} characters, or left out")
    return item


def _group_of(item_id: str) -> str:
    """The id as a message group, which takes up to 128 ASCII letters, digits and punctuation."""
    return item_id if _MESSAGE_GROUP.fullmatch(item_id) else hashlib.sha256(item_id.encode()).hexdigest()


def _answer(status: int, body: Mapping[str, object]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
