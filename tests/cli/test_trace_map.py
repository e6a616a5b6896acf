from __future__ import annotations

import json
from collections.abc import Iterable
from typing import get_args

import pytest
from traced_pipeline_cli.errors import InvalidDocumentError
from traced_pipeline_cli.render.html.page import page_html
from traced_pipeline_cli.render.svg.shapes import GLYPHS
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.graph_model import TraceMap
from traced_pipeline_cli.traces.parse import parse_trace, parse_traces
from traced_pipeline_cli.traces.resource_types import KIND_LABELS, NodeKind

from tests.support import samples


def drawn(answers: Iterable[samples.Document]) -> TraceMap:
    return build_map(parse_traces(answers))


def names(found: TraceMap, ids: Iterable[str]) -> list[str]:
    return [found.by_id[node_id].name for node_id in ids]


def edges(found: TraceMap) -> list[tuple[str, str]]:
    return [(found.by_id[edge.source].name, found.by_id[edge.target].name) for edge in found.edges]


CHAIN = list(zip(samples.PATH, samples.PATH[1:], strict=False))


def test_one_request_is_one_cluster_of_six_nodes() -> None:
    found = drawn([samples.bridged()])
    assert [node.name for node in found.nodes] == samples.PATH
    assert [node.kind for node in found.nodes] == ["stage", "function", "topic", "queue", "function", "table"]
    assert edges(found) == CHAIN
    assert found.summary() == "1 trace, 1 cluster, 6 nodes"
    [path] = found.traces
    assert path.connected
    assert path.ends_in_table
    assert names(found, path.nodes) == samples.PATH
    assert path.missing_parents == ()
    assert path.queue_seconds == pytest.approx(0.285, abs=1e-6)


def test_many_requests_share_the_nodes() -> None:
    found = drawn([samples.bridged(number) for number in range(1, 21)])
    assert found.summary() == "20 traces, 1 cluster, 6 nodes"
    assert {node.requests for node in found.nodes} == {20}
    assert all(len(node.trace_ids) == 20 and len(node.latencies) == 20 for node in found.nodes)
    assert {edge.requests for edge in found.edges} == {20}


def test_a_functions_two_circles_are_one_node_and_kept_apart_in_the_data() -> None:
    found = drawn([samples.bridged()])
    ingest = found.by_id[f"AWS::Lambda::Function/{samples.INGEST}"]
    assert [(circle.type, circle.segments) for circle in ingest.circles] == [
        ("AWS::Lambda", 1),
        ("AWS::Lambda::Function", 1),
    ]
    assert ingest.requests == 1
    # The Lambda service's view, which includes the start of the function.
    assert ingest.median_seconds == pytest.approx(0.111, abs=1e-6)


def test_inferred_nodes_are_marked() -> None:
    found = drawn([samples.bridged()])
    assert [node.name for node in found.nodes if node.inferred] == [samples.QUEUE, samples.TABLE]


def test_without_the_bridge_there_are_two_traces_and_two_clusters() -> None:
    found = drawn([answer for number in (1, 2, 3) for answer in samples.unbridged(number)])
    assert found.summary() == "6 traces, 2 clusters, 6 nodes"
    assert [names(found, cluster.nodes) for cluster in found.clusters] == [samples.PATH[:4], samples.PATH[4:]]
    assert (samples.QUEUE, samples.WORKER) not in edges(found)
    assert all(path.connected for path in found.traces)
    assert sum(path.ends_in_table for path in found.traces) == 3
    assert found.links == ()


def test_a_link_connects_nothing() -> None:
    found = drawn(samples.unbridged(linked=True))
    assert found.summary() == "2 traces, 2 clusters, 6 nodes"
    [link] = found.links
    assert (link.source_name, link.target_name) == (samples.QUEUE, samples.WORKER)
    assert len(link.trace_ids) == 1


def test_a_link_to_a_trace_that_was_not_fetched_is_kept() -> None:
    first, second = samples.unbridged(linked=True)
    [link] = drawn([first]).links
    assert (link.source, link.target, link.target_name) == (f"AWS::SQS::Queue/{samples.QUEUE}", None, samples.WORKER)
    [link] = drawn([second]).links
    assert (link.source, link.source_name) == (None, samples.INGEST)
    assert link.target == f"AWS::Lambda::Function/{samples.WORKER}"


