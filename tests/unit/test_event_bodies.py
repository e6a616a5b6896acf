"""Bodies that EventBridge and S3 write, read where the handler says whose they are."""

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from trace_bridge import Message

# https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "detail-type": "OrderPlaced",
    "source": "shop.orders",
    "account": "111122223333",
    "time": "2026-11-26T18:43:48Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:dynamodb:eu-west-1:111122223333:table/orders"],
    "detail": {"id": "1", "amount": 1.10},
}
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
CREATED: dict[str, Any] = {
    "eventVersion": "2.1",
    "eventSource": "aws:s3",
    "eventName": "ObjectCreated:Put",
    "s3": {
        "bucket": {"name": "uploads", "arn": "arn:aws:s3:::uploads"},
        "object": {
            "key": "a+folder/M%C3%BCnchen+1%2B1.csv",
            "size": 1024,
            "eTag": "d41d8cd98f00b204e9800998ecf8427e",
            "versionId": "096fKKXTRTtl3on89fVO.nfljtsv6qko",
            "sequencer": "0055AED6DCD90281E5",
        },
    },
}
TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "uploads", "RequestId": "5582815E1AEA5ADF"}


def message(body: object, *, envelope: Any = None) -> Message:
    text = body if isinstance(body, str) else json.dumps(body)
    return Message({"messageId": "m-1", "body": text, "attributes": {}}, envelope=envelope)


class TestEventBridge:
    def test_the_senders_part_is_parsed(self) -> None:
        event = message(EVENT).eventbridge(parse_float=Decimal)
        assert (event.source, event.detail_type, event.id) == ("shop.orders", "OrderPlaced", EVENT["id"])
        assert event.detail == {"id": "1", "amount": Decimal("1.1")}
        assert (event.account, event.region, event.time) == ("111122223333", "eu-west-1", EVENT["time"])
        assert event.resources == tuple(EVENT["resources"])

    def test_behind_a_topic_without_raw_delivery(self) -> None:
        around = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Message": json.dumps(EVENT)}
        assert message(around, envelope="sns").eventbridge().detail == EVENT["detail"]

    def test_the_body_stays_what_it_is(self) -> None:
        assert message(EVENT).json() == EVENT

    @pytest.mark.parametrize("body", [{"detail": {}}, [EVENT], "7", EVENT["detail"]], ids=["part", "list", "7", "bare"])
    def test_what_is_none_is_refused_with_the_message(self, body: object) -> None:
        with pytest.raises(ValueError, match="message m-1 has a body that is no event of EventBridge"):
            message(body).eventbridge()

    def test_text_is_refused_with_the_place(self) -> None:
        with pytest.raises(ValueError, match="message m-1 has a body that is not JSON: Expecting value: line 1"):
            message("hello").eventbridge()


class TestS3:
    def test_keys_are_decoded(self) -> None:
        [stored] = message({"Records": [CREATED]}).s3_objects()
        assert (stored.bucket, stored.key) == ("uploads", "a folder/München 1+1.csv")
        assert (stored.event_name, stored.size) == ("ObjectCreated:Put", 1024)
        assert stored.etag == CREATED["s3"]["object"]["eTag"]
        assert stored.version_id == CREATED["s3"]["object"]["versionId"]
        assert stored.sequencer == "0055AED6DCD90281E5"

    def test_a_deleted_object_has_no_size(self) -> None:
        removed = {"eventName": "ObjectRemoved:Delete", "s3": {"bucket": {"name": "uploads"}, "object": {"key": "a"}}}
        [stored] = message({"Records": [removed]}).s3_objects()
        assert (stored.key, stored.size, stored.etag, stored.version_id) == ("a", None, None, None)

    def test_the_test_event_is_about_no_object(self) -> None:
        assert message(TEST_EVENT).s3_objects() == ()

    @pytest.mark.parametrize(
        "body", [{}, {"Records": []}, {"Records": [{"dynamodb": {}}]}, {"Records": 7}, ["Records"], "null"]
    )
    def test_what_is_none_is_refused_with_the_message(self, body: object) -> None:
        with pytest.raises(ValueError, match="message m-1 has a body that is no notification of S3"):
            message(body).s3_objects()


@pytest.mark.program
def test_a_handler_that_needs_neither_does_not_load_it() -> None:
    code = "import sys, trace_bridge; sys.exit('trace_bridge._event_bodies' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
