"""The reference ingest handler: takes a JSON object over HTTP and publishes it, in the request's trace.

Answers 202 with the item's id and the id of its trace; the body is published as it came, an id added where it has none.
Environment: `TOPIC_ARN`, the topic to publish to, and `TOPIC_MAX_MESSAGE_SIZE`, the bytes it takes if it was made for
others than SNS's default. `MAX_BODY_SIZE` is how many bytes of a body are taken; without it, what an item of DynamoDB
has room for, which the reference worker puts it into. `MESSAGE_GROUP_PROPERTY` names the item's property whose text is
the message group; an item without it has none on a standard topic. On a FIFO topic the group is the item's id then, as
it is without the variable, so that what is sent about one item keeps its order.
"""

import base64
import hashlib
import json
import logging
import os
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal, DecimalException
from functools import partial
from typing import Any, NoReturn

import boto3
from boto3.dynamodb.types import DYNAMODB_CONTEXT
from botocore.config import Config
from botocore.exceptions import ClientError
from trace_bridge import TraceHeader, instrument, trace_logs

_MAX_ID_LENGTH = 256
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_MESSAGE_GROUP = re.compile(r"[!-~]{1,128}")
# What SQS takes in a message: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_NO_MESSAGE_CHARACTER = re.compile("[\ufffe\uffff]")
# What DynamoDB takes: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_LARGEST_EXPONENT = 125
_MAX_DEPTH = 31  # of 32; the worker puts the object into an attribute
_MAX_NAME_BYTES = 65_535
_MAX_ITEM_BYTES = 400 * 1024 - 2048  # of 400 KB; the worker adds attributes
# https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
_DEFAULT_TOPIC_BYTES = 262_144

_log = logging.getLogger("ingest")
instrument()
trace_logs()
# Shorter than the function's own time-out, so that a topic that does not answer is an error and no dead invocation.
_sns = boto3.client("sns", config=Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 2}))


class _RefusedError(Exception):
    """The request cannot be taken; holds the status and the reason to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Handles one request of an API Gateway REST API with Lambda proxy integration."""
    try:
        body, item = _item_of(event)
        item_id = str(item["id"])
        _publish(body, item)
    except _RefusedError as refused:
        return _answer(refused.status, {"message": refused.reason})
    _log.info("item %r is published", item_id)
    header = TraceHeader.parse(os.environ.get("_X_AMZN_TRACE_ID"))
    return _answer(202, {"id": item_id, "trace_id": header.root if header else None})


def _publish(body: str, item: Mapping[str, Any]) -> None:
    topic = os.environ["TOPIC_ARN"]
    group = _group_of(item, fifo=topic.endswith(".fifo"))
    publish = partial(_sns.publish, TopicArn=topic, Message=body)
    try:
        publish() if group is None else publish(MessageGroupId=group)
    except ClientError as error:
        info = error.response.get("Error", {})
        # The topic's own limit decides: https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
        if str(info.get("Code", "")).startswith("InvalidParameter") and "too long" in str(info.get("Message", "")):
            raise _too_large(body) from error
        raise


def _too_large(body: str) -> _RefusedError:
    size, most = len(body.encode()), min(_topic_bytes() or _DEFAULT_TOPIC_BYTES, _body_bytes())
    return _RefusedError(413, f"the body has {size} bytes; at most {most} are taken, send less")


def _topic_bytes() -> int | None:
    size = os.environ.get("TOPIC_MAX_MESSAGE_SIZE")
    return int(size) if size else None


def _body_bytes() -> int:
    size = os.environ.get("MAX_BODY_SIZE")
    return int(size) if size else _MAX_ITEM_BYTES


def _item_of(event: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Returns the item in a request: as JSON that has an id, and as the object that this is.

    Raises:
        _RefusedError: The request is none this handler takes.
    """
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise _RefusedError(415, f"content type {content_type or '(none)'} is not taken; send application/json")
    body = _text_of(event)
    item = _parsed(body)
    if not isinstance(item, dict) or not item:
        raise _RefusedError(400, "the body has to be a JSON object with at least one property")
    if "id" not in item:
        item["id"] = str(uuid.uuid4())
        body = f'{{"id": "{item["id"]}", {body[1:]}'
    item_id = item["id"]
    if not isinstance(item_id, str) or not 1 <= len(item_id) <= _MAX_ID_LENGTH:
        raise _RefusedError(400, f"id has to be a string of 1 to {_MAX_ID_LENGTH} characters, or left out")
    _check_storable(item, depth=1)
    body = _NO_MESSAGE_CHARACTER.sub(lambda match: f"\\u{ord(match[0]):04x}", body)
    most = _body_bytes()
    if len(body.encode()) > min(_topic_bytes() or most, most):
        raise _too_large(body)
    return body, item


def _text_of(event: Mapping[str, Any]) -> str:
    body = event.get("body") or ""
    try:
        text = base64.b64decode(body).decode() if event.get("isBase64Encoded") else str(body)
        text.encode()
    except ValueError as error:
        raise _RefusedError(400, f"the body is not UTF-8: {error}") from error
    return text.strip(" \t\r\n")


def _parsed(body: str) -> object:
    try:
        return json.loads(
            body,
            parse_float=_number,
            parse_int=_number,
            parse_constant=_no_number,
            object_pairs_hook=_properties,
        )
    except ValueError as error:
        raise _RefusedError(400, f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise _RefusedError(400, f"the body is nested deeper than {_MAX_DEPTH} levels") from error


def _number(text: str) -> Decimal:
    try:
        number = DYNAMODB_CONTEXT.create_decimal(text)
    except DecimalException:
        number = None
    if number is None or (number and number.adjusted() > _LARGEST_EXPONENT):
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        raise _RefusedError(
            400,
            f"the number {shown} cannot be stored; a number has at most 38 digits, and lies between 1E-128 and 1E+126",
        )
    return number


def _no_number(text: str) -> NoReturn:
    raise _RefusedError(400, f"the body is not JSON: {text} is no number")


def _properties(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _RefusedError(400, f"an object has the property {json.dumps(twice)} twice; which of them counts is open")
    return members


def _check_storable(value: object, *, depth: int) -> None:
    """Refuses what DynamoDB never takes, so that a client does not learn of success when there was none.

    Raises:
        _RefusedError: There is such a thing in the value.
    """
    if isinstance(value, str):
        _check_text(value)
        return
    if not isinstance(value, dict | list):
        return
    if depth > _MAX_DEPTH:
        raise _RefusedError(400, f"the body is nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, dict):
        for name in value:
            _check_text(name)
            if not 1 <= len(name.encode()) <= _MAX_NAME_BYTES:
                raise _RefusedError(400, f"a property's name has {len(name.encode())} bytes, expected 1 to 65535")
    for inner in value.values() if isinstance(value, dict) else value:
        _check_storable(inner, depth=depth + 1)


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _RefusedError(400, f"the body has half a character: {json.dumps(text[error.start])}") from error


def _group_of(item: Mapping[str, Any], *, fifo: bool) -> str | None:
    """Returns an item's message group; None where a standard topic's item has none."""
    value = item.get(os.environ.get("MESSAGE_GROUP_PROPERTY", ""))
    if isinstance(value, str) and value:
        return _as_group(value)
    return _as_group(item["id"]) if fifo else None


def _as_group(text: str) -> str:
    """Returns a text as a message group, which takes up to 128 ASCII letters, digits and punctuation."""
    return text if _MESSAGE_GROUP.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()


def _answer(status: int, body: Mapping[str, object]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
