"""A function that sets up no OpenTelemetry of its own: a variable does it, and its spans go to X-Ray."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import propagate, trace
from opentelemetry.propagators.aws import AwsXRayPropagator
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, get_current_span
from trace_bridge import BatchFailedError, Message, continue_trace, sqs_handler, subsegment
from trace_bridge.otel import XRaySpanExporter, xray_tracer_provider

from tests.support.lambda_events import (
    ACTIVE,
    OWN_PARENT,
    OWN_TRACE,
    PASS_THROUGH,
    SENDER,
    LambdaContext,
    event,
    header,
    record,
)
from tests.support.lambda_process import Process
from tests.support.trace_headers import ROOT

HEADER = "X-Amzn-Trace-Id"


@pytest.fixture
def provider(process: Process) -> Iterator[TracerProvider]:
    propagator = propagate.get_global_textmap()
    made = xray_tracer_provider()
    process.monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: made)
    process.set(engine="otel")
    yield made
    made.shutdown()
    propagate.set_global_textmap(propagator)


def _by_name(process: Process) -> dict[str, dict[str, Any]]:
    return {document["name"]: document for document in process.documents()}


def test_a_handlers_own_span_is_in_its_messages_trace_and_its_error_is_marked(
    process: Process, provider: TracerProvider
) -> None:
    @sqs_handler
    def handler(_message: Message) -> None:
        with trace.get_tracer("orders").start_as_current_span("price"):
            raise ValueError("no price")

    with pytest.raises(BatchFailedError):
        handler(event(record(trace=header(ROOT))), LambdaContext())
    documents = _by_name(process)
    price, message = documents["price"], documents["worker"]
    assert (message["trace_id"], message["parent_id"], message["origin"]) == (ROOT, SENDER, "AWS::Lambda::Function")
    assert (price["trace_id"], price["parent_id"], price["type"]) == (ROOT, message["id"], "subsegment")
    assert price["fault"] is message["fault"] is True
    assert price["cause"]["exceptions"][0]["message"] == "no price"


@pytest.mark.parametrize("kind", [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.PRODUCER])
def test_outside_of_messages_a_span_is_below_lambdas_own_segment(
    process: Process, provider: TracerProvider, kind: SpanKind
) -> None:
    process.invoked(ACTIVE)
    with trace.get_tracer("orders").start_as_current_span("outer", kind=kind), subsegment("inner"):
        pass
    documents = _by_name(process)
    outer, inner = documents["outer"], documents["inner"]
    assert (outer["trace_id"], outer["parent_id"], outer["type"]) == (OWN_TRACE, OWN_PARENT, "subsegment")
    assert (inner["parent_id"], inner["type"]) == (outer["id"], "subsegment")
    assert "origin" not in outer


def test_a_function_decorated_before_the_first_invocation_is_below_each_ones_own_segment(
    process: Process, provider: TracerProvider
) -> None:
    process.invoked(None)

    @trace.get_tracer("orders").start_as_current_span("price")
    def price() -> None: ...

    process.invoked(ACTIVE)
    price()
    assert _by_name(process)["price"]["parent_id"] == OWN_PARENT


def test_a_step_of_the_bridge_outside_of_messages_keeps_its_name(process: Process, provider: TracerProvider) -> None:
    process.invoked(ACTIVE)
    with subsegment("price"):
        pass
    (document,) = process.documents()
    assert (document["name"], document["type"], document["parent_id"]) == ("price", "subsegment", OWN_PARENT)


def test_a_message_in_link_mode_is_a_segment_of_the_invocations_trace(
    process: Process, provider: TracerProvider
) -> None:
    process.invoked(ACTIVE)
    process.set(engine="otel", otel_relation="link")
    with continue_trace(record(trace=header(ROOT)), LambdaContext()):
        pass
    (document,) = process.documents()
    assert (document["name"], document["origin"]) == ("worker", "AWS::Lambda::Function")
    assert (document["trace_id"], document["parent_id"]) == (OWN_TRACE, OWN_PARENT)
    assert document["links"] == [{"trace_id": ROOT, "id": SENDER}]


@pytest.mark.parametrize(
    "own_header", [None, PASS_THROUGH, f"Root={OWN_TRACE};Parent={OWN_PARENT};Sampled=0", f"Root={OWN_TRACE}"]
)
def test_what_nobody_asked_to_record_is_not_recorded(
    process: Process, provider: TracerProvider, own_header: str | None
) -> None:
    process.invoked(own_header)
    with trace.get_tracer("orders").start_as_current_span("price") as span:
        assert not span.is_recording()
        if own_header is not None:
            root = own_header.partition(";")[0].removeprefix("Root=")
            assert f"{span.get_span_context().trace_id:032x}" == root[2:].replace("-", "")
    assert process.documents() == []


def test_an_unsampled_messages_own_spans_are_not_recorded(process: Process, provider: TracerProvider) -> None:
    with (
        continue_trace(record(trace=header(ROOT, sampled="0")), LambdaContext()),
        trace.get_tracer("orders").start_as_current_span("price") as span,
    ):
        assert not span.is_recording()
    assert process.documents() == []


def test_a_sampler_of_the_environments_is_used(process: Process) -> None:
    process.monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
    process.monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext")
    process.invoked(None)
    provider = xray_tracer_provider()
    with provider.get_tracer("orders").start_as_current_span("price", kind=SpanKind.SERVER):
        pass
    provider.shutdown()
    assert len(process.documents()) == 1


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "worker"),
        ({"OTEL_SERVICE_NAME": "shop"}, "shop"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test,service.name=shop"}, "shop"),
    ],
)
def test_the_service_is_named_after_the_function_unless_the_environment_says_otherwise(
    process: Process, variables: dict[str, str], name: str
) -> None:
    process.monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext")
    for variable, value in variables.items():
        process.monkeypatch.setenv(variable, value)
    provider = xray_tracer_provider()
    assert provider.resource.attributes["service.name"] == name
    provider.shutdown()


class TestHeaders:
    """Headers of HTTP calls that instrumentation of others writes, by OpenTelemetry's global propagator."""

    def test_a_call_carries_the_span_and_lambdas_lineage(self, process: Process, provider: TracerProvider) -> None:
        process.invoked(f"Root={OWN_TRACE};Parent={OWN_PARENT};Sampled=1;Lineage=1:ab12cd34:0")
        carrier: dict[str, str] = {}
        with trace.get_tracer("orders").start_as_current_span("call") as span:
            propagate.inject(carrier)
            span_id = f"{span.get_span_context().span_id:016x}"
        assert carrier[HEADER] == f"Root={OWN_TRACE};Parent={span_id};Sampled=1;Lineage=1:ab12cd34:0"
        assert carrier["traceparent"] == f"00-{OWN_TRACE[2:].replace('-', '')}-{span_id}-01"

    @pytest.mark.parametrize("sampled", ["0", "1"])
    def test_a_header_is_read_as_opentelemetrys_own_propagator_reads_it(
        self, process: Process, provider: TracerProvider, sampled: str
    ) -> None:
        carrier = {HEADER: f"Root={ROOT};Parent={SENDER};Sampled={sampled}"}
        ours = get_current_span(propagate.extract(carrier)).get_span_context()
        theirs = get_current_span(AwsXRayPropagator().extract(carrier)).get_span_context()
        assert (ours.trace_id, ours.span_id, ours.is_remote) == (theirs.trace_id, theirs.span_id, theirs.is_remote)
        assert ours.trace_flags.sampled == theirs.trace_flags.sampled

    @pytest.mark.parametrize("text", ["", f"Root={ROOT}", "Root=none;Parent=none"])
    def test_a_header_that_names_no_span_changes_nothing(
        self, process: Process, provider: TracerProvider, text: str
    ) -> None:
        assert not get_current_span(propagate.extract({HEADER: text})).get_span_context().is_valid
        carrier: dict[str, str] = {}
        propagate.inject(carrier)
        assert HEADER not in carrier

    def test_propagators_of_the_environments_are_left_alone(self, process: Process) -> None:
        process.monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext")
        before = propagate.get_global_textmap()
        xray_tracer_provider().shutdown()
        assert propagate.get_global_textmap() is before


