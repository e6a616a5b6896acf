"""AWS calls, HTTP calls and functions of the handler's own, where messages are spans of OpenTelemetry."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import httpcore
import httpx
import pytest
import requests
from aws_xray_sdk.core import xray_recorder
from botocore.exceptions import ClientError
from opentelemetry import trace
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.trace import SpanKind, StatusCode
from trace_bridge import Message, capture, continue_trace, sqs_handler, subsegment

from tests.support.lambda_events import (
    ACTIVE,
    OWN_PARENT,
    OWN_TRACE,
    PASS_THROUGH,
    UNSAMPLED,
    LambdaContext,
    event,
    header,
    record,
)
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans, id_of, parent_id_of, trace_id_of
from tests.support.trace_headers import ROOT
from tests.support.website import Website

RECORD = record(trace=header(ROOT))
LINEAGE = ";Lineage=061379e8:0"
SECRET_URL = "http://127.0.0.1:1/pay?card=secret"
LIST_TABLES = "DynamoDB_20120810.ListTables"


@pytest.fixture
def website() -> Iterator[Website]:
    site = Website()
    yield site
    site.close()


@pytest.fixture
def instrumented(spans: Spans) -> Iterator[None]:
    """OpenTelemetry's own instrumentation of botocore, switched on."""
    instrumentor = BotocoreInstrumentor()  # type: ignore[no-untyped-call] # its constructor has no annotations
    instrumentor.instrument(tracer_provider=spans.provider)
    yield
    instrumentor.uninstrument()


def _attributes(spans: Spans, name: str) -> dict[str, Any]:
    return dict(spans.named(name).attributes or {})


def test_an_aws_call_is_a_client_span_and_carries_its_header(process: Process, spans: Spans) -> None:
    client = process.client("dynamodb")
    with continue_trace(RECORD, LambdaContext()):
        client.delete_item(TableName="orders", Key={"id": {"S": "1"}})
    call, message = spans.all()
    assert (call.name, call.kind, parent_id_of(call)) == ("dynamodb.DeleteItem", SpanKind.CLIENT, id_of(message))
    attributes = _attributes(spans, "dynamodb.DeleteItem")
    assert attributes == {
        "rpc.system": "aws-api",
        "rpc.service": "dynamodb",
        "rpc.method": "DeleteItem",
        "aws.region": "us-east-1",
        "aws.table_name": "orders",
        "aws.request_id": "11111111-2222-4333-8444-555555555555",
        "http.response.status_code": 200,
    }
    assert process.services.headers("DynamoDB_20120810.DeleteItem") == [
        f"Root={ROOT};Parent={id_of(call)};Sampled=1{LINEAGE}"
    ]


def test_a_failed_aws_call_tells_why(process: Process, spans: Spans) -> None:
    process.services.answer = lambda _path, _body: (400, {"__type": "ResourceNotFoundException", "message": "no"})
    client = process.client("dynamodb")
    with continue_trace(RECORD, LambdaContext()), pytest.raises(ClientError):
        client.list_tables()
    call = spans.named("dynamodb.ListTables")
    assert call.status.status_code is StatusCode.ERROR
    assert [recorded.name for recorded in call.events] == ["exception"]
    assert _attributes(spans, "dynamodb.ListTables")["error.type"] == "ResourceNotFoundException"
    message = spans.named("process orders")
    assert (message.status.status_code, "error.type" in (message.attributes or {})) == (StatusCode.UNSET, False)


@pytest.mark.usefixtures("instrumented")
def test_opentelemetrys_own_instrumentation_records_the_calls_and_gets_its_header_sent(
    process: Process, spans: Spans
) -> None:
    client = process.client("dynamodb")

    @sqs_handler
    def handler(_message: Message) -> None:
        client.list_tables()

    handler(event(RECORD), LambdaContext())
    call, message = spans.all()
    assert (call.name, parent_id_of(call)) == ("DynamoDB.ListTables", id_of(message))
    # In Lambda, botocore has put `_X_AMZN_TRACE_ID` there before, and the instrumentation leaves that as it is.
    assert process.services.headers(LIST_TABLES) == [f"Root={ROOT};Parent={id_of(call)};Sampled=1{LINEAGE}"]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(("sampled", "passed_on"), [("0", header(ROOT, sampled="0")), ("?", f"Root={ROOT}")])
