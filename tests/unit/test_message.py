"""Messages, as Lambda and as boto3 shape them."""

import json
from decimal import Decimal
from typing import Any

import pytest
from trace_bridge import ConfigurationError, Message, sqs_handler

from tests.support.lambda_events import LambdaContext
from tests.support.lambda_process import Process

ROOT = "1-6b04d6c2-0123456789abcdef01234567"
ATTRIBUTES = {
    "ApproximateReceiveCount": "3",
    "SentTimestamp": "1795478000000",
    "ApproximateFirstReceiveTimestamp": "1795478000250",
    "MessageGroupId": "group",
    "AWSTraceHeader": f"Root={ROOT};Sampled=1",
}
LAMBDA: dict[str, Any] = {
    "messageId": "m-1",
    "receiptHandle": "h-1",
    "body": '{"id": "1"}',
    "attributes": ATTRIBUTES,
    "messageAttributes": {"colour": {"stringValue": "red", "dataType": "String"}},
    "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders.fifo",
}
BOTO3: dict[str, Any] = {
    "MessageId": "m-1",
    "ReceiptHandle": "h-1",
    "Body": '{"id": "1"}',
    "Attributes": ATTRIBUTES,
    "MessageAttributes": {"colour": {"StringValue": "red", "DataType": "String"}},
}


@pytest.mark.parametrize("record", [LAMBDA, BOTO3], ids=["Lambda", "boto3"])
def test_both_shapes_read_alike(record: dict[str, Any]) -> None:
    message = Message(record)
    assert message.message_id == "m-1"
    assert message.receipt_handle == "h-1"
    assert message.body == '{"id": "1"}'
    assert message.json() == {"id": "1"}
    assert message.attempt == 3
    assert message.sent_at == 1795478000.0
    assert message.first_received_at == 1795478000.25
    assert message.queue_ms == 250
    assert message.group_id == "group"
    assert message.trace_id == ROOT
    assert "colour" in message.message_attributes
    assert repr(message) == "Message(message_id='m-1')"


def test_the_queue_is_known_to_lambda_alone() -> None:
    assert Message(LAMBDA).queue_arn == LAMBDA["eventSourceARN"]
    assert Message(BOTO3).queue_arn is None


ENVELOPE = json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": '{"id": "1"}'})
COMPLETE = json.dumps(
    {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": "arn:aws:sns:us-east-1:123456789012:orders",
        "Message": '{"id": "smuggled"}',
        "Timestamp": "2026-11-25T15:00:00.000Z",
        "SignatureVersion": "1",
        "Signature": "c2lnbmF0dXJl",
        "SigningCertURL": "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-1.pem",
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe",
    }
)
"""All that SNS writes: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html."""


@pytest.mark.parametrize("body", [ENVELOPE, COMPLETE], ids=["envelope", "complete forgery"])
@pytest.mark.parametrize("shape", [LAMBDA, BOTO3], ids=["Lambda", "boto3"])
def test_no_words_of_a_publisher_make_another_message_of_a_raw_body(shape: dict[str, Any], body: str) -> None:
    message = Message({**shape, "body" if "body" in shape else "Body": body})
    assert message.body == body
    assert message.json() == json.loads(body)


def test_the_envelope_is_taken_off_where_the_delivery_is_said_not_to_be_raw(process: Process) -> None:
    wrapped = {**LAMBDA, "body": ENVELOPE}
    assert Message(wrapped, envelope="sns").json() == {"id": "1"}
    process.set(envelope="sns")
    assert Message(wrapped).body == Message(LAMBDA).body == '{"id": "1"}'
    assert Message(wrapped, envelope="none").body == ENVELOPE
    assert "TopicArn" in Message(wrapped).record["body"]


def test_handlers_get_the_envelope_by_an_argument(process: Process) -> None:
    bodies: list[str] = []
    wrapped = {"Records": [{**LAMBDA, "body": ENVELOPE, "eventSource": "aws:sqs"}]}
    sqs_handler(lambda m: bodies.append(m.body))(wrapped, LambdaContext())
    sqs_handler(envelope="sns")(lambda m: bodies.append(m.body))(wrapped, LambdaContext())
    assert bodies == [ENVELOPE, '{"id": "1"}']


def test_a_wrong_envelope_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="envelope is 'SNS'; expected one of 'none', 'sns'"):
        Message(LAMBDA, envelope="SNS")  # type: ignore[arg-type] # what is tested
    with pytest.raises(ConfigurationError, match="envelope is 'SNS'"):
        sqs_handler(envelope="SNS")  # type: ignore[call-overload] # what is tested


@pytest.mark.parametrize(
    "body",
    [
        '"TopicArn" "Notification" no JSON',
        '{"Type": "Notification", "note": "no \\"TopicArn\\": here"}',
        '{"Type": "Other", "TopicArn": "x", "Message": "Notification"}',
        '{"Type": "Notification", "TopicArn": "x", "Message": {"is": "no text"}}',
        '["TopicArn", "Notification"]',
        "[" * 100_000,
        "",
    ],
    ids=range(7),
)
def test_what_is_in_no_envelope_stays_as_it_is(body: str) -> None:
    assert Message({"body": body}, envelope="sns").body == body


def test_numbers_can_be_kept_as_they_came() -> None:
    message = Message({"body": '{"price": 12345678901234567.89, "count": 3}'})
    assert message.json(parse_float=Decimal) == {"price": Decimal("12345678901234567.89"), "count": 3}
    assert message.json(parse_float=Decimal, parse_int=Decimal)["count"] == Decimal(3)
    assert message.json() == {"price": 12345678901234567.89, "count": 3}


def test_a_body_that_is_no_json_names_the_message() -> None:
    with pytest.raises(ValueError, match=r"message m-9 has a body that is not JSON: .*use message\.body for text"):
        Message({"messageId": "m-9", "body": "text"}).json()


def test_an_empty_record_has_defaults() -> None:
    message = Message({})
    assert (message.message_id, message.body, message.attempt) == ("", "", 1)
    fields = (message.sent_at, message.queue_ms, message.group_id, message.trace_id, message.receipt_handle)
    assert fields == (None, None, None, None, None)
    assert message.attributes == message.message_attributes == {}


def test_a_first_receive_before_the_sending_is_no_negative_wait() -> None:
    skewed = {"SentTimestamp": "2000", "ApproximateFirstReceiveTimestamp": "1000"}
    assert Message({"attributes": skewed}).queue_ms == 0
    assert Message({"attributes": {"SentTimestamp": "soon"}}).sent_at is None
