"""Requests the API does not take: a clear answer, and nothing behind it."""

import json
from typing import Any

import pytest

from tests.support.end_to_end.deployed import Deployed
from tests.support.waiting import wait_for

GOOD = {"customer": "Ann", "amount": 1}


@pytest.fixture
def nothing_downstream(bridged: Deployed) -> Any:
    """Fails a test after which there are more items, messages or invocations than before."""

    def seen() -> tuple[int, int, int]:
        items = bridged.client("dynamodb").scan(TableName=bridged.pipeline.table, Select="COUNT")["Count"]
        queue = bridged.client("sqs").get_queue_attributes(QueueUrl=bridged.pipeline.queue_url, AttributeNames=["All"])
        waiting = int(queue["Attributes"]["ApproximateNumberOfMessages"])
        return items, waiting, int(queue["Attributes"]["ApproximateNumberOfMessagesNotVisible"])

    wait_for(lambda: seen()[1:] == (0, 0), what="the messages of earlier tests")
    before = seen()
    yield
    assert seen() == before


@pytest.mark.usefixtures("nothing_downstream")
@pytest.mark.parametrize(
    ("body", "content_type", "status", "reason"),
    [
        (b"{not json", "application/json", 400, "json"),
        (b"", "application/json", 400, ""),
        (json.dumps({"customer": "Ann"}).encode(), "application/json", 400, "amount"),
        (json.dumps({**GOOD, "amount": "much"}).encode(), "application/json", 400, "number"),
        (json.dumps({**GOOD, "colour": "red"}).encode(), "application/json", 400, "colour"),
        (json.dumps([GOOD]).encode(), "application/json", 400, "object"),
        (json.dumps({**GOOD, "id": ""}).encode(), "application/json", 400, "id"),
        (json.dumps(GOOD).encode(), "text/plain", 415, "application/json"),
        (b"customer=Ann", "application/x-www-form-urlencoded", 400, ""),
    ],
)
def test_a_wrong_request_is_answered_with_what_is_wrong(
    bridged: Deployed, body: bytes, content_type: str, status: int, reason: str
) -> None:
    answered = bridged.post(body, content_type=content_type)
    assert answered.status == status, answered.body
    message = json.loads(answered.body)["message"]
    assert reason.lower() in answered.body.lower(), answered.body
    assert message


@pytest.mark.usefixtures("nothing_downstream")
def test_an_unsigned_request_is_refused(bridged: Deployed) -> None:
    answered = bridged.post(GOOD, signed=False)
    assert answered.status == 403
    assert json.loads(answered.body)["message"]