def test_a_link_begins_at_the_queue_of_the_consumer() -> None:
    first, second = samples.Answer(1), samples.Answer(2)
    bridged, _ = samples.to_the_queue(first, (samples.QUEUE, samples.AUDIT_QUEUE))
    samples.bridged_worker(first, bridged)
    audit = second.function(samples.AUDIT_WORKER, None, 0.5, 0.6, [])
    samples.link(first, second, audit, samples.AUDIT_WORKER)
    [link] = drawn([first.json(), second.json()]).links
    assert (link.source_name, link.target_name) == (samples.AUDIT_QUEUE, samples.AUDIT_WORKER)


def test_a_link_without_a_queue_begins_at_its_sender() -> None:
    first, second = samples.unbridged(linked=True)
    first["Segments"] = [one for one in first["Segments"] if '"AWS::SQS::Queue"' not in one["Document"]]
    [link] = drawn([first, second]).links
    assert link.source_name == samples.INGEST


def test_a_linked_worker_keeps_its_own_trace_beside_the_continued_one() -> None:
    found = drawn(samples.linked_worker())
    assert found.summary() == "2 traces, 1 cluster, 6 nodes"
    assert edges(found) == CHAIN
    [link] = found.links
    assert link.source_name == samples.QUEUE
    worker = found.by_id[f"AWS::Lambda::Function/{samples.WORKER}"]
    assert worker.requests == 2
    assert len(worker.trace_ids) == 2


def test_fan_out_has_two_branches_that_meet_in_the_table() -> None:
    found = drawn([samples.fan_out()])
    assert found.summary() == "1 trace, 1 cluster, 8 nodes"
    assert set(edges(found)) == {
        *CHAIN,
        (samples.TOPIC, samples.AUDIT_QUEUE),
        (samples.AUDIT_QUEUE, samples.AUDIT_WORKER),
        (samples.AUDIT_WORKER, samples.TABLE),
    }


def test_a_missing_hop_breaks_the_trace() -> None:
    answer = samples.bridged()
    answer["Segments"] = [s for s in answer["Segments"] if json.loads(s["Document"])["name"] != samples.TOPIC]
    found = drawn([answer])
    [path] = found.traces
    assert not path.connected
    assert not path.ends_in_table
    assert len(path.missing_parents) == 1
    assert len(found.clusters) > 1


def test_a_consumer_behind_a_passive_topic_is_drawn_behind_it() -> None:
    answer = samples.Answer(1)
    publish = answer.call("SNS", 0.03, 0.09, operation="Publish", topic_arn="arn:aws:sns:us-east-1:123456789012:t")
    answer.function(samples.INGEST, None, 0.0, 0.2, [publish])
    answer.inferred(publish, "t", "AWS::SNS")
    samples.bridged_worker(answer, publish)
    assert edges(drawn([answer.json()])) == [
        (samples.INGEST, "t"),
        ("t", samples.WORKER),
        (samples.WORKER, samples.TABLE),
    ]


def test_a_fault_inside_a_function_counts_once() -> None:
    answer = samples.Answer(1)
    function = answer.function(samples.WORKER, None, 0.0, 0.2, [])
    function["fault"] = True
    [node] = drawn([answer.json()]).nodes
    assert (node.requests, node.faults) == (1, 1)


@pytest.mark.parametrize(
    ("flags", "counts"),
    [
        ({"fault": True}, (1, 0, 0)),
        ({"error": True}, (0, 1, 0)),
        ({"error": True, "throttle": True}, (0, 0, 1)),
        ({"error": True, "fault": True}, (1, 0, 0)),
    ],
)
def test_a_failed_request_counts_once_as_what_it_is(flags: dict[str, bool], counts: tuple[int, int, int]) -> None:
    answer = samples.Answer(1)
    answer.segment("svc", "AWS::ECS::Container", 0, 1, **flags)
    found = drawn([answer.json()])
    [node] = found.nodes
    assert (node.faults, node.errors, node.throttles) == counts
    [path] = found.traces
    assert tuple(map(len, (path.faults, path.errors, path.throttles))) == counts
    assert path.failed


