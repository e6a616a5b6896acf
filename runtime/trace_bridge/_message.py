"""One SQS message, in its two shapes: a record of a Lambda event, and a message of boto3.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Message.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from . import _state
from ._config import ENVELOPES, Envelope, checked_choice

if TYPE_CHECKING:
    from ._event_bodies import EventBridgeEvent, S3Object
    from ._header import TraceHeader

_decoder = json.JSONDecoder()
_decode, _begin_of = _decoder.decode, _decoder.raw_decode


class Message:
    """A message of a queue: what was sent, and what SQS says of it.

    Reads both shapes: a record of a Lambda event (`messageId`, `body`, `attributes`) and a message of boto3
    (`MessageId`, `Body`, `Attributes`). Nothing is parsed before it is asked for.

    Args:
        record: The record or message.
        envelope: What stands around the body in the queue: `none`, or `sns` where the queue's subscription has raw
            message delivery off. Default: `TRACE_BRIDGE_ENVELOPE`, else `none`. Nothing in a body decides it, since
            whoever may publish chooses a body's words.

    Raises:
        ConfigurationError: `envelope` is neither.
    """

    __slots__ = ("_body", "_envelope", "record")

    record: Mapping[str, Any]
    """The record as it came."""

    def __init__(self, record: Mapping[str, Any], *, envelope: Envelope | None = None) -> None:
        self.record = record
        self._body: str | None = None
        self._envelope = envelope
        if envelope is not None:
            checked_choice("envelope", envelope, ENVELOPES)

    def __repr__(self) -> str:
        return f"Message(message_id={self.message_id!r})"

    @property
    def message_id(self) -> str:
        """SQS's id of the message; empty when the record has none. A redrive gives the message a new one."""
        return message_id_of(self.record)

    @property
    def body(self) -> str:
        """The body, as the queue holds it; with the envelope `sns`, the message inside SNS's envelope.

        A body that is in no such envelope, as of a message that was sent to the queue itself, is given as it is.
        https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
        """
        if self._body is None:
            body = self.record.get("body")
            if type(body) is not str:
                body = body_of(self.record)
            in_envelope = (self._envelope or _state.settings.envelope) == "sns"
            self._body = _inside_envelope(body) if in_envelope else body
        return self._body

    def json(
        self,
        *,
        parse_float: Callable[[str], Any] | None = None,
        parse_int: Callable[[str], Any] | None = None,
    ) -> Any:
        """Returns the body parsed as JSON.

        Args:
            parse_float: Makes a number of the text of one with a fraction or an exponent; `decimal.Decimal` keeps it
                as it is, which DynamoDB's resource needs. Default: `float`.
            parse_int: The same for whole numbers. Default: `int`.

        Raises:
            ValueError: The body is not JSON; the message names the message id and the place.
        """
        try:
            if parse_float is parse_int is None:
                return _parsed(self.body)
            return json.loads(self.body, parse_float=parse_float, parse_int=parse_int)
        except ValueError as error:
            raise ValueError(
                f"message {self.message_id or '(no id)'} has a body that is not JSON: {error}; "
                "use message.body for text"
            ) from error

    def eventbridge(
        self,
        *,
        parse_float: Callable[[str], Any] | None = None,
        parse_int: Callable[[str], Any] | None = None,
    ) -> EventBridgeEvent:
        """Returns the body as an event that a rule of EventBridge delivered, with its `detail` parsed.

        https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html

        Args:
            parse_float: As for `json`.
            parse_int: As for `json`.

        Raises:
            ValueError: The body is no such event; the message names the message id.
        """
        from ._event_bodies import eventbridge_event  # few handlers need it

        return eventbridge_event(self.body, message_id=self.message_id, parse_float=parse_float, parse_int=parse_int)

    def s3_objects(self) -> tuple[S3Object, ...]:
        """Returns the objects that the body, a notification of S3, is about.

        Empty for the test event, which S3 sends when notifications are set up.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

        Raises:
            ValueError: The body is no such notification; the message names the message id.
        """
        from ._event_bodies import s3_objects  # few handlers need it

        return s3_objects(self.body, message_id=self.message_id)

    @property
    def attributes(self) -> Mapping[str, str]:
        """SQS's system attributes (`SentTimestamp`, `ApproximateReceiveCount`, …); empty when there are none."""
        return attributes_of(self.record)

    @property
    def message_attributes(self) -> Mapping[str, Any]:
        """The publisher's own attributes, in the shape they came in."""
        return message_attributes_of(self.record)

    @property
    def trace_header(self) -> TraceHeader | None:
        """The trace the message belongs to; None when it carries no valid header."""
        from ._header import TraceHeader

        return TraceHeader.parse(self.attributes.get("AWSTraceHeader"))

    @property
    def trace_id(self) -> str | None:
        """Id of the trace the message belongs to, `1-…-…`; None when it carries no valid header."""
        header = self.trace_header
        return header.root if header else None

    @property
    def attempt(self) -> int:
        """How many times the message was received, this time included; 1 when SQS does not say."""
        return self._number("ApproximateReceiveCount") or 1

    @property
    def sent_at(self) -> float | None:
        """When the message was put on the queue, in seconds since the epoch."""
        return _seconds(self._number("SentTimestamp"))

    @property
    def first_received_at(self) -> float | None:
        """When the message was first received, in seconds since the epoch."""
        return _seconds(self._number("ApproximateFirstReceiveTimestamp"))

    @property
    def queue_ms(self) -> int | None:
        """Milliseconds the message waited before it was first received, never below 0; None when SQS does not say."""
        sent = self._number("SentTimestamp")
        first = self._number("ApproximateFirstReceiveTimestamp")
        return None if sent is None or first is None else max(0, first - sent)

    @property
    def group_id(self) -> str | None:
        """The message group of a FIFO queue; None on a standard queue."""
        return self.attributes.get("MessageGroupId")

    @property
    def queue_arn(self) -> str | None:
        """ARN of the queue; None for messages of boto3, which do not carry it."""
        return queue_arn_of(self.record)

    @property
    def receipt_handle(self) -> str | None:
        """The handle to delete the message or to change its visibility with."""
        return receipt_handle_of(self.record)

    def _number(self, attribute: str) -> int | None:
        return number_of(self.attributes, attribute)


def _parsed(body: str) -> Any:
    """Returns a body parsed as JSON: without looking for white space around it, half of the time, where there is none.

    Raises:
        ValueError: The body is not JSON.
    """
    try:
        value, end = _begin_of(body)
    except ValueError:
        return _decode(body)
    return value if end == len(body) else _decode(body)


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _inside_envelope(body: str) -> str:
    """Returns the message inside an SNS envelope, or the body itself where there is no envelope.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """
    try:
        envelope = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(envelope, dict) or envelope.get("Type") != "Notification" or "TopicArn" not in envelope:
        return body
    message = envelope.get("Message")
    return message if isinstance(message, str) else body


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


def number_of(attributes: Mapping[str, str], name: str) -> int | None:
    """Returns an attribute that is a number; None where SQS does not say."""
    try:
        return int(attributes[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


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
