"""`XRaySpanExporter`: spans of an application's own OpenTelemetry on their way to X-Ray."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from opentelemetry.trace import NonRecordingSpan, SpanKind, set_span_in_context
from trace_bridge import ConfigurationError, Message, continue_trace, counters, sqs_handler, subsegment
from trace_bridge.otel import XRaySpanExporter

from tests.support import bridge
from tests.support.fake_endpoints import NoRoute
from tests.support.lambda_events import ACTIVE, OWN_PARENT, SENDER, LambdaContext, event, header, record
from tests.support.lambda_process import Process
from tests.support.otel_spans import TRACE, TRACE_ID, Spans, context, ended_span
from tests.support.timing import Stopwatch
from tests.support.trace_headers import ROOT

ELSEWHERE = set_span_in_context(NonRecordingSpan(context(int(OWN_PARENT, 16), remote=True)))


@pytest.fixture
def provider(process: Process) -> Iterator[TracerProvider]:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(XRaySpanExporter()))
    yield made
    made.shutdown()


def _names(process: Process) -> list[str]:
    return [document["name"] for document in process.documents()]


@pytest.mark.parametrize("own_header", [ACTIVE, None])
def test_spans_go_the_way_the_bridges_own_documents_go(process: Process, own_header: str | None) -> None:
    process.invoked(own_header)
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(XRaySpanExporter()))
    with provider.get_tracer("own").start_as_current_span("work", context=ELSEWHERE, kind=SpanKind.SERVER):
        pass
    (document,) = process.documents()
    assert (document["name"], document["origin"]) == ("worker", "AWS::Lambda::Function")
    assert document["parent_id"] == OWN_PARENT
    assert document["aws"]["cloudwatch_logs"] == [{"log_group": "/logs/worker"}]
    assert (counters().sent_udp, counters().sent_api) == ((1, 0) if own_header else (0, 1))


@pytest.mark.parametrize("parent", [SENDER, None])
def test_a_messages_document_is_that_of_the_engine_for_xray(process: Process, spans: Spans, parent: str | None) -> None:
    spans.provider.add_span_processor(SimpleSpanProcessor(XRaySpanExporter()))
    client = process.client("dynamodb")

    @sqs_handler
    def handler(_message: Message) -> None:
        client.delete_item(TableName="orders", Key={"id": {"S": "1"}})

    batch = event(record(trace=header(ROOT, parent=parent)))
    for engine in ("xray", "otel"):
        process.set(engine=engine)
        handler(batch, LambdaContext())
    theirs, *ours = process.documents()
    (call,) = theirs.pop("subsegments")
    own_call, own = sorted(ours, key=lambda document: "origin" in document)
    fields = ("name", "trace_id", "parent_id", "origin", "resource_arn", "annotations")
    assert {field: own.get(field) for field in fields} == {field: theirs.get(field) for field in fields}
    aws = ("request_id", "function_arn", "account_id", "cloudwatch_logs")
    assert {field: own["aws"][field] for field in aws} == {field: theirs["aws"][field] for field in aws}
    assert own_call["parent_id"] == own["id"]
    assert (own_call["name"], own_call["namespace"]) == (call["name"], call["namespace"])
    assert own_call["http"]["response"] == call["http"]["response"]
    aws = ("operation", "region", "table_name", "request_id")
    assert {field: own_call["aws"][field] for field in aws} == {field: call["aws"][field] for field in aws}


def test_what_a_handler_puts_on_a_message_is_in_its_document(process: Process, spans: Spans) -> None:
    spans.provider.add_span_processor(SimpleSpanProcessor(XRaySpanExporter()))
    with continue_trace(record(trace=header(ROOT)), LambdaContext()) as segment:
        segment.put_annotation("order", "o-1").put_metadata("body", {"a": 1}, "shop")
        with subsegment("price") as step:
            step.put_annotation("items", 3)
    price, message = process.documents()
    assert (price["name"], price["annotations"]) == ("price", {"items": 3})
    assert message["annotations"] == {"message_id": "message-1", "attempt": 1, "queue_ms": 250, "order": "o-1"}
    assert message["metadata"]["shop"] == {"body": {"a": 1}}


def test_in_a_container_a_segment_tells_so(process: Process) -> None:
    process.invoked(None)
    process.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    process.monkeypatch.setenv("ECS_CONTAINER_METADATA_URI_V4", "http://127.0.0.1/v4")
    bridge.forget_invocation()
    XRaySpanExporter().export([ended_span(kind=SpanKind.CONSUMER)])
    assert process.documents()[0]["origin"] == "AWS::ECS::Container"


@pytest.mark.parametrize("engine", ["xray", "otel"])
def test_spans_of_a_batch_leave_in_as_few_calls_as_the_limit_allows(
    process: Process, provider: TracerProvider, engine: str
) -> None:
    process.set(engine=engine)
    bridge.set_linger_seconds(process.monkeypatch, 60.0)
    tracer = provider.get_tracer("own")

    @sqs_handler
    def handler(_message: Message) -> None:
        for _ in range(20):
            with tracer.start_as_current_span("step", context=ELSEWHERE):
                pass

    handler(event(*(record(number) for number in (1, 2, 3))), LambdaContext())
    sizes = [len(body["TraceSegmentDocuments"]) for body in process.services.of("/TraceSegments")]
    assert sorted(sizes) == [10, 50]


def test_a_processor_that_collects_spans_sends_them_when_it_is_flushed(process: Process) -> None:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(XRaySpanExporter(), schedule_delay_millis=60_000))
    try:
        with provider.get_tracer("own").start_as_current_span("work", context=ELSEWHERE):
            pass
        assert process.documents() == []
        assert provider.force_flush()
        assert _names(process) == ["worker"]
    finally:
        provider.shutdown()


def test_the_exporters_own_calls_are_in_no_trace(process: Process, provider: TracerProvider) -> None:
    client = process.client("dynamodb")
    instrumentor = BotocoreInstrumentor()  # type: ignore[no-untyped-call] # its constructor has no annotations
    instrumentor.instrument(tracer_provider=provider)
    process.set(instrument=False)
    try:
        with provider.get_tracer("own").start_as_current_span("work", context=ELSEWHERE):
            client.list_tables()
    finally:
        instrumentor.uninstrument()
    assert _names(process) == ["DynamoDB", "worker"]


def test_an_xray_that_does_not_answer_costs_a_flush_no_more_than_it_allows(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = NoRoute()
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", nowhere.url)
        process.new_emitter()
        exporter = XRaySpanExporter()

        @sqs_handler
        def handler(_message: Message) -> None:
            exporter.export([ended_span(parent=context())])
            stopwatch = Stopwatch()
            assert not exporter.force_flush(100)
            assert stopwatch.seconds() < 0.5

        handler(event(record()), LambdaContext(1_000))
    finally:
        nowhere.close()


def test_after_its_end_an_exporter_refuses_spans(process: Process) -> None:
    exporter = XRaySpanExporter()
    assert exporter.export([ended_span(parent=context())]) is SpanExportResult.SUCCESS
    exporter.shutdown()
    exporter.shutdown()
    assert exporter.export([ended_span(parent=context())]) is SpanExportResult.FAILURE
    assert counters().sent_api == 1


def test_a_span_that_cannot_be_described_is_counted_and_costs_no_other(
    process: Process, caplog: pytest.LogCaptureFixture
) -> None:
    broken = ended_span("broken", parent=context())
    broken._attributes = object()  # type: ignore[assignment]
    assert XRaySpanExporter().export([broken, ended_span("whole", parent=context())]) is SpanExportResult.SUCCESS
    assert _names(process) == ["whole"]
    assert counters().failed == 1
    assert "the span broken could not be sent" in caplog.text


def test_a_span_that_is_too_large_is_cut_to_what_xray_takes(process: Process) -> None:
    XRaySpanExporter().export([ended_span(parent=context(), attributes={"long": "x" * 100_000})])
    assert _names(process) == ["/test"]
    assert counters().trimmed == 1


def test_annotations_are_chosen_by_name(process: Process) -> None:
    XRaySpanExporter(annotations=["order.id"]).export(
        [ended_span(parent=context(), attributes={"order.id": "o-1", "other": 1})]
    )
    (document,) = process.documents()
    assert document["annotations"] == {"order_id": "o-1"}
    assert document["metadata"]["default"] == {"other": 1}


@pytest.mark.parametrize("annotations", ["order.id", "", 3, [1], [""], None, b"all"])
def test_annotations_that_mean_nothing_are_refused(annotations: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"annotations is .*; expected names of attributes, or 'all'"):
        XRaySpanExporter(annotations=annotations)


@pytest.mark.program
def test_the_bridge_imports_nothing_of_opentelemetry() -> None:
    code = "import sys, json, trace_bridge; trace_bridge.instrument(); print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert [name for name in json.loads(printed) if name.startswith("opentelemetry")] == []


@pytest.mark.program
def test_without_the_sdk_an_import_tells_what_to_install() -> None:
    code = "import sys; sys.modules['opentelemetry'] = None; import trace_bridge; import trace_bridge.otel"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stderr.strip().endswith("trace_bridge.otel needs `pip install 'trace-bridge[otel-sdk]'`")


def test_a_trace_id_of_opentelemetrys_own_making_is_written_as_xray_writes_its(process: Process) -> None:
    XRaySpanExporter().export([ended_span(parent=context(trace=TRACE))])
    assert process.documents()[0]["trace_id"] == TRACE_ID
