"""Messages as spans of the application's own OpenTelemetry."""

import json
import threading
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.propagators.aws.aws_xray_propagator import TRACE_HEADER_KEY
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.semconv._incubating.attributes import faas_attributes, messaging_attributes
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import SpanKind, StatusCode
from trace_bridge import (
    Message,
    continue_trace,
    counters,
    log_fields,
    poll,
    sqs_handler,
    subsegment,
    trace_batch,
)

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
from tests.support.otel_spans import Spans, id_of, parent_id_of, trace_id_of
from tests.support.trace_headers import HEADERS, ROOT

RECORD = record(trace=header(ROOT))
ARN = "arn:aws:lambda:us-east-1:123456789012:function:worker"


def _run(work: Any, *records: dict[str, Any], **options: Any) -> Any:
    @sqs_handler(**options)
    def handler(message: Message) -> None:
        work(message)

    return handler(event(*(records or (RECORD,))), LambdaContext())


def test_a_message_is_a_consumer_span_below_its_sender(spans: Spans) -> None:
    _run(lambda _message: None)
    (span,) = spans.all()
    assert (span.name, span.kind) == ("process orders", SpanKind.CONSUMER)
    assert (trace_id_of(span), parent_id_of(span)) == (ROOT, SENDER)
    assert span.parent is not None
    assert span.parent.is_remote
    assert span.attributes == {
        messaging_attributes.MESSAGING_SYSTEM: messaging_attributes.MessagingSystemValues.AWS_SQS.value,
        messaging_attributes.MESSAGING_OPERATION_NAME: "process",
        messaging_attributes.MESSAGING_OPERATION_TYPE: messaging_attributes.MessagingOperationTypeValues.PROCESS.value,
        messaging_attributes.MESSAGING_DESTINATION_NAME: "orders",
        messaging_attributes.MESSAGING_MESSAGE_ID: "message-1",
        faas_attributes.FAAS_INVOCATION_ID: LambdaContext().aws_request_id,
        "aws.lambda.invoked_arn": ARN,
        "trace_bridge.attempt": 1,
        "trace_bridge.queue_ms": 250,
    }
    assert span.status.status_code is StatusCode.UNSET
    assert not span.links
    scope = span.instrumentation_scope
    assert scope is not None
    assert (scope.name, scope.schema_url) == ("trace_bridge", Schemas.V1_44_0.value)
    assert counters().continued == 1


@pytest.mark.parametrize("kind", ["sampled", "unsampled"])
def test_headers_are_read_and_written_as_opentelemetrys_own_propagator_does(
    process: Process, spans: Spans, kind: str
) -> None:
    sent, _, _ = HEADERS[kind]
    read = trace.get_current_span(AwsXRayPropagator().extract({TRACE_HEADER_KEY: sent})).get_span_context()
    client, written = process.client("dynamodb"), dict[str, str]()

    def work(_message: Message) -> None:
        client.list_tables()
        AwsXRayPropagator().inject(written)
        if kind == "unsampled":
            assert trace.get_current_span().get_span_context() == read

    _run(work, record(trace=sent))
    (header_sent,) = process.services.headers("DynamoDB_20120810.ListTables")
    again = trace.get_current_span(AwsXRayPropagator().extract({TRACE_HEADER_KEY: header_sent})).get_span_context()
    if kind == "unsampled":
        assert (again, header_sent) == (read, f"{written[TRACE_HEADER_KEY]};Lineage=061379e8:0")
    else:
        call, message = spans.all()
        assert message.parent == read
        assert (again.trace_id, again.span_id) == (call.context.trace_id, call.context.span_id)
        assert written[TRACE_HEADER_KEY] == f"Root={ROOT};Parent={id_of(message)};Sampled=1"


