"""The message's segment, as a handler uses it."""

import time
from pathlib import Path

import pytest
from aws_xray_sdk.core import xray_recorder
from trace_bridge import continue_trace, counters, trace_batch

from tests.support import bridge
from tests.support.lambda_events import ACTIVE, PASS_THROUGH, LambdaContext, header, record, trace_id
from tests.support.lambda_process import Process

ROOT = trace_id(6)


def test_it_tells_where_and_by_whom_the_message_was_processed(process: Process) -> None:
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        pass
    (document,) = process.documents()
    assert document["name"] == "worker"
    assert document["resource_arn"] == document["aws"]["function_arn"] == LambdaContext().invoked_function_arn
    assert document["aws"]["account_id"] == "123456789012"
    assert document["aws"]["request_id"] == LambdaContext().aws_request_id
    assert document["aws"]["cloudwatch_logs"] == [{"log_group": "/logs/worker"}]
    assert document["service"]["runtime"] == "CPython"
    assert document["metadata"]["trace_bridge"]["queue"].endswith(":orders")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("orders (EU) *new*?", "orders EU new"), ("x" * 300, "x" * 200), ("?!", "consumer"), ("größe", "größe")],
)
def test_its_name_is_one_xray_takes(process: Process, name: str, expected: str) -> None:
    process.set(name=name)
    process.invoked(PASS_THROUGH)
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        pass
    (document,) = process.documents()
    assert document["name"] == expected


@pytest.mark.parametrize("kind", [header(ROOT, sampled="0"), header(ROOT, sampled="?"), None])
def test_on_a_message_not_recorded_it_takes_everything_and_keeps_nothing(process: Process, kind: str | None) -> None:
    with pytest.raises(KeyError), continue_trace(record(trace=kind), LambdaContext()) as segment:
        segment.put_annotation("key", 1).put_metadata("key", {}).add_exception(ValueError())
        assert (segment.id, segment.sampled) == ("", False)
        raise KeyError
    assert process.documents() == []
    assert segment.header_text() is None or ROOT in str(segment.header_text())


