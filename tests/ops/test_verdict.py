"""A trace compared with the route it should take."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from traced_pipeline_ops.deployment import Topic
from traced_pipeline_ops.documents import Trace
from traced_pipeline_ops.finding import Finding
from traced_pipeline_ops.parsing import parse_trace
from traced_pipeline_ops.resource_types import NodeKind
from traced_pipeline_ops.route import route_of
from traced_pipeline_ops.verdict import Verdict, judge, progress_of, reaches_its_end

from .deployments import (
    ACCOUNT,
    QUEUE,
    SOURCE,
    SUBSCRIPTION,
    TOPIC,
    WHOLE,
    function,
    function_arn,
    queue,
    with_worker,
)

ROUTE = route_of(WHOLE)
HOPS = ["Orders/prod", "ingest", "orders", "work", "worker", "items"]
TYPES = {
    "Orders/prod": "AWS::ApiGateway::Stage",
    "ingest": "AWS::Lambda::Function",
    "orders": "AWS::SNS",
    "work": "AWS::SQS::Queue",
    "worker": "AWS::Lambda::Function",
    "items": "AWS::DynamoDB::Table",
}


def _trace(*names: str, apart: str = "", **fields: dict[str, Any]) -> Trace:
    """A chain of segments, one after the other; `apart` begins a chain of its own."""
    documents: list[dict[str, Any]] = []
    for index, name in enumerate(names):
        document: dict[str, Any] = {"id": f"{index:016x}", "name": name, "origin": TYPES[name], "start_time": index}
        if documents and name != apart:
            document["parent_id"] = documents[-1]["id"]
        elif documents:
            document["parent_id"] = "ffffffffffffffff"
        documents.append({**document, "end_time": index + 0.5, **fields.get(name.replace("/", "_"), {})})
    segments = [{"Id": document["id"], "Document": json.dumps(document)} for document in documents]
    return parse_trace({"Id": "1-5759e988-bd862e3fe1be46a994272793", "Segments": segments})


def _statuses(verdict: Verdict) -> dict[str, str]:
    return {one.hop.name: one.status for one in verdict.hops}


def _finding(check: str, kind: NodeKind, name: str) -> Finding:
    return Finding(check=check, kind=kind, name=name, text="It is so.", fix="Do it.")


def test_the_route_is_read_from_the_wiring() -> None:
    assert [hop.name for hop in ROUTE] == HOPS
    assert [hop.previous for hop in ROUTE] == [None, 0, 1, 2, 3, 4]


def test_fan_out_chains_and_circles_are_walked() -> None:
    second, audit = f"arn:aws:sns:us-east-1:{ACCOUNT}:shipped", f"arn:aws:sqs:us-east-1:{ACCOUNT}:audit"
    more = replace(
        WHOLE,
        functions=(
            *with_worker(environment={"NEXT": second}).functions,
            function("audit", environment={"TABLE": "items", "BACK": TOPIC}),
        ),
        topics=(
            WHOLE.topics[0],
            Topic(arn=second, active=True, subscriptions=(replace(SUBSCRIPTION, topic=second, queue=audit),)),
        ),
        queues=(queue(), queue(audit)),
        event_sources=(SOURCE, replace(SOURCE, queue=audit, function=function_arn("audit"))),
    )
    names = [(hop.name, hop.depth) for hop in route_of(more)]
    assert names == [
        ("Orders/prod", 0),
        ("ingest", 1),
        ("orders", 2),
        ("work", 3),
        ("worker", 4),
        ("shipped", 5),
        ("audit", 6),
        ("audit", 7),
        ("items", 8),
    ]


def test_a_route_that_leads_nowhere_still_has_to_end_in_the_table() -> None:
    cut = replace(WHOLE, topics=(replace(WHOLE.topics[0], subscriptions=()),), event_sources=())
    assert [hop.name for hop in route_of(cut)] == ["Orders/prod", "ingest", "orders", "items"]
    unnamed = replace(WHOLE, functions=(function("ingest"), function("worker")))
    assert [hop.name for hop in route_of(unnamed)] == HOPS


def test_a_whole_trace_is_connected() -> None:
    verdict = judge(ROUTE, _trace(*HOPS), ())
    assert verdict.connected
    assert verdict.broken_at is None
    assert reaches_its_end(ROUTE, _trace(*HOPS))
    assert progress_of(ROUTE, _trace(*HOPS[:3])) == 3
    assert not reaches_its_end(ROUTE, _trace(*HOPS[:5]))
    assert not reaches_its_end(ROUTE, None)


@pytest.mark.parametrize(
    ("name", "inferred"),
    [
        ("https://sqs.us-east-1.amazonaws.com/111122223333/work", {}),
        (QUEUE, {}),
        ("SQS", {"aws": {"queue_url": "https://sqs.us-east-1.amazonaws.com/111122223333/work"}}),
        ("SQS", {"aws": {"resource_names": ["work"]}}),
        ("SQS", {}),
    ],
)
def test_inferred_nodes_are_known_by_every_name_xray_gives_them(name: str, inferred: dict[str, Any]) -> None:
    trace = _trace(*HOPS, work={"name": name, **inferred})
    assert judge(ROUTE, trace, ()).connected


def test_another_queue_is_not_taken_for_this_one() -> None:
    trace = _trace(*HOPS, work={"name": "SQS", "aws": {"resource_names": ["other"]}})
    assert _statuses(judge(ROUTE, trace, ()))["work"] == "missing"


def test_a_part_that_is_not_connected_is_apart() -> None:
    verdict = judge(ROUTE, _trace(*HOPS, apart="worker"), ())
    assert list(_statuses(verdict).values()) == [*["connected"] * 4, "apart", "apart"]


def test_a_failure_is_told_and_ends_the_wait() -> None:
    exception = {"type": "ValueError", "message": "no\n id"}
    failed = {"fault": True, "cause": {"exceptions": [exception]}}
    verdict = judge(ROUTE, _trace(*HOPS[:5], worker=failed), ())
    broken = verdict.broken_at
    assert broken is not None
    assert (broken.hop.name, broken.status, broken.reason) == ("worker", "failed", "ValueError: no id")
    assert reaches_its_end(ROUTE, _trace(*HOPS[:5], worker=failed))


def test_of_several_attempts_the_last_one_counts() -> None:
    trace = _trace(*HOPS)
    first = _trace(*HOPS[:5], worker={"fault": True, "id": "aaaaaaaaaaaaaaaa", "start_time": 3.5}).segments[-1]
    again = replace(trace, segments=(*trace.segments, first))
    assert judge(ROUTE, again, ()).connected


def test_a_topic_is_not_blamed_for_its_queue() -> None:
    trace = _trace(*HOPS[:4], orders={"fault": True}, work={"fault": True})
    broken = judge(ROUTE, trace, (_finding("queue-policy", "queue", "work"),)).broken_at
    assert broken is not None
    assert broken.hop.name == "work"
    assert [cause.check for cause in broken.causes] == ["queue-policy"]


def test_a_finding_explains_its_hop_and_the_next_break_behind_it() -> None:
    at_topic, at_worker = _finding("a", "topic", "orders"), _finding("b", "function", "worker")
    elsewhere = _finding("c", "function", "ingest")
    verdict = judge(ROUTE, _trace("Orders/prod", "ingest", "orders"), (at_topic, at_worker))
    causes = {one.hop.name: [cause.check for cause in one.causes] for one in verdict.hops if one.causes}
    assert causes == {"work": ["a"], "worker": ["b"]}
    assert judge(ROUTE, _trace(*HOPS), (elsewhere,)).remarks == (elsewhere,)


def test_nothing_recorded_breaks_at_the_stage() -> None:
    verdict = judge(ROUTE, None, (_finding("not-sampled", "stage", "Orders/prod"),))
    broken = verdict.broken_at
    assert broken is not None
    assert broken.hop.kind == "stage"
    assert [cause.check for cause in broken.causes] == ["not-sampled"]
    assert set(_statuses(verdict).values()) == {"missing"}