def test_a_function_that_raises_is_an_error_in_lambdas_own_segments_and_a_fault_in_the_bridges() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    for document in answer.documents:
        if document["name"] == samples.INGEST:
            document["error"] = True
    samples.bridged_worker(answer, delivery, fault=True)
    states = {node.name: dict(node.failed) for node in drawn([answer.json()]).nodes if node.failed}
    assert states == {samples.INGEST: {"error": 1}, samples.WORKER: {"fault": 1}}


def test_attempts_wait_one_after_the_other() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    for begin, fault in ((0.4, True), (30.4, True), (60.4, False)):
        samples.bridged_worker(answer, delivery, begin=begin, fault=fault)
    found = drawn([answer.json()])
    [waits] = [edge.waits for edge in found.edges if edge.waits]
    assert waits == pytest.approx((0.285, 29.96, 29.96), abs=1e-6)
    [path] = found.traces
    assert path.attempts == 3
    assert path.queue_seconds == pytest.approx(60.205, abs=1e-6)
    assert path.queue_seconds is not None
    assert path.queue_seconds <= path.seconds


def test_messages_that_wait_side_by_side_do_not_add_up_to_more_than_the_trace_took() -> None:
    answer = samples.Answer(1)
    first, second = samples.to_the_queue(answer, (samples.QUEUE, samples.AUDIT_QUEUE))
    samples.bridged_worker(answer, first, begin=10.0)
    samples.bridged_worker(answer, second, samples.AUDIT_WORKER, begin=10.0)
    [path] = drawn([answer.json()]).traces
    assert path.queue_seconds == pytest.approx(9.885, abs=1e-6)


def test_messages_of_one_call_are_no_attempts_at_each_other() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    for begin, message in ((0.4, "m-1"), (0.5, "m-2"), (0.6, "")):
        worker = samples.bridged_worker(answer, delivery, begin=begin)
        worker["annotations"] = {"message_id": message} if message else {}
    [waits] = [edge.waits for edge in drawn([answer.json()]).edges if edge.waits]
    assert waits == pytest.approx((0.285, 0.385, 0.485), abs=1e-6)


def test_the_time_in_sns_lies_between_the_topic_and_its_delivery() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    topic = next(one for one in answer.documents if one["name"] == samples.TOPIC)
    topic["end_time"] = answer.start + 0.07
    samples.bridged_worker(answer, delivery)
    found = drawn([answer.json()])
    [wait] = [edge.median_wait for edge in found.edges if found.by_id[edge.source].kind == "topic"]
    assert wait == pytest.approx(0.03, abs=1e-6)
    assert found.traces[0].queue_seconds == pytest.approx(0.285, abs=1e-6)


def test_a_subsegment_sent_by_itself_is_nested_under_its_parent() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    worker = samples.bridged_worker(answer, delivery)
    put = worker.pop("subsegments")[0]
    answer.documents.append({**put, "type": "subsegment", "parent_id": worker["id"], "trace_id": answer.trace_id})
    found = drawn([answer.json()])
    assert edges(found) == CHAIN
    trace = parse_trace(answer.json())
    [segment] = [s for s in trace.segments if s.name == samples.WORKER]
    assert [child.id for child in segment.subsegments] == [put["id"]]


def test_a_subsegment_without_its_segment_is_a_part_of_its_own() -> None:
    answer = samples.Answer(1)
    answer.function(samples.WORKER, None, 0.0, 0.2, [])
    answer.documents.append({**answer.call("SNS", 0.1, 0.2), "type": "subsegment", "parent_id": "f" * 16})
    [path] = drawn([answer.json()]).traces
    assert path.clusters == 2
    assert path.missing_parents == ("f" * 16,)


def test_of_two_documents_of_an_id_the_complete_one_counts() -> None:
    complete = samples.Answer(1)
    segment = complete.segment("s", "AWS::Lambda", 0, 1)
    complete.documents.append({**segment, "in_progress": True})
    trace = parse_trace(complete.json())
    assert [s.in_progress for s in trace.segments] == [False]