def test_beside_it_a_message_that_is_not_recorded_goes_on_with_its_own_header(
    process: Process, spans: Spans, sampled: str, passed_on: str
) -> None:
    client = process.client("dynamodb")
    with continue_trace(record(trace=header(ROOT, sampled=sampled)), LambdaContext()):
        client.list_tables()
    assert spans.all() == []
    assert process.services.headers(LIST_TABLES) == [passed_on + LINEAGE]


@pytest.mark.parametrize(
    ("own_header", "records"), [(ACTIVE, True), (UNSAMPLED, False), (PASS_THROUGH, False), (None, False)]
)
def test_outside_of_messages_a_call_is_in_the_invocations_own_trace(
    process: Process, spans: Spans, own_header: str | None, records: bool
) -> None:
    process.invoked(own_header)
    client = process.client("dynamodb")
    client.list_tables()
    sent = process.services.headers(LIST_TABLES)
    if not records:
        assert (spans.all(), sent) == ([], [own_header])
        return
    (call,) = spans.all()
    assert (trace_id_of(call), parent_id_of(call)) == (OWN_TRACE, OWN_PARENT)
    assert sent == [f"Root={OWN_TRACE};Parent={id_of(call)};Sampled=1{LINEAGE}"]


def test_outside_of_messages_a_call_is_below_the_current_span_first(process: Process, spans: Spans) -> None:
    process.invoked(ACTIVE)
    client = process.client("dynamodb")
    with spans.tracer.start_as_current_span("ingest"):
        client.list_tables()
    call, ingest = spans.all()
    assert parent_id_of(call) == id_of(ingest)
    assert process.services.headers(LIST_TABLES) == [
        f"Root={trace_id_of(ingest)};Parent={id_of(call)};Sampled=1{LINEAGE}"
    ]


def test_functions_of_the_handlers_own_are_spans(spans: Spans) -> None:
    @capture
    def price() -> None:
        with spans.tracer.start_as_current_span("other"):
            pass

    with continue_trace(RECORD, LambdaContext()), subsegment("order") as step:
        step.put_annotation("items", 3).put_annotation("items", 4).put_metadata("body", 1)
        price()
    other, priced, order, message = spans.all()
    assert [span.name for span in (other, priced, order)] == ["other", "price", "order"]
    assert [parent_id_of(span) for span in (other, priced, order)] == [id_of(priced), id_of(order), id_of(message)]
    attributes = _attributes(spans, "order")
    assert (attributes["items"], attributes["aws.xray.annotations"]) == (4, ("items",))
    assert json.loads(attributes["aws.xray.metadata.default"]) == {"body": 1}
    assert order.kind is SpanKind.INTERNAL


def test_a_function_that_fails_marks_its_span_and_the_message(spans: Spans) -> None:
    with pytest.raises(ValueError, match="odd"), continue_trace(RECORD, LambdaContext()), subsegment("order"):
        raise ValueError("odd")
    assert [span.status.description for span in spans.all()] == ["ValueError: odd", "ValueError: odd"]
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_generator_that_nobody_iterates_over_any_more_has_not_failed(spans: Spans) -> None:
    def prices() -> Iterator[int]:
        with subsegment("prices"):
            yield 1
            yield 2

    with continue_trace(RECORD, LambdaContext()):
        started = prices()
        next(started)
        started.close()  # type: ignore[attr-defined] # it is a generator
    assert {span.name: span.status.status_code for span in spans.all()}["prices"] is StatusCode.UNSET


def test_a_function_in_a_message_that_is_not_recorded_leaves_no_span(spans: Spans) -> None:
    with continue_trace(record(trace=header(ROOT, sampled="0")), LambdaContext()), subsegment("order") as step:
        step.put_annotation("items", 3)
    assert spans.all() == []


def test_an_http_call_is_a_client_span_and_carries_its_header(spans: Spans, website: Website) -> None:
    with continue_trace(RECORD, LambdaContext()), urlopen(f"{website.url}/prices?key=secret") as response:
        response.read()
    call, message = spans.all()
    assert (call.name, call.kind, parent_id_of(call)) == ("GET", SpanKind.CLIENT, id_of(message))
    attributes = _attributes(spans, "GET")
    assert attributes["url.full"] == f"{website.url}/prices"
    assert (attributes["http.request.method"], attributes["http.response.status_code"]) == ("GET", 200)
    place = urlsplit(website.url)
    assert (attributes["server.address"], attributes["server.port"]) == (place.hostname, place.port)
    assert "error.type" not in attributes
    assert [asked.trace_header for asked in website.asked] == [f"Root={ROOT};Parent={id_of(call)};Sampled=1{LINEAGE}"]


