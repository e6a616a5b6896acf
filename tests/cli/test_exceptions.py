"""What a trace's spans failed with."""

from __future__ import annotations

from traced_pipeline_cli.traces.exceptions import Exceptions, failing_span
from traced_pipeline_cli.traces.parse import parse_trace

from tests.support import samples

_EXCEPTION = {"id": "0011223344556677", "type": "ValueError", "message": "no\n  customer"}


def test_a_cause_that_is_a_reference_is_resolved() -> None:
    answer = samples.Answer(1)
    inner = answer.span("price", 0.1, 0.2, fault=True, cause={"exceptions": [_EXCEPTION]})
    answer.segment("s", "AWS::ECS::Container", 0, 1, fault=True, cause=_EXCEPTION["id"], subsegments=[inner])
    trace = parse_trace(answer.json())
    exceptions = Exceptions(trace)
    assert [exceptions.of(span) for _, span in trace.spans()] == [("ValueError: no customer",)] * 2


def test_causes_of_any_shape_say_nothing_wrong() -> None:
    causes: tuple[object, ...] = (
        None,
        "ffffffffffffffff",
        3,
        [],
        {"exceptions": "x"},
        {"exceptions": [None, {"id": 3}]},
        {},
    )
    for cause in causes:
        answer = samples.Answer(1)
        answer.segment("s", "AWS::ECS::Container", 0, 1, fault=True, cause=cause)
        trace = parse_trace(answer.json())
        assert Exceptions(trace).of(trace.segments[0]) == ()


def test_the_failure_begins_at_the_innermost_span_of_the_last_attempt() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    for begin in (0.4, 30.4):
        worker = samples.bridged_worker(answer, delivery, begin=begin, fault=True)
        worker["subsegments"][0]["error"] = True
        answer.documents[-1]["error"] = True
    span = failing_span(parse_trace(answer.json()))
    assert span is not None
    assert (span.name, span.start) == ("DynamoDB", samples.EPOCH + 30.41)


def test_a_stage_that_passes_a_failure_on_is_not_its_beginning() -> None:
    answer = samples.Answer(1)
    samples.to_the_queue(answer)
    for document in answer.documents:
        if document["name"] in (samples.STAGE, samples.INGEST):
            document["error"] = True
    span = failing_span(parse_trace(answer.json()))
    assert span is not None
    assert (span.name, span.raw.get("origin")) == (samples.INGEST, "AWS::Lambda::Function")


def test_nothing_failed() -> None:
    assert failing_span(parse_trace(samples.bridged())) is None
