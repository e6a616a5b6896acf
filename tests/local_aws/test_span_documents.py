"""Spans of OpenTelemetry as segment documents, by the cases of the collector's exporter."""

import json
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

from local.xray.document_tree import Document
from local.xray.otlp.decode import from_protobuf
from local.xray.otlp.segments import documents_of
from tests.support.collector_block_cases import CAUSES, HTTP
from tests.support.collector_cases import ORIGINS, SEGMENTS, Case
from tests.support.documents import span_of, value_at
from tests.support.otel_spans import PARENT, SPAN, TRACE, TRACE_ID, context, ended_span

HERE, ELSEWHERE = context(PARENT), context(PARENT, remote=True)
LOCAL_ROOT = {"aws.span.kind": "LOCAL_ROOT", "aws.local.service": "orders"}
SPAN_ID, PARENT_ID = f"{SPAN:016x}", f"{PARENT:016x}"
# Annotations are those that a span lists itself here; the exporter can be given others.
CASES = [case for case in (*SEGMENTS, *ORIGINS, *CAUSES, *HTTP) if not case.annotations]
# What the local X-Ray leaves out: no Lambda function sends it, or no node of a map comes of it.
_LEFT_OUT = ("aws/table_names", "http/response/content_length", "http/request/x_forwarded_for", "sql/")


def documents(**span: Any) -> list[Document]:
    """The documents of a span of the SDK, encoded as its exporters do and decoded again."""
    (decoded,) = from_protobuf(encode_spans([ended_span(**span)]).SerializeToString()).spans
    return documents_of(decoded)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_span_becomes_what_the_collector_makes_of_it(case: Case) -> None:
    (document,) = documents(
        **span_of(case),
    )
    expected = {place: value for place, value in case.expected.items() if not place.startswith(_LEFT_OUT)}
    assert {place: value_at(document, place) for place in expected} == expected
    assert (document["id"], document["trace_id"]) == (SPAN_ID, TRACE_ID)


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.INTERNAL])
def test_a_local_root_is_a_segment_of_its_service(kind: SpanKind) -> None:
    (document,) = documents(kind=kind, parent=ELSEWHERE, attributes=LOCAL_ROOT)
    assert (document["name"], document["parent_id"]) == ("orders", PARENT_ID)
    assert not {"type", "namespace"} & document.keys()


def test_a_local_root_that_calls_is_a_segment_of_its_service_and_a_subsegment_of_the_call() -> None:
    called = {"rpc.system": "aws-api", "rpc.service": "SNS", "rpc.method": "Publish", "aws.remote.service": "AWS::SNS"}
    call, service = documents(
        kind=SpanKind.PRODUCER, parent=ELSEWHERE, attributes=LOCAL_ROOT | called, links=(Link(HERE),)
    )
    assert (call["name"], call["namespace"], call["type"]) == ("SNS", "aws", "subsegment")
    assert (call["id"], call["parent_id"], call["aws"]["operation"]) == (SPAN_ID, service["id"], "Publish")
    assert (service["name"], service["parent_id"]) == ("orders", PARENT_ID)
    assert not {"type", "namespace", "http", "links"} & service.keys()
    assert "operation" not in service["aws"]
    assert len(call["links"]) == 1


def test_the_link_of_a_local_root_that_consumes_is_on_the_segment_of_its_service() -> None:
    other = SpanContext(TRACE + 1, SPAN + 1, is_remote=True)
    consumed, service = documents(
        kind=SpanKind.CONSUMER, parent=ELSEWHERE, attributes=LOCAL_ROOT, links=(Link(other, {"a": "b"}),)
    )
    assert service["links"] == [
        {"trace_id": "1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaab", "id": f"{SPAN + 1:016x}", "attributes": {"a": "b"}}
    ]
    assert "links" not in consumed


def test_without_the_attribute_of_awss_distribution_a_parent_elsewhere_makes_a_local_root() -> None:
    resource = {"service.name": "worker"}
    consumed, service = documents(kind=SpanKind.CONSUMER, parent=ELSEWHERE, resource=resource)
    assert (service["name"], service["parent_id"], consumed["parent_id"]) == ("worker", PARENT_ID, service["id"])
    assert len(documents(kind=SpanKind.CONSUMER, parent=HERE, resource=resource)) == 1


def test_annotations_are_the_attributes_that_a_span_lists_and_metadata_has_its_namespaces() -> None:
    own = {"order.id": "7", "n": 3, "left": True, "aws.xray.annotations": ["order.id", "n", "missing"]}
    (document,) = documents(attributes={**own, "aws.xray.metadata.shop": json.dumps({"basket": [1, 2]})}, parent=HERE)
    assert document["annotations"] == {"order.id": "7", "n": 3}
    assert document["metadata"] == {"default": {"left": True}, "shop": {"basket": [1, 2]}}


def test_the_frames_of_a_python_exception_are_read() -> None:
    trace = """Traceback (most recent call last):
  File "bar.py", line 10, in greet_many
    greet(person)
ValueError: bad value

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "main.py", line 14, in <module>
    greet_many(['Chad', 'Dan', 1])
  File "greetings.py", line 12, in greet_many
    print('hi, ' + person)
TypeError: must be str, not int"""
    event = ("exception", {"exception.type": "TypeError", "exception.message": "no", "exception.stacktrace": trace})
    (document,) = documents(
        events=(event,), status=StatusCode.ERROR, parent=HERE, resource={"telemetry.sdk.language": "python"}
    )
    (raised,) = document["cause"]["exceptions"]
    assert [(frame["path"], frame["line"], frame["label"]) for frame in raised["stack"]] == [
        ("greetings.py", 12, "greet_many"),
        ("main.py", 14, "<module>"),
    ]