def test_circular_parents_lose_no_document_and_end() -> None:
    answer = samples.Answer(1)
    one, two = answer.segment("one", "AWS::Lambda", 0, 1), answer.segment("two", "AWS::Lambda", 0, 1)
    one["parent_id"], two["parent_id"] = two["id"], one["id"]
    for letter, parent in (("a", "b"), ("b", "a")):
        document = answer.span("own", 0, 1)
        answer.documents.append({**document, "id": letter * 16, "parent_id": parent * 16, "type": "subsegment"})
    assert len(parse_trace(answer.json()).segments) == 4
    assert len(drawn([answer.json()]).nodes) == 2


def test_unknown_fields_are_kept() -> None:
    answer = samples.Answer(1)
    segment = answer.segment("s", "AWS::Lambda", 0, 1, user="ann", service={"version": "3"}, fault="perhaps")
    segment["subsegments"] = [answer.span("work", 0, 1, sql={"url": "jdbc"}, precursor_ids=["a"])]
    document = {**answer.json(), "Revision": 3}
    trace = parse_trace(document)
    assert trace.extra == {"Revision": 3}
    [read] = trace.segments
    assert read.extra == {"user": "ann", "service": {"version": "3"}, "fault": "perhaps"}
    assert read.subsegments[0].extra == {"sql": {"url": "jdbc"}, "precursor_ids": ["a"]}
    assert read.raw == segment


def test_documents_may_come_as_objects() -> None:
    answer = samples.bridged()
    plain = {**answer, "Segments": [json.loads(segment["Document"]) for segment in answer["Segments"]]}
    assert drawn([plain]).nodes == drawn([answer]).nodes


def test_parts_of_a_trace_on_two_pages_become_one() -> None:
    answer = samples.bridged()
    pages = [{**answer, "Segments": answer["Segments"][:3]}, {**answer, "Segments": answer["Segments"][3:]}]
    assert drawn(pages) == drawn([answer])


@pytest.mark.parametrize("document", ["{", "[]", "{}", '{"name": "x"}'])
def test_a_document_that_cannot_be_read_is_named(document: str) -> None:
    with pytest.raises(InvalidDocumentError, match="Trace 1-a holds a document that cannot be read"):
        parse_trace({"Id": "1-a", "Segments": [{"Id": "x", "Document": document}]})


def test_an_instance_is_not_called_a_container() -> None:
    answer = samples.Answer(1)
    answer.segment("shop", "AWS::EC2::Instance", 0.0, 1.0)
    answer.segment("payments", "AWS::ECS::Container", 0.0, 1.0)
    trace_map = drawn([answer.json()])
    assert [KIND_LABELS[node.kind] for node in trace_map.nodes] == ["Instance", "Container"]


@pytest.mark.parametrize("kind", get_args(NodeKind))
def test_every_kind_has_a_label_a_glyph_and_a_colour(kind: NodeKind) -> None:
    page = page_html(drawn([samples.bridged()]), parse_traces([samples.bridged()]))
    assert kind in KIND_LABELS
    assert kind in GLYPHS
    assert f".kind-{kind} {{ --kind: var(--{kind}); }}" in page
    assert f"--{kind}:light-dark(#" in page


def test_no_traces_make_an_empty_map() -> None:
    assert build_map([]).summary() == "0 traces, 0 clusters, 0 nodes"


def test_ten_thousand_segments_take_seconds() -> None:
    answer = samples.Answer(1)
    parent = answer.segment("s0", "AWS::ECS::Container", 0, 1)
    for number in range(1, 10_000):
        parent = answer.segment(f"s{number % 50}", "AWS::ECS::Container", 0, 1, parent_id=parent["id"])
    found = drawn([answer.json()])
    assert found.summary() == "1 trace, 1 cluster, 50 nodes"
    assert found.traces[0].connected


def test_less_than_a_millisecond_in_sns_is_no_wait() -> None:
    answer = samples.Answer(1)
    samples.to_the_queue(answer)
    topic = next(one for one in answer.documents if one["name"] == samples.TOPIC)
    topic["end_time"] = answer.start + 0.0999
    assert all(edge.median_wait is None for edge in drawn([answer.json()]).edges)