@pytest.mark.parametrize("own_header", [ACTIVE, PASS_THROUGH, None])
def test_as_a_link_the_work_stays_in_lambdas_own_trace(
    process: Process, spans: Spans, own_header: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    process.invoked(own_header)
    process.set(otel_relation="link")
    seen: list[dict[str, str]] = []
    _run(lambda _message: seen.append(log_fields()))
    (span,) = spans.all()
    (link,) = span.links
    assert (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") == (ROOT[2:].replace("-", ""), SENDER)
    assert parent_id_of(span) == (OWN_PARENT if own_header == ACTIVE else None)
    assert (trace_id_of(span) == OWN_TRACE) == (own_header == ACTIVE)
    assert seen[0]["xray_trace_id"] == trace_id_of(span)
    assert seen[0]["message_trace_id"] == ROOT
    assert seen[0]["segment_id"] == id_of(span)


def test_log_fields_name_no_span_that_a_sampler_has_left_out(process: Process, spans: Spans) -> None:
    process.invoked(UNSAMPLED)
    process.set(otel_relation="link")
    seen: list[dict[str, str]] = []
    _run(lambda _message: seen.append(log_fields()))
    assert spans.all() == []
    assert (seen[0]["xray_trace_id"], seen[0]["message_trace_id"]) == (OWN_TRACE, ROOT)
    assert "segment_id" not in seen[0]


def test_log_fields_name_the_span(spans: Spans) -> None:
    seen: list[dict[str, str]] = []
    _run(lambda _message: seen.append(log_fields()))
    assert seen == [
        {
            "message_id": "message-1",
            "xray_trace_id": ROOT,
            "segment_id": id_of(spans.all()[0]),
            "lambda_xray_trace_id": OWN_TRACE,
        }
    ]


@pytest.mark.parametrize("sampled", ["0", "?", None])
@pytest.mark.parametrize("relation", ["parent", "link"])
def test_a_message_that_is_not_recorded_leaves_no_span_of_anyones(
    process: Process, spans: Spans, sampled: str | None, relation: Any
) -> None:
    process.set(otel_relation=relation)

    def work(_message: Message) -> None:
        current = trace.get_current_span()
        assert f"{current.get_span_context().trace_id:032x}" == ROOT[2:].replace("-", "")
        assert not current.is_recording()
        with spans.tracer.start_as_current_span("own"):
            pass

    with spans.tracer.start_as_current_span("around") as around:
        _run(work, record(trace=header(ROOT, sampled=sampled)))
        assert trace.get_current_span() is around
    assert [span.name for span in spans.all()] == ["around"]


def test_a_message_without_a_header_is_as_if_there_were_no_bridge(spans: Spans) -> None:
    with spans.tracer.start_as_current_span("around"):
        _run(lambda _message: spans.tracer.start_span("own").end(), record())
    own, around = spans.all()
    assert parent_id_of(own) == id_of(around)


def test_a_failure_marks_the_span_as_opentelemetry_itself_would(spans: Spans) -> None:
    def work(message: Message) -> None:
        if message.message_id == "message-1":
            raise KeyError("gone")

    answer = _run(work, RECORD, record(2, trace=header(trace_id(2))))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    failed, done = spans.all()
    assert (failed.status.status_code, failed.status.description) == (StatusCode.ERROR, "KeyError: 'gone'")
    (recorded,) = failed.events
    assert recorded.attributes is not None
    assert (recorded.name, recorded.attributes["exception.type"]) == ("exception", "KeyError")
    assert "in work" in str(recorded.attributes["exception.stacktrace"])
    assert done.status.status_code is StatusCode.UNSET
    assert [(span.attributes or {}).get("error.type") for span in (failed, done)] == ["KeyError", None]


def test_what_is_put_on_the_segment_is_put_on_the_span(spans: Spans) -> None:
    with continue_trace(RECORD, LambdaContext()) as segment:
        segment.put_annotation("order", "o-1").put_annotation("items", 3).put_annotation("bad key!", 1)
        segment.put_metadata("body", {"a": 1}, "shop").put_metadata("more", 2, "shop")
        segment.add_exception(ValueError("odd"))
        segment.add_link(OWN_TRACE, SENDER).add_link("odd", "odd")
    (span,) = spans.all()
    assert span.attributes is not None
    (link,) = span.links
    assert (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") == (
        OWN_TRACE[2:].replace("-", ""),
        SENDER,
    )
    assert (span.attributes["order"], span.attributes["items"]) == ("o-1", 3)
    assert span.attributes["aws.xray.annotations"] == ("order", "items")
    assert json.loads(str(span.attributes["aws.xray.metadata.shop"])) == {"body": {"a": 1}, "more": 2}
    assert span.status.description == "ValueError: odd"


def test_odd_values_fail_no_message(spans: Spans) -> None:
    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    with continue_trace(RECORD, LambdaContext()) as segment, subsegment("odd") as step:
        recorded: tuple[Any, ...] = (segment, step)
        for entity in recorded:
            entity.put_metadata(["no key"], 1).put_metadata("key", 2, ["no namespace"])
            entity.add_exception("no exception")
            entity.add_exception(UnspeakableError())
    for span in spans.all():
        assert span.attributes is not None
        assert json.loads(str(span.attributes["aws.xray.metadata.default"])) == {"['no key']": 1}
        assert json.loads(str(span.attributes["aws.xray.metadata.['no namespace']"])) == {"key": 2}
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "UnspeakableError")
    assert len(spans.all()) == 2


def test_what_is_put_on_a_segment_that_is_not_recorded_is_dropped(spans: Spans) -> None:
    with continue_trace(record(trace=header(ROOT, sampled="0")), LambdaContext()) as segment:
        segment.put_annotation("order", "o-1").put_metadata("body", 1)
        segment.add_exception(ValueError("odd"))
    assert spans.all() == []


def test_a_provider_that_fails_costs_no_message(process: Process, spans: Spans) -> None:
    def broken(*_args: object, **_kwargs: object) -> Any:
        raise RuntimeError("no spans today")

    process.monkeypatch.setattr("opentelemetry.sdk.trace.Tracer.start_span", broken)
    client = process.client("dynamodb")
    assert _run(lambda _message: client.list_tables()) == {"batchItemFailures": []}
    assert process.services.headers("DynamoDB_20120810.ListTables") == [header(ROOT) + ";Lineage=061379e8:0"]
    assert counters().failed == 1


@pytest.mark.parametrize("relation", ["parent", "link"])
def test_a_span_that_has_no_context_costs_no_message(process: Process, spans: Spans, relation: str) -> None:
    process.set(engine="otel", otel_relation=relation)

    def broken(_span: object) -> Any:
        raise RuntimeError("no context today")

    process.monkeypatch.setattr("opentelemetry.sdk.trace.Span.get_span_context", broken)
    assert _run(lambda _message: None) == {"batchItemFailures": []}


def test_numbers_of_sqs_that_are_none_cost_no_span(process: Process, spans: Spans) -> None:
    odd = {**RECORD, "attributes": {**RECORD["attributes"], "ApproximateReceiveCount": float("inf")}}
    with continue_trace(odd, LambdaContext()):
        assert Message(odd).attempt == 1
    assert len(spans.all()) == 1
    process.set(engine="xray")
    with continue_trace(odd, LambdaContext()):
        pass
    assert len(process.documents_of(ROOT)) == 1


def test_messages_polled_outside_of_lambda_are_spans_too(process: Process, spans: Spans) -> None:
    for variable in ("AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT", "_X_AMZN_TRACE_ID"):
        process.monkeypatch.delenv(variable)
    process.invoked(None)
    message = {"MessageId": "m", "ReceiptHandle": "h", "Body": "{}", "Attributes": RECORD["attributes"]}
    answers = iter([{"Messages": [message]}])
    process.services.answer = lambda path, _body: (200, next(answers, {}) if path == "/" else {})
    stop = threading.Event()
    poll(
        f"{process.services.url}/1/q",
        lambda _message: stop.set(),
        client=process.client("sqs"),
        stop=stop,
        wait_seconds=0,
    )
    span = next(span for span in spans.all() if span.kind is SpanKind.CONSUMER)
    assert (span.name, trace_id_of(span), parent_id_of(span)) == ("process", ROOT, SENDER)


def test_a_batch_in_one_block_is_flushed_once(process: Process, spans: Spans) -> None:
    flushed: list[int] = []
    spans.provider.add_span_processor(SpanProcessor())
    process.monkeypatch.setattr(spans.provider, "force_flush", lambda timeout: flushed.append(timeout))
    with trace_batch(LambdaContext()):
        for number in (1, 2):
            with continue_trace(record(number, trace=header(trace_id(number))), LambdaContext()):
                pass
        assert flushed == []
    assert len(flushed) == 1
    with continue_trace(RECORD, LambdaContext()):
        pass
    assert len(flushed) == 2
