"""Messages, as Lambda and as boto3 shape them."""

import json
from typing import Any

import pytest
from trace_bridge import Message

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


def test_raw_and_wrapped_delivery_read_alike() -> None:
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": '{"id": "1"}'}
    wrapped = Message({**LAMBDA, "body": json.dumps(envelope)})
    assert wrapped.body == Message(LAMBDA).body
    assert wrapped.json() == {"id": "1"}
    assert "TopicArn" in wrapped.record["body"]


@pytest.mark.parametrize(
    "body",
    [
        '"TopicArn" "Notification" no JSON',
        '{"Type": "Notification", "note": "no \\"TopicArn\\": here"}',
        '{"Type": "Other", "TopicArn": "x", "Message": "Notification"}',
        '{"Type": "Notification", "TopicArn": "x", "Message": {"is": "no text"}}',
        '["TopicArn", "Notification"]',
    ],
)
def test_what_only_looks_like_an_envelope_stays_as_it_is(body: str) -> None:
    assert Message({"body": body}).body == body


def test_a_body_that_is_no_json_names_the_message() -> None:
    with pytest.raises(ValueError, match=r"message m-9 has a body that is not JSON: .*use message\.body for text"):
        Message({"messageId": "m-9", "body": "text"}).json()


def test_an_empty_record_has_defaults() -> None:
    message = Message({})
    assert (message.message_id, message.body, message.attempt) == ("", "", 1)
    told = (message.sent_at, message.queue_ms, message.group_id, message.trace_id, message.receipt_handle)
    assert told == (None, None, None, None, None)
    assert message.attributes == message.message_attributes == {}


def test_a_first_receive_before_the_sending_is_no_negative_wait() -> None:
    skewed = {"SentTimestamp": "2000", "ApproximateFirstReceiveTimestamp": "1000"}
    assert Message({"attributes": skewed}).queue_ms == 0
    assert Message({"attributes": {"SentTimestamp": "soon"}}).sent_at is None
