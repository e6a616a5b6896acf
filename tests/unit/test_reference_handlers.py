"""The reference handlers: what they take, what they refuse, what is published and in which message group."""

import base64
import json
import runpy
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from trace_bridge import BatchFailedError

from tests.support.lambda_events import LambdaContext, event, record
from tests.support.lambda_process import Process
from tests.support.timing import Stopwatch

HANDLERS = Path(__file__).resolve().parents[2] / "runtime" / "handlers"
FIFO, STANDARD = "arn:aws:sns:eu-west-1:111111111111:orders.fifo", "arn:aws:sns:eu-west-1:111111111111:orders"


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    client = MagicMock()
    monkeypatch.setattr(boto3, "client", lambda _service, **_settings: client)
    monkeypatch.setenv("TRACE_BRIDGE_INSTRUMENT", "false")
    return client


def posted(body: str, **more: Any) -> dict[str, Any]:
    handler = runpy.run_path(str(HANDLERS / "ingest" / "app.py"))["handler"]
    answer: dict[str, Any] = handler({"headers": {"Content-Type": "application/json"}, "body": body, **more}, None)
    return answer


def ingested(item_id: str) -> dict[str, Any]:
    return posted(json.dumps({"id": item_id}))


@pytest.fixture
def standard(sns: MagicMock, monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    monkeypatch.setenv("TOPIC_ARN", STANDARD)
    return sns


@pytest.mark.parametrize(
    "body",
    [
        '{"id": "a", "price": 12345678901234567.89, "rate": 1.10, "count": 3, "tiny": 1E-100}',
        '{"id":"a","name":"Zoë 北京 🚀"}',
        '{"id": "a", "nested": {"list": [1, [2, {"x": null}], true]}, "escaped": "\\u00e9 \\n"}',
    ],
)
def test_what_is_published_is_what_came(standard: MagicMock, body: str) -> None:
    assert posted(f" {body}\n")["statusCode"] == 202
    assert standard.publish.call_args.kwargs["Message"] == body


@pytest.mark.parametrize("body", ['{"price": 12345678901234567.89}', '{ "price": 12345678901234567.89 }'])
def test_an_id_is_added_and_nothing_else_changes(standard: MagicMock, body: str) -> None:
    answer = json.loads(posted(body)["body"])
    published = standard.publish.call_args.kwargs["Message"]
    assert published == f'{{"id": "{answer["id"]}", {body[1:]}'
    assert json.loads(published)["id"] == answer["id"]


def test_a_binary_body_is_read(standard: MagicMock) -> None:
    body = '{"id": "é"}'
    assert posted(base64.b64encode(body.encode()).decode(), isBase64Encoded=True)["statusCode"] == 202
    assert standard.publish.call_args.kwargs["Message"] == body
    assert posted("/w==", isBase64Encoded=True)["statusCode"] == 400


def test_a_character_that_no_message_takes_is_escaped(standard: MagicMock) -> None:
    assert posted('{"id": "\uffff"}')["statusCode"] == 202
    assert standard.publish.call_args.kwargs["Message"] == '{"id": "\\uffff"}'


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ('{"price": NaN}', 400, "NaN is no number"),
        ('{"price": -Infinity}', 400, "-Infinity is no number"),
        ('{"price": 1e400}', 400, "the number 1e400 cannot be stored; a number has at most 38 digits"),
        ('{"price": 1e126}', 400, "the number 1e126 cannot be stored"),
        ('{"price": 1e-400}', 400, "the number 1e-400 cannot be stored"),
        (f'{{"price": {"1" * 39}}}', 400, "cannot be stored"),
        (f'{{"price": {"1" * 5000}}}', 400, "cannot be stored"),
        (f'{{"price": 0.{"1" * 39}}}', 400, "cannot be stored"),
        ('{"name": "\\ud83d"}', 400, 'half a character: "\\ud83d"'),
        ('{"\\ud83d": 1}', 400, "half a character"),
        ('{"name": "\ud83d"}', 400, "is not UTF-8"),
        ('{"": 1}', 400, "a property's name has 0 bytes"),
        (f'{{"{"n" * 65_536}": 1}}', 400, "a property's name has 65536 bytes"),
        (f'{{"a": {"[" * 31}{"]" * 31}}}', 400, "nested deeper than 31 levels"),
        (f'{{"a": {"[" * 100_000}{"]" * 100_000}}}', 400, "nested deeper than 31 levels"),
        ('{"id": "a", "id": "b"}', 400, 'the property "id" twice'),
        ('{"a": {"b": 1, "b": 2}}', 400, 'the property "b" twice'),
        (f'{{"text": "{"x" * 409_600}"}}', 413, "at most 262144 are taken"),
        ("", 400, "not JSON"),
        ("[]", 400, "has to be a JSON object"),
        ("{}", 400, "has to be a JSON object"),
    ],
    ids=range(21),
)
def test_what_can_never_be_stored_is_refused_and_not_published(
    standard: MagicMock, body: str, status: int, message: str
) -> None:
    answer = posted(body)
    assert answer["statusCode"] == status
    assert message in json.loads(answer["body"])["message"]
    standard.publish.assert_not_called()


