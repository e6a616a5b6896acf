"""Sending on: what leaves a message carries that message's trace."""

import json
from typing import Any

import pytest
from trace_bridge import continue_trace, sqs_handler, trace_batch, traced_entry

from tests.support.lambda_events import ACTIVE, PASS_THROUGH, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

ROOT = trace_id(5)
QUEUE = "https://sqs.us-east-1.amazonaws.com/123456789012/next"


def _entry(number: int, **more: Any) -> dict[str, Any]:
    return {"Id": str(number), "MessageBody": "{}", **more}


def _header_of(entry: dict[str, Any]) -> str | None:
    attribute = entry.get("MessageSystemAttributes", {}).get("AWSTraceHeader")
    return None if attribute is None else str(attribute["StringValue"])


def test_a_publish_from_inside_a_message_continues_its_trace(process: Process) -> None:
    topic = process.client("sns")

    @sqs_handler
    def handler(_message: object) -> None:
        topic.publish(TopicArn="arn:aws:sns:us-east-1:123456789012:next", Message="{}")

    handler(event(record(trace=header(ROOT))), LambdaContext())
    (document,) = process.documents()
    (call,) = document["subsegments"]
    assert call["aws"]["topic_arn"].endswith(":next")
    (sent,) = [headers["x-amzn-trace-id"] for path, headers, _ in process.services.calls if path == "/"]
    assert sent == f"Root={ROOT};Parent={call['id']};Sampled=1;Lineage=061379e8:0"


def test_entries_of_one_call_each_carry_their_own_message(process: Process) -> None:
    queue = process.client("sqs")
    process.services.answer = lambda _path, _body: (200, {"Successful": [], "Failed": []})
    collected = []
    context = LambdaContext()
    with trace_batch(context):
        for number in (1, 2):
            with continue_trace(record(number, trace=header(trace_id(number))), context) as segment:
                collected.append((traced_entry(_entry(number)), segment.id))
        queue.send_message_batch(QueueUrl=QUEUE, Entries=[entry for entry, _ in collected])
    (body,) = [body for path, _, body in process.services.calls if path == "/"]
    sent = [_header_of(entry) for entry in json.loads(json.dumps(body))["Entries"]]
    assert sent == [
        f"Root={trace_id(number)};Parent={collected[number - 1][1]};Sampled=1;Lineage=061379e8:0" for number in (1, 2)
    ]


@pytest.mark.parametrize(
    ("sampled", "expected"),
    [("0", f"Root={ROOT};Parent=0123456789abcdef;Sampled=0"), ("?", f"Root={ROOT}"), (None, f"Root={ROOT}")],
)
def test_what_is_not_recorded_is_handed_on_truthfully(process: Process, sampled: str | None, expected: str) -> None:
    with continue_trace(record(trace=header(ROOT, sampled=sampled)), LambdaContext()):
        assert _header_of(traced_entry(_entry(1))) == f"{expected};Lineage=061379e8:0"


def test_outside_of_messages_an_entry_carries_the_invocations_trace(process: Process) -> None:
    for own in (ACTIVE, PASS_THROUGH):
        process.invoked(own)
        assert _header_of(traced_entry(_entry(1))) == own
    process.invoked(None)
    assert traced_entry(_entry(1)) == _entry(1)


def test_an_entry_that_has_a_header_keeps_it_and_none_is_changed_in_place(process: Process) -> None:
    mine = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=mine"}}
    plain, marked = _entry(1), _entry(2, MessageSystemAttributes=mine)
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        assert _header_of(traced_entry(marked)) == "Root=mine"
        assert _header_of(traced_entry(plain)) is not None
    assert plain == _entry(1)


def test_inside_a_message_without_a_trace_an_entry_carries_the_invocations(process: Process) -> None:
    with continue_trace(record(), LambdaContext()):
        assert _header_of(traced_entry(_entry(1))) == PASS_THROUGH


def test_an_entry_of_sns_is_given_back_as_it_is_with_a_warning(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    entry = {"Id": "1", "Message": "{}"}
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        assert traced_entry(entry) == entry
    assert "publish messages of different traces one by one" in caplog.text
