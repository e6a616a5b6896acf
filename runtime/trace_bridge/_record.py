"""The two shapes of a received message: a record of a Lambda event, and a message of boto3.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


def message_id_of(record: object) -> str:
    """Returns SQS's id of the message; empty where the record has none, or is no mapping."""
    if type(record) is dict and type(message_id := record.get("messageId")) is str:
        return message_id
    if isinstance(record, Mapping):
        message_id = record.get("messageId")
        if message_id is None:
            message_id = record.get("MessageId")
        return str(message_id or "")
    return ""


def attributes_of(record: Mapping[str, Any]) -> Mapping[str, str]:
    """Returns SQS's system attributes; empty where the record has none."""
    attributes = record.get("attributes")
    if type(attributes) is dict:
        return attributes
    return _mapping(attributes if attributes is not None else record.get("Attributes"))


def message_attributes_of(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the publisher's own attributes, in the shape they came in; empty where the record has none."""
    return _mapping(_either(record, "messageAttributes", "MessageAttributes"))


def body_of(record: Mapping[str, Any]) -> str:
    """Returns the body, as the queue holds it; empty where the record has none."""
    body = record.get("body")
    return body if type(body) is str else str(_either(record, "body", "Body") or "")


def receipt_handle_of(record: Mapping[str, Any]) -> str | None:
    """Returns the handle to delete the message with; None where the record has none."""
    handle = _either(record, "receiptHandle", "ReceiptHandle")
    return handle if isinstance(handle, str) else None


def queue_arn_of(record: Mapping[str, Any]) -> str | None:
    """Returns the ARN of the queue; None for messages of boto3, which do not carry it."""
    arn = record.get("eventSourceARN")
    return arn if isinstance(arn, str) else None


def _either(record: Mapping[str, Any], lambda_name: str, boto3_name: str) -> Any:
    value = record.get(lambda_name)
    return value if value is not None else record.get(boto3_name)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
