"""The reference handlers on FIFO topics: what is published is in the right message group."""

import json
import runpy
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import boto3
import pytest

HANDLERS = Path(__file__).resolve().parents[2] / "runtime" / "handlers"
FIFO, STANDARD = "arn:aws:sns:eu-west-1:111111111111:orders.fifo", "arn:aws:sns:eu-west-1:111111111111:orders"


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    client = MagicMock()
    monkeypatch.setattr(boto3, "client", lambda _service: client)
    monkeypatch.setenv("TRACE_BRIDGE_INSTRUMENT", "false")
    return client


def ingested(item_id: str) -> dict[str, Any]:
    handler = runpy.run_path(str(HANDLERS / "ingest" / "app.py"))["handler"]
    event = {"headers": {"Content-Type": "application/json"}, "body": json.dumps({"id": item_id})}
    answer: dict[str, Any] = handler(event, None)
    return answer


@pytest.mark.parametrize(
    ("item_id", "readable"), [("order-7", True), ("a" * 128, True), ("a" * 129, False), ("a b", False), ("é", False)]
)
def test_an_items_id_is_its_group(
    sns: MagicMock, monkeypatch: pytest.MonkeyPatch, item_id: str, readable: bool
) -> None:
    monkeypatch.setenv("TOPIC_ARN", FIFO)
    assert ingested(item_id)["statusCode"] == 202
    group = sns.publish.call_args.kwargs["MessageGroupId"]
    assert (group == item_id) is readable
    assert len(group) <= 128
    assert group.isascii()
    assert " " not in group


def test_a_standard_topic_gets_no_group(sns: MagicMock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPIC_ARN", STANDARD)
    assert ingested("order-7")["statusCode"] == 202
    assert sns.publish.call_args.kwargs == {"TopicArn": STANDARD, "Message": '{"id": "order-7"}'}


@pytest.mark.parametrize(
    ("topic", "attributes", "group"),
    [
        (FIFO, {"MessageGroupId": "ann"}, {"MessageGroupId": "ann"}),
        (FIFO, {}, {"MessageGroupId": "order-7"}),
        (STANDARD, {"MessageGroupId": "ann"}, {}),
    ],
    ids=["from FIFO to FIFO", "from standard to FIFO", "from FIFO to standard"],
)
def test_a_worker_hands_the_group_on(
    sns: MagicMock,
    monkeypatch: pytest.MonkeyPatch,
    topic: str,
    attributes: dict[str, str],
    group: dict[str, str],
) -> None:
    monkeypatch.setenv("TOPIC_ARN", topic)
    monkeypatch.delenv("TABLE_NAME", raising=False)
    handler = runpy.run_path(str(HANDLERS / "worker" / "app.py"))["handler"]
    record = {"messageId": "m", "body": '{"id": "order-7"}', "attributes": attributes, "eventSource": "aws:sqs"}
    assert handler({"Records": [record]}, None) == {"batchItemFailures": []}
    assert sns.publish.call_args.kwargs == {"TopicArn": topic, "Message": '{"id": "order-7"}', **group}
