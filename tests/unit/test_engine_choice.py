"""Which engine records: `TRACE_BRIDGE_ENGINE`."""

import inspect
import logging
import os
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from trace_bridge import Message, log_fields, sqs_handler

from tests.support import bridge
from tests.support.bridge import Engine, engine_classes
from tests.support.lambda_events import LambdaContext, event, header, record
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans
from tests.support.trace_headers import ROOT

BATCH = event(record(trace=header(ROOT)))


@sqs_handler
def handler(_message: Message) -> None:
    pass


@pytest.mark.parametrize("engine", engine_classes())
def test_an_engine_has_every_method_of_the_protocol_with_its_arguments(engine: type) -> None:
    methods = {name: method for name, method in vars(Engine).items() if not name.startswith("_")}
    assert methods
    for name, method in methods.items():
        assert list(inspect.signature(getattr(engine, name)).parameters) == list(inspect.signature(method).parameters)


def test_xray_is_the_default_also_where_an_application_has_set_opentelemetry_up(process: Process, spans: Spans) -> None:
    process.set(engine="xray")
    handler(BATCH, LambdaContext())
    assert spans.all() == []
    assert len(process.documents()) == 1


def test_opentelemetry_sends_no_documents_by_itself(process: Process, spans: Spans) -> None:
    handler(BATCH, LambdaContext())
    assert len(spans.all()) == 1
    assert process.documents() == []


@pytest.mark.parametrize("is_set_up", [True, False])
def test_auto_decides_at_the_first_message_and_says_so(
    process: Process, spans: Spans, is_set_up: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trace_bridge")
    provider = trace.ProxyTracerProvider()
    if not is_set_up:
        process.monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
    process.set(engine="auto")
    handler(BATCH, LambdaContext())
    handler(BATCH, LambdaContext())
    assert (len(spans.all()), len(process.documents())) == ((2, 0) if is_set_up else (0, 2))
    named = "OpenTelemetry" if is_set_up else "X-Ray segment documents"
    assert [entry.message for entry in caplog.records] == [f"messages are recorded by {named}"]


NOT_SET_UP = ["nothing is recorded: the application has set up no tracer provider of OpenTelemetry"]


@pytest.mark.parametrize("relation", ["parent", "link"])
@pytest.mark.parametrize("provider", ["none", "none, of an older API", "disabled"])
def test_without_a_provider_that_records_messages_run_and_pass_their_trace_on(
    process: Process, spans: Spans, caplog: pytest.LogCaptureFixture, provider: str, relation: Any
) -> None:
    process.monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    found = TracerProvider() if provider == "disabled" else trace.ProxyTracerProvider()
    process.monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: found)
    if provider == "none, of an older API":
        process.monkeypatch.setattr("opentelemetry.trace.NoOpTracer.start_span", lambda *_, **__: trace.INVALID_SPAN)
    process.set(otel_relation=relation)
    client, logged = process.client("dynamodb"), []

    @sqs_handler
    def calling(_message: Message) -> None:
        logged.append(log_fields())
        client.list_tables()

    calling(BATCH, LambdaContext())
    calling(BATCH, LambdaContext())
    warned = [entry.message for entry in caplog.records if entry.name == "trace_bridge"]
    assert warned == ([] if provider == "disabled" else NOT_SET_UP)  # the SDK itself says that it is disabled
    assert process.services.headers("DynamoDB_20120810.ListTables") == [f"{header(ROOT)};Lineage=061379e8:0"] * 2
    assert [fields["xray_trace_id"] for fields in logged] == [ROOT] * 2
    assert not {"segment_id", "message_trace_id"} & logged[0].keys()


@pytest.mark.parametrize("choice", ["otel", "auto"])
def test_messages_run_unrecorded_where_the_engine_cannot_be_loaded(
    process: Process, spans: Spans, choice: str, caplog: pytest.LogCaptureFixture
) -> None:
    bridge.fail_to_import(process.monkeypatch, "_otel_engine")
    process.set(engine=choice)
    for _ in range(2):
        assert handler(BATCH, LambdaContext()) == {"batchItemFailures": []}
    (said,) = (entry for entry in caplog.records if entry.levelno == logging.ERROR)
    assert said.message == "nothing is recorded: the engine for OpenTelemetry cannot be loaded"
    assert process.documents() == []


def test_messages_run_where_the_provider_gives_no_tracer(
    process: Process, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    class Provider:
        def get_tracer(self, *_: object, **__: object) -> trace.Tracer:
            raise LookupError("no tracer")

    provider = Provider()
    process.monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: provider)
    for _ in range(2):
        assert handler(BATCH, LambdaContext()) == {"batchItemFailures": []}
    (said,) = (entry for entry in caplog.records if entry.name == "trace_bridge")
    assert said.message == "nothing is recorded: the application's tracer provider of OpenTelemetry gives no tracer"


def _program(text: str, **environment: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", text],
        env={**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "worker", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


_WITHOUT_OPENTELEMETRY = """
import logging, sys
logging.basicConfig(format="%(levelname)s %(message)s")
sys.modules["opentelemetry"] = None
import trace_bridge
@trace_bridge.sqs_handler
def handler(message): print("ran", message.message_id)
attributes = {"AWSTraceHeader": "Root=1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa;Parent=53995c3f42cd8ad8;Sampled=1"}
print(handler({"Records": [{"messageId": "1", "body": "", "attributes": attributes}]}, None))
print(trace_bridge.counters())
"""


@pytest.mark.program
def test_without_opentelemetry_there_is_one_error_and_messages_run_unrecorded() -> None:
    said = _program(_WITHOUT_OPENTELEMETRY, TRACE_BRIDGE_ENGINE="otel")
    (error,) = (line for line in said.splitlines() if line.startswith("ERROR"))
    assert error.startswith("ERROR nothing is recorded, messages are processed as if there were no bridge: ")
    assert error.endswith(
        "TRACE_BRIDGE_ENGINE is 'otel', which needs opentelemetry-api: `pip install 'trace-bridge[otel]'`"
    )
    assert "ran 1" in said
    assert "{'batchItemFailures': []}" in said
    assert "continued=0" in said


@pytest.mark.program
def test_auto_without_opentelemetry_records_documents() -> None:
    said = _program(
        _WITHOUT_OPENTELEMETRY, TRACE_BRIDGE_ENGINE="auto", TRACE_BRIDGE_EMITTER="udp", AWS_XRAY_DAEMON_ADDRESS=""
    )
    assert "continued=1" in said
    assert "ERROR" not in said