def test_annotations_are_those_the_environment_names(process: Process) -> None:
    process.monkeypatch.setenv("OTEL_PROPAGATORS", "tracecontext")
    process.set(otel_annotations=("order.id",))
    process.invoked(ACTIVE)
    provider = xray_tracer_provider()
    with provider.get_tracer("orders").start_as_current_span("price", attributes={"order.id": "o-1"}):
        pass
    provider.shutdown()
    assert _by_name(process)["price"]["annotations"] == {"order_id": "o-1"}


_LOADED = """
import json, sys
from opentelemetry import trace
before = "opentelemetry.sdk.trace" in sys.modules
tracer = trace.get_tracer("orders")
print(json.dumps([before, type(trace.get_tracer_provider()).__module__]))
"""


@pytest.mark.program
def test_it_is_loaded_by_its_name_once_somebody_asks_for_a_tracer() -> None:
    environment = {**os.environ, "OTEL_PYTHON_TRACER_PROVIDER": "trace_bridge"}
    done = subprocess.run([sys.executable, "-c", _LOADED], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, "trace_bridge.otel._provider"]


_NOT_FOUND = """
import logging
logging.disable()
from trace_bridge import sqs_handler
@sqs_handler
def handler(message): ...
class Context:
    aws_request_id, invoked_function_arn = "1", "arn:aws:lambda:us-east-1:111111111111:function:worker"
    def get_remaining_time_in_millis(self): return 3000
record = {"messageId": "1", "body": "{}", "attributes": {"AWSTraceHeader": "%s"}, "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-east-1:111111111111:orders"}
print(handler({"Records": [record, {**record, "messageId": "2"}]}, Context()))
"""


@pytest.mark.program
def test_messages_are_processed_where_no_provider_has_the_name() -> None:
    environment = {**os.environ, "OTEL_PYTHON_TRACER_PROVIDER": "no_such_name", "TRACE_BRIDGE_ENGINE": "otel"}
    code = _NOT_FOUND % header(ROOT)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{'batchItemFailures': []}", done.stderr


def test_the_exporter_has_a_name_too() -> None:
    from importlib.metadata import entry_points

    (entry_point,) = entry_points(group="opentelemetry_traces_exporter", name="trace_bridge")
    assert entry_point.load() is XRaySpanExporter
