"""A trace compared with the route it should take."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import boto3
import pytest
from traced_pipeline_cli.aws.http import Answer
from traced_pipeline_cli.aws.read_errors import Reads, Unread
from traced_pipeline_cli.deployment.expected_path import route_of
from traced_pipeline_cli.deployment.model import Topic
from traced_pipeline_cli.diagnosis.checks import Check
from traced_pipeline_cli.diagnosis.finding import Finding
from traced_pipeline_cli.diagnosis.runtime_findings import gather
from traced_pipeline_cli.diagnosis.verdict import Verdict, judge, progress_of, reaches_its_end
from traced_pipeline_cli.render.terminal_verdict import verdict_text
from traced_pipeline_cli.traces.model import Trace
from traced_pipeline_cli.traces.parse import parse_trace
from traced_pipeline_cli.traces.resource_types import NodeKind

from tests.support import samples

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
    """A chain of segments, one after the other; `disconnected` begins a chain of its own."""
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
    return Finding(check=Check(check), kind=kind, name=name, text="It is so.", fix="Do it.")


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
    assert verdict.first_break is None
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
    assert list(_statuses(verdict).values()) == [*["connected"] * 4, "disconnected", "disconnected"]


def test_a_failure_is_reported_and_ends_the_wait() -> None:
    exception = {"type": "ValueError", "message": "no\n id"}
    failed = {"fault": True, "cause": {"exceptions": [exception]}}
    verdict = judge(ROUTE, _trace(*HOPS[:5], worker=failed), ())
    broken = verdict.first_break
    assert broken is not None
    assert (broken.hop.name, broken.status, broken.reason) == ("worker", "failed", "ValueError: no id")
    assert reaches_its_end(ROUTE, _trace(*HOPS[:5], worker=failed))


def test_a_function_that_raises_is_failed_in_lambdas_own_segments_too() -> None:
    raised = {"error": True, "cause": {"exceptions": [{"type": "KeyError", "message": "'id'"}]}}
    verdict = judge(ROUTE, _trace(*HOPS[:2], ingest=raised), ())
    broken = verdict.first_break
    assert broken is not None
    assert (broken.hop.name, broken.status, broken.reason) == ("ingest", "failed", "KeyError: 'id'")


def test_a_stage_is_not_blamed_for_the_function_behind_it() -> None:
    raised = {"error": True}
    failed = _trace(*HOPS[:2], Orders_prod={"fault": True}, ingest=raised)
    assert list(_statuses(judge(ROUTE, failed, ())).values()) == ["connected", "failed", *["missing"] * 4]
    assert reaches_its_end(ROUTE, failed)
    alone = _trace(*HOPS[:1], Orders_prod={"fault": True})
    assert not reaches_its_end(ROUTE, alone), "the function's segments may still come"
    timed_out = _trace(*HOPS[:2], Orders_prod={"fault": True})
    assert reaches_its_end(ROUTE, timed_out)


def test_a_request_that_the_stage_refuses_ends_there() -> None:
    refused = _trace(*HOPS[:1], Orders_prod={"error": True})
    assert list(_statuses(judge(ROUTE, refused, ())).values()) == ["failed", *["missing"] * 5]
    assert reaches_its_end(ROUTE, refused)


def test_a_refused_call_is_a_failure_only_where_its_caller_failed() -> None:
    refused = {"error": True}
    assert judge(ROUTE, _trace(*HOPS, items=refused), ()).connected
    verdict = judge(ROUTE, _trace(*HOPS, worker={"fault": True}, items=refused), ())
    assert list(_statuses(verdict).values())[4:] == ["failed", "failed"]


def test_workers_that_share_a_table_are_judged_by_their_own_calls() -> None:
    audit = f"arn:aws:sqs:us-east-1:{ACCOUNT}:audit"
    both = replace(
        WHOLE,
        functions=(*WHOLE.functions, function("auditor", environment={"TABLE": "items"})),
        topics=(replace(WHOLE.topics[0], subscriptions=(SUBSCRIPTION, replace(SUBSCRIPTION, queue=audit))),),
        queues=(*WHOLE.queues, queue(audit)),
        event_sources=(SOURCE, replace(SOURCE, id="esm-2", queue=audit, function=function_arn("auditor"))),
    )
    route = route_of(both)
    assert [hop.name for hop in route] == [*HOPS, "audit", "auditor", "items"]

    def trace(*, writes: str) -> Trace:
        answer = samples.Answer(1)
        stage = answer.segment("Orders/prod", "AWS::ApiGateway::Stage", 0, 1)
        ingest = answer.segment("ingest", "AWS::Lambda::Function", 0, 1, parent_id=stage["id"])
        calls = [answer.call("SQS", 0.1, 0.2), answer.call("SQS", 0.1, 0.2)]
        answer.segment("orders", "AWS::SNS", 0, 1, parent_id=ingest["id"], subsegments=calls)
        for call, name, worker in zip(calls, ("work", "audit"), ("worker", "auditor"), strict=True):
            answer.inferred(call, name, "AWS::SQS::Queue")
            put = answer.call("DynamoDB", 0.3, 0.4, table_name="items")
            inside = [put] if worker == writes else []
            answer.segment(worker, "AWS::Lambda::Function", 0.3, 0.5, parent_id=call["id"], subsegments=inside)
            if inside:
                answer.inferred(put, "items", "AWS::DynamoDB::Table")
        return parse_trace(answer.json())

    whole = ["connected"] * 5
    assert [one.status for one in judge(route, trace(writes="worker"), ()).hops] == [*whole, *whole[:3], "missing"]
    assert [one.status for one in judge(route, trace(writes="auditor"), ()).hops] == [*whole, "missing", *whole[:3]]


def test_of_several_attempts_the_last_one_counts() -> None:
    trace = _trace(*HOPS)
    first = _trace(*HOPS[:5], worker={"fault": True, "id": "aaaaaaaaaaaaaaaa", "start_time": 3.5}).segments[-1]
    again = replace(trace, segments=(*trace.segments, first))
    assert judge(ROUTE, again, ()).connected


def test_a_topic_is_not_blamed_for_its_queue() -> None:
    trace = _trace(*HOPS[:4], orders={"fault": True}, work={"fault": True})
    broken = judge(ROUTE, trace, (_finding("queue-policy", "queue", "work"),)).first_break
    assert broken is not None
    assert broken.hop.name == "work"
    assert [cause.check for cause in broken.causes] == ["queue-policy"]


class _NobodyIsAsked:
    def client(self, service: str) -> None:
        raise AssertionError(f"{service} was asked")


def test_a_worker_is_not_looked_for_behind_a_queue_that_did_not_take_the_message() -> None:
    trace = _trace(*HOPS[:4], orders={"fault": True}, work={"fault": True})
    verdict = judge(ROUTE, trace, (_finding("queue-policy", "queue", "work"),))
    answer = Answer(status=202, headers={}, body="", trace_id=trace.id, seconds=0.1)
    session = cast("boto3.Session", _NobodyIsAsked())
    assert gather(session, Reads(), WHOLE, verdict, trace, answer, 0.0) == ()


def test_a_finding_explains_its_hop_and_the_next_break_behind_it() -> None:
    at_topic, at_worker = _finding("topic-not-active", "topic", "orders"), _finding("bridge-off", "function", "worker")
    elsewhere = _finding("ingest-not-active", "function", "ingest")
    verdict = judge(ROUTE, _trace("Orders/prod", "ingest", "orders"), (at_topic, at_worker))
    causes = {one.hop.name: [cause.check for cause in one.causes] for one in verdict.hops if one.causes}
    assert causes == {"work": ["topic-not-active"], "worker": ["bridge-off"]}
    assert judge(ROUTE, _trace(*HOPS), (elsewhere,)).remarks == (elsewhere,)


def test_nothing_recorded_breaks_at_the_stage() -> None:
    verdict = judge(ROUTE, None, (_finding("not-sampled", "stage", "Orders/prod"),))
    broken = verdict.first_break
    assert broken is not None
    assert broken.hop.kind == "stage"
    assert [cause.check for cause in broken.causes] == ["not-sampled"]
    assert set(_statuses(verdict).values()) == {"missing"}


ROUTE_UNREAD = Unread(what="the function worker", reason="Access denied.", of="route")
CAUSE_UNREAD = Unread(what="X-Ray's sampling rules", reason="Access denied.")


def test_no_hop_is_named_where_the_route_could_not_be_read() -> None:
    verdict = judge(ROUTE, _trace(*HOPS[:4]), (), (ROUTE_UNREAD, CAUSE_UNREAD))
    assert verdict.undecided
    assert verdict.unread_route == (ROUTE_UNREAD,)
    assert list(_statuses(verdict).values()) == [*["connected"] * 4, "unread", "unread"]
    text = verdict_text(WHOLE, verdict, width=100).plain
    assert "Undecided" in text
    assert "breaks at" not in text


def test_what_is_known_is_said_all_the_same() -> None:
    raised = judge(ROUTE, _trace(*HOPS[:2], ingest={"error": True}), (), (ROUTE_UNREAD,))
    assert not raised.undecided
    assert raised.first_break is not None
    assert raised.first_break.hop.name == "ingest"
    assert judge(ROUTE, _trace(*HOPS), (), (ROUTE_UNREAD,)).connected
    assert not judge(ROUTE[:1], _trace(*HOPS[:1]), (), (ROUTE_UNREAD,)).connected
    assert judge(ROUTE[:1], _trace(*HOPS[:1]), (), (ROUTE_UNREAD,)).undecided
    nothing = judge(ROUTE, None, (), (ROUTE_UNREAD,))
    assert not nothing.undecided, "nothing was recorded, whatever the route is"
    assert not judge(ROUTE, _trace(*HOPS[:4]), (), (CAUSE_UNREAD,)).undecided


@pytest.mark.parametrize(
    ("names", "failing", "findings", "said"),
    [
        (HOPS, False, (), "Connected from the API to the table."),
        (HOPS[:5], True, (), "The request failed at the function worker."),
        (
            HOPS[:4],
            False,
            (("bridge-off", "function", "worker"),),
            "Not connected: the trace breaks at the function worker.",
        ),
        (
            HOPS[:3],
            False,
            (("bridge-off", "function", "worker"),),
            "Not connected: the trace breaks at the queue work; what was found out is about the function worker.",
        ),
        (
            HOPS[:4],
            False,
            (),
            "--timeout. A worker must handle its messages with the bridge",
        ),
        (
            HOPS[:3],
            False,
            (),
            "trace breaks at the queue work, and nothing that was read says why. It may still come",
        ),
    ],
)
def test_the_last_line_says_what_is_so(
    names: list[str],
    failing: bool,
    findings: tuple[tuple[str, NodeKind, str], ...],
    said: str,
) -> None:
    verdict = judge(
        ROUTE, _trace(*names, worker={"fault": True} if failing else {}), [_finding(*one) for one in findings]
    )
    text = verdict_text(WHOLE, verdict, width=100).plain
    assert said in text
    assert ("may still come" in text) == (names != HOPS and not findings and not failing)
