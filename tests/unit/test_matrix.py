"""Which messages are recorded, in which trace, and what Lambda's own trace tells of them."""

import time
from typing import Any

import pytest
from trace_bridge import continue_trace, counters

from tests.support.lambda_events import (
    ACTIVE,
    OWN_PARENT,
    OWN_TRACE,
    PASS_THROUGH,
    SENDER,
    UNSAMPLED,
    LambdaContext,
    event,
    header,
    record,
    trace_id,
)
from tests.support.lambda_process import Process
from tests.support.runners import sync
from tests.support.trace_headers import ROOT


@pytest.mark.parametrize(
    ("choice", "invocation", "recorded"),
    [
        ("drop", ACTIVE, 0),
        ("follow_lambda", ACTIVE, 1),
        ("follow_lambda", PASS_THROUGH, 0),
        ("sample", PASS_THROUGH, 1),
    ],
)
def test_undecided_messages_are_decided_as_told(process: Process, choice: Any, invocation: str, recorded: int) -> None:
    process.set(undecided_rate=1.0)
    process.invoked(invocation)
    with continue_trace(record(trace=header(ROOT, sampled=None)), LambdaContext(), on_undecided=choice):
        pass
    assert len(process.documents()) == recorded


def test_every_message_of_a_trace_gets_the_same_answer(process: Process) -> None:
    process.set(undecided_rate=0.5)
    for number in range(20):
        for _ in range(3):
            root = f"{trace_id()[:11]}{number * 0x0CCCCCCC:024x}".replace("0" * 24, "1" * 24)
            with continue_trace(record(trace=f"Root={root}"), LambdaContext(), on_undecided="sample"):
                pass
    counted: dict[str, int] = {}
    for document in process.documents():
        counted[document["trace_id"]] = counted.get(document["trace_id"], 0) + 1
    assert set(counted.values()) == {3}
    assert 5 <= len(counted) <= 15


def _recorded(days_ago: float) -> bool:
    root = f"1-{int(time.time() - days_ago * 86_400):08x}-{1:024x}"
    with continue_trace(record(trace=header(root)), LambdaContext()) as segment:
        return segment.sampled


def test_no_trace_is_too_old_by_itself(process: Process) -> None:
    assert _recorded(8)
    assert _recorded(400)
    assert counters().too_old == 0


def test_a_limit_of_age_moves_with_the_clock(process: Process) -> None:
    process.invoked(None)
    process.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    process.has_origin = False
    process.set(max_trace_age_days=7)
    assert (_recorded(6), _recorded(9), _recorded(100)) == (True, False, True)
    now = time.time
    process.monkeypatch.setattr(time, "time", lambda: now() + 10 * 86_400)
    assert (_recorded(6), _recorded(9), _recorded(16)) == (True, False, False)
    assert counters().too_old == 3


def test_a_message_in_lambdas_own_trace_goes_below_lambdas_segment(process: Process) -> None:
    process.invoked(f"Root={ROOT};Parent=aaaabbbbccccdddd;Sampled=1")
    process.senders = {"aaaabbbbccccdddd"}
    sync(process, lambda: None, event(record(trace=header(ROOT))))
    (document,) = process.documents()
    assert (document["type"], document["parent_id"]) == ("subsegment", "aaaabbbbccccdddd")
    assert "origin" not in document


def test_messages_of_one_trace_each_have_their_own_segment_and_parent(process: Process) -> None:
    process.senders = {f"{n:016x}" for n in (1, 2, 3)}
    sync(process, lambda: None, event(*(record(n, trace=header(ROOT, parent=f"{n:016x}")) for n in (1, 2, 3))))
    documents = process.documents()
    assert [document["parent_id"] for document in documents] == [f"{n:016x}" for n in (1, 2, 3)]
    assert len({document["id"] for document in documents}) == 3


@pytest.mark.parametrize("invocation", [ACTIVE, UNSAMPLED, PASS_THROUGH])
def test_lambdas_own_trace_and_the_messages_refer_to_each_other(process: Process, invocation: str) -> None:
    process.invoked(invocation)
    roots = [trace_id(number) for number in (1, 2)]
    sync(process, lambda: None, event(*(record(trace=header(root)) for root in roots), record()))
    documents = process.documents()
    messages = [document for document in documents if document["trace_id"] in roots]
    assert [m["metadata"]["trace_bridge"]["invocation_trace_id"] for m in messages] == [OWN_TRACE] * 2
    others = [document for document in documents if document not in messages]
    if invocation != ACTIVE:
        assert others == []
        return
    (links,) = others
    assert (links["type"], links["trace_id"], links["parent_id"]) == ("subsegment", OWN_TRACE, OWN_PARENT)
    assert links["annotations"] == {"continued_messages": 2, "continued_trace_id": roots[0]}
    assert links["metadata"]["trace_bridge"]["continued"] == [
        {"trace_id": message["trace_id"], "segment_id": message["id"]} for message in messages
    ]


def test_the_wait_in_the_queue_can_be_drawn(process: Process) -> None:
    process.set(queue_segment="always")
    sync(process, lambda: None, event(record(trace=header(ROOT))))
    queue, message = process.documents()
    assert (queue["name"], queue["origin"], queue["parent_id"]) == ("orders", "AWS::SQS::Queue", SENDER)
    assert (queue["start_time"], queue["end_time"]) == (1795478000.0, 1795478000.25)
    assert message["parent_id"] == queue["id"]


@pytest.mark.parametrize("more", [{"ApproximateReceiveCount": "2"}, {"SentTimestamp": "unknown"}])
def test_a_wait_drawn_before_or_not_known_is_not_drawn(process: Process, more: dict[str, Any]) -> None:
    process.set(queue_segment="always")
    sync(process, lambda: None, event(record(trace=header(ROOT), **more)))
    (message,) = process.documents()
    assert message["parent_id"] == SENDER


def test_clocks_that_disagree_draw_no_negative_wait(process: Process) -> None:
    process.set(queue_segment="always")
    skewed: dict[str, Any] = {"SentTimestamp": "1795478000500", "ApproximateFirstReceiveTimestamp": "1795478000000"}
    sync(process, lambda: None, event(record(trace=header(ROOT, parent=None), **skewed)))
    queue, _ = process.documents()
    assert queue["start_time"] == queue["end_time"]
    assert "parent_id" not in queue


def test_lambdas_own_header_is_never_written(process: Process) -> None:
    import os

    sync(process, lambda: None, event(record(trace=header(ROOT))))
    assert os.environ["_X_AMZN_TRACE_ID"] == PASS_THROUGH