@pytest.mark.parametrize(
    "body", ['{"price": 9.9e125}', '{"price": 1e-128}', f'{{"a": {"[" * 30}{"]" * 30}}}', f'{{"price": {"1" * 38}}}']
)
def test_what_can_just_be_stored_is_taken(standard: MagicMock, body: str) -> None:
    assert posted(body)["statusCode"] == 202


def test_a_body_that_is_too_long_for_the_topic_is_refused(standard: MagicMock) -> None:
    refusal: Any = {"Error": {"Code": "InvalidParameter", "Message": "Invalid parameter: Message too long"}}
    standard.publish.side_effect = ClientError(refusal, "Publish")
    answer = posted('{"id": "é"}')
    assert answer["statusCode"] == 413
    assert json.loads(answer["body"])["message"] == "the body has 12 bytes; at most 262144 are taken, send less"
    standard.publish.side_effect = ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, "Publish")
    with pytest.raises(ClientError, match="AuthorizationError"):
        posted('{"id": "é"}')


@pytest.mark.parametrize(
    ("takes", "body", "size", "named"),
    [
        ("2000", "", 2001, 2000),
        ("2000", "", 2000, None),
        ("1048576", "", 407_553, 407_552),  # what a table's item has
        ("1048576", "", 407_552, None),
        ("", "", 407_552, None),
        ("1048576", "1048576", 1_048_577, 1_048_576),
        ("1048576", "1048576", 1_048_576, None),
        ("2000", "1048576", 2001, 2000),
        ("2000", "1000", 1001, 1000),
    ],
)
def test_the_limit_that_is_in_effect_is_named(
    standard: MagicMock, monkeypatch: pytest.MonkeyPatch, takes: str, body: str, size: int, named: int | None
) -> None:
    monkeypatch.setenv("TOPIC_MAX_MESSAGE_SIZE", takes)
    monkeypatch.setenv("MAX_BODY_SIZE", body)
    frame = len('{"id": "a", "text": ""}')
    answer = posted(f'{{"id": "a", "text": "{"x" * (size - frame)}"}}')
    if named is None:
        assert answer["statusCode"] == 202
    else:
        assert answer["statusCode"] == 413
        message = json.loads(answer["body"])["message"]
        assert message == f"the body has {size} bytes; at most {named} are taken, send less"
        standard.publish.assert_not_called()