def test_annotations_of_the_wrong_kind_are_dropped_with_a_word(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    with continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        segment.put_annotation("with space", 1).put_annotation("nan", float("nan")).put_annotation("none", None)  # type: ignore[arg-type]
        segment.put_annotation("long", "x" * 2000).put_annotation("amount", 1.5).put_annotation("vip", True)
    (document,) = process.documents()
    assert document["annotations"]["long"] == "x" * 1000
    assert (document["annotations"]["amount"], document["annotations"]["vip"]) == (1.5, True)
    assert caplog.text.count("dropped") == 3


def test_metadata_is_grouped_and_beside_the_bridges_own(process: Process) -> None:
    with continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        segment.put_metadata("a", 1).put_metadata("b", [2], "shop").put_metadata("mine", 3, "trace_bridge")
    (document,) = process.documents()
    metadata = document["metadata"]
    assert (metadata["default"], metadata["shop"]) == ({"a": 1}, {"b": [2]})
    assert metadata["trace_bridge"]["mine"] == 3
    assert metadata["trace_bridge"]["queue"]


def test_it_names_the_segments_of_other_traces(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    other = trace_id(61)
    with continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        segment.add_link(other, "A" * 16).add_link("no trace", "a" * 16).add_link(other, "no segment")
    (document,) = process.documents()
    assert document["metadata"]["trace_bridge"]["links"] == [{"trace_id": other, "segment_id": "a" * 16}]
    assert "queue" in document["metadata"]["trace_bridge"]
    assert caplog.text.count("dropped: expected 16 hex digits") == 2
    with continue_trace(record(trace=header(ROOT, sampled="0")), LambdaContext()) as unsampled:
        assert unsampled.add_link(other, "a" * 16) is unsampled


def test_of_very_many_links_the_last_hundred_are_kept(process: Process) -> None:
    with continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        for number in range(150):
            segment.add_link(trace_id(number), "a" * 16)
    (document,) = process.documents()
    links = document["metadata"]["trace_bridge"]["links"]
    assert [link["trace_id"] for link in (links[0], links[-1])] == [trace_id(50), trace_id(149)]
    assert len(links) == 100


def test_a_message_of_boto3_tells_no_queue_and_no_invocation(process: Process) -> None:
    process.invoked(None)
    message = {"MessageId": "m", "Body": "{}", "Attributes": {"AWSTraceHeader": header(ROOT)}}
    with continue_trace(message, LambdaContext()) as segment:
        segment.put_metadata("a", 1)
    (document,) = process.documents()
    assert document["metadata"] == {"default": {"a": 1}}
    assert document["annotations"] == {"message_id": "m"}


def test_an_exception_without_text_or_trace_does_no_harm(process: Process) -> None:
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with trace_batch(), continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        segment.add_exception(UnspeakableError())
    (document,) = process.documents()
    (exception,) = document["cause"]["exceptions"]
    assert (exception["type"], exception["message"]) == ("UnspeakableError", "(its text could not be read)")
    assert "stack" not in exception


def test_an_exception_tells_where_it_came_from(process: Process) -> None:
    def deep(level: int) -> None:
        if level:
            deep(level - 1)
        raise ValueError("x" * 5000)

    with pytest.raises(ValueError), continue_trace(record(trace=header(ROOT)), LambdaContext()):
        deep(20)
    (document,) = process.documents()
    (exception,) = document["cause"]["exceptions"]
    assert len(exception["stack"]) == 10
    assert exception["stack"][-1] == {
        "path": "test_segment.py",
        "line": exception["stack"][-1]["line"],
        "label": "deep",
    }
    assert len(exception["message"]) == 2000
    assert document["cause"]["working_directory"]


def test_a_fault_of_the_bridge_itself_costs_no_message(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    bridge.break_emitter(process.monkeypatch, broken)
    process.invoked(ACTIVE)
    context = LambdaContext()
    with trace_batch(context), continue_trace(record(trace=header(ROOT)), context):
        pass
    assert counters().failed == 1
    assert "the message itself is not affected" in caplog.text
    assert "the messages themselves are not affected" in caplog.text


def test_an_annotation_larger_than_any_number_costs_itself_alone(process: Process) -> None:
    with continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        segment.put_annotation("large", 10**5000).put_annotation("good", 1).put_metadata("large", [10**5000])
        xray_recorder.current_segment().put_annotation("theirs", 10**5000)
    (document,) = process.documents()
    assert "large" not in document["annotations"]
    assert document["annotations"]["good"] == 1
    assert document["metadata"]["default"]["large"] == ["(int)"]


def test_an_exception_with_the_working_directory_gone_keeps_its_type_and_the_segment(
    process: Process, tmp_path: Path
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    process.monkeypatch.chdir(gone)
    gone.rmdir()
    with (
        pytest.raises(KeyError),
        continue_trace(record(trace=header(ROOT)), LambdaContext()),
        xray_recorder.in_subsegment("step"),
    ):
        raise KeyError("mine")
    process.monkeypatch.chdir(tmp_path)
    (document,) = process.documents()
    assert document["fault"]
    assert document["subsegments"][0]["cause"]["exceptions"][0]["type"] == "KeyError"


def test_a_clock_that_steps_back_ends_nothing_before_it_began(process: Process) -> None:
    clock = time.time
    with continue_trace(record(trace=header(ROOT)), LambdaContext()), xray_recorder.in_subsegment("step"):
        process.monkeypatch.setattr(time, "time", lambda: clock() - 3600)
    process.monkeypatch.setattr(time, "time", clock)
    (document,) = process.documents()
    assert document["end_time"] == document["start_time"]
    assert document["subsegments"][0]["end_time"] >= document["subsegments"][0]["start_time"]