def test_what_a_url_asks_is_in_no_span_also_where_the_call_fails(spans: Spans) -> None:
    with pytest.raises(requests.ConnectionError) as raised, continue_trace(RECORD, LambdaContext()), subsegment("pay"):
        requests.get(SECRET_URL, timeout=5)
    assert "card=secret" in str(raised.value)
    assert [span.name for span in spans.all()] == ["GET", "pay", "process orders"]
    for span in spans.all():
        assert (span.status.status_code, len(span.events)) == (StatusCode.ERROR, 1)
        assert "ConnectionError" in span.to_json()
        assert "secret" not in span.to_json()


@pytest.mark.parametrize("kept", [False, True])
def test_an_exceptions_text_is_in_no_span_with_queries_and_credentials(
    process: Process, spans: Spans, website: Website, kept: bool
) -> None:
    process.set(http_query=kept)

    def pay() -> None:
        try:
            requests.get(f"{website.url}/status/404?card=secret", timeout=5).raise_for_status()
        except requests.HTTPError as refused:
            raise LookupError("postgres://user:password@host/orders") from refused

    with pytest.raises(LookupError), continue_trace(RECORD, LambdaContext()), subsegment("pay"):
        pay()
    for name in ("pay", "process orders"):
        (event,) = spans.named(name).events
        written = spans.named(name).to_json()
        assert "postgres://host/orders" in written
        assert "password" not in written
        assert ("card=secret" in written) is kept
        assert "direct cause of the following exception" in str((event.attributes or {})["exception.stacktrace"])


def test_a_failed_http_call_marks_its_span(spans: Spans, website: Website) -> None:
    with continue_trace(RECORD, LambdaContext()), pytest.raises(HTTPError) as raised:
        urlopen(f"{website.url}/status/503")
    raised.value.close()
    call = spans.named("GET")
    assert call.status.status_code is StatusCode.ERROR
    attributes = _attributes(spans, "GET")
    assert (attributes["http.response.status_code"], attributes["error.type"]) == (503, "HTTPError")


def test_an_answer_that_is_an_error_is_named_by_its_status(spans: Spans, website: Website) -> None:
    with continue_trace(RECORD, LambdaContext()):
        requests.get(f"{website.url}/status/404", timeout=5)
    assert spans.named("GET").status.status_code is StatusCode.ERROR
    assert _attributes(spans, "GET")["error.type"] == "404"


class _Pool:
    """A pool of connections that answers in the process."""

    def handle_request(self, _request: Any) -> httpcore.Response:
        return httpcore.Response(200, content=b"")


def test_the_port_of_a_call_is_that_of_its_scheme_where_its_url_names_none(spans: Spans) -> None:
    transport = httpx.HTTPTransport()
    transport._pool = _Pool()  # type: ignore[assignment]
    client = httpx.Client(transport=transport, trust_env=False)
    with continue_trace(RECORD, LambdaContext()):
        for url in ("https://stock.example.com/", "http://stock.example.com/", "http://stock.example.com:8080/"):
            client.get(url)
    assert [(span.attributes or {}).get("server.port") for span in spans.all()[:3]] == [443, 80, 8080]


def test_what_a_handler_does_with_the_xray_sdk_fails_no_message(process: Process, spans: Spans) -> None:
    client = process.client("dynamodb")

    @sqs_handler
    def handler(_message: Message) -> None:
        xray_recorder.current_segment().put_annotation("order", "o-1")
        with xray_recorder.in_subsegment("step") as step:
            assert step is not None
            step.put_metadata("body", 1)
            client.list_tables()

    assert handler(event(RECORD, record(2)), LambdaContext()) == {"batchItemFailures": []}
    assert [span.name for span in spans.all()] == ["dynamodb.ListTables", "process orders"]
    assert process.documents() == []


def test_the_calls_that_a_poll_or_flush_makes_by_itself_are_in_no_span(process: Process, spans: Spans) -> None:
    _ = process.client("dynamodb")
    with continue_trace(RECORD, LambdaContext()):
        pass
    assert [span.name for span in spans.all()] == ["process orders"]
