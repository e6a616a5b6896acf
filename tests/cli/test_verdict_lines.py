"""What is said of one trace in a line."""

from __future__ import annotations

from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.parse import parse_traces
from traced_pipeline_cli.traces.summary import verdict

from tests.support import samples


def said(answer: samples.Answer) -> str:
    found = build_map(parse_traces([answer.json()]))
    return verdict(found.traces[0], found)


def test_attempts_are_counted() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    for begin, fault in ((0.4, True), (30.4, False)):
        samples.bridged_worker(answer, delivery, begin=begin, fault=fault)
    assert "ends in the table OrdersTable · 30.2 s in the queue, 2 attempts · failed: Orders" in said(answer)


def test_a_foreign_trace_is_reported_without_a_table() -> None:
    answer = samples.Answer(1)
    checkout = answer.segment("checkout", "AWS::EC2::Instance", 0, 1)
    answer.segment("payments", "AWS::ECS::Container", 0, 1, parent_id=checkout["id"], error=True, throttle=True)
    assert said(answer) == "connected, 2 nodes · ends in the container payments · throttled: payments"


def test_a_trace_with_several_ends_names_none() -> None:
    answer = samples.Answer(1)
    entry = answer.segment("entry", "AWS::ECS::Container", 0, 1)
    for name in ("one", "two"):
        answer.segment(name, "AWS::ECS::Container", 0, 1, parent_id=entry["id"], error=True)
    assert said(answer) == "connected, 3 nodes · error: one, two"