@pytest.mark.parametrize(
    ("topic", "body", "group"),
    [
        (STANDARD, {"id": "order-7", "customer": "ann"}, {"MessageGroupId": "ann"}),
        (STANDARD, {"id": "order-7"}, {}),
        (STANDARD, {"id": "order-7", "customer": 7}, {}),
        (STANDARD, {"id": "order-7", "customer": ""}, {}),
        (FIFO, {"id": "order-7", "customer": "ann"}, {"MessageGroupId": "ann"}),
        (FIFO, {"id": "order-7"}, {"MessageGroupId": "order-7"}),
    ],
    ids=["fair", "without", "no text", "empty", "FIFO", "FIFO without"],
)
def test_a_property_is_the_group(
    sns: MagicMock, monkeypatch: pytest.MonkeyPatch, topic: str, body: dict[str, Any], group: dict[str, str]
) -> None:
    monkeypatch.setenv("TOPIC_ARN", topic)
    monkeypatch.setenv("MESSAGE_GROUP_PROPERTY", "customer")
    assert posted(json.dumps(body))["statusCode"] == 202
    assert sns.publish.call_args.kwargs == {"TopicArn": topic, "Message": json.dumps(body), **group}


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
        (STANDARD, {"MessageGroupId": "ann"}, {"MessageGroupId": "ann"}),
        (STANDARD, {}, {}),
    ],
    ids=["from FIFO to FIFO", "from standard to FIFO", "to standard, with a group", "to standard, without"],
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


@pytest.fixture
def worker(process: Process) -> Callable[..., Any]:
    """The worker, behind a table and a topic that answer."""
    process.monkeypatch.setenv("AWS_ENDPOINT_URL", process.services.url)
    process.monkeypatch.setenv("TABLE_NAME", "orders")
    process.monkeypatch.setenv("TOPIC_ARN", STANDARD)

    def run(body: str, message_id: str = "m-2") -> Any:
        handler = runpy.run_path(str(HANDLERS / "worker" / "app.py"))["handler"]
        return handler(event({**record(1), "body": body, "messageId": message_id}), LambdaContext())

    return run


DONE: dict[str, Any] = {"batchItemFailures": []}
BODY = '{"id": "a", "price": 12345678901234567.89, "paid": true, "lines": [1, {"n": null}]}'
STORED = json.loads(BODY, parse_float=Decimal)
del STORED["id"]


def _holds(process: Process, data: object) -> None:
    """Makes the table hold an item with this content."""
    item = TypeSerializer().serialize({"id": "a", "message_id": "m-1", "data": data})["M"]
    refusal = {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "Item": item}

    def answer(_path: str, body: Any) -> tuple[int, dict[str, Any]]:
        return (400, refusal) if "ConditionExpression" in body else (200, {})

    process.services.answer = answer


def _published(process: Process) -> int:
    return sum("Action=Publish" in body for _, _, body in process.services.calls if isinstance(body, str))


def test_numbers_are_stored_as_they_came(process: Process, worker: Callable[..., Any]) -> None:
    assert worker(BODY) == DONE
    [put] = [body for _, _, body in process.services.calls if "Item" in body]
    assert put["Item"]["data"]["M"]["price"] == {"N": "12345678901234567.89"}
    assert _published(process) == 1


def test_the_same_content_again_is_published_on_again(
    process: Process, worker: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    _holds(process, STORED)
    assert worker(BODY) == DONE
    assert _published(process) == 1
    assert "other content" not in caplog.text


@pytest.mark.parametrize(
    "other",
    [{**STORED, "price": Decimal(1)}, {**STORED, "paid": 1}, {**STORED, "lines": [1]}, {**STORED, "more": 1}, {}, None],
    ids=range(6),
)
def test_other_content_under_a_taken_id_goes_nowhere_and_is_told(
    process: Process, worker: Callable[..., Any], caplog: pytest.LogCaptureFixture, other: object
) -> None:
    _holds(process, other)
    assert worker(BODY) == DONE
    assert _published(process) == 0
    assert [line for line in caplog.messages if "other content" in line] == [
        "item a is there already with other content, from message m-1; message m-2 is neither written nor published on"
    ]


@pytest.mark.waits
def test_a_silent_table_fails_the_message_and_leaves_the_invocation_time(
    process: Process, worker: Callable[..., Any]
) -> None:
    process.services.hanging.clear()
    stopwatch = Stopwatch()
    with pytest.raises(BatchFailedError) as raised:
        worker(BODY)
    assert type(raised.value.__cause__).__name__ == "ReadTimeoutError"
    assert stopwatch.seconds() < 15
