"""Beside other libraries: OpenTelemetry, the X-Ray SDK's patches and sampler, and programs that import things anew."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from trace_bridge import Message, continue_trace, counters, sqs_handler

from harness.local_aws import ROOT as CHECKOUT
from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

ROOT = trace_id(5)
RECORD = record(trace=header(ROOT))

PROLOGUE = f"""
import json, os, sys
record = json.loads({json.dumps(RECORD)!r})
class Context:
    aws_request_id = "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
    def get_remaining_time_in_millis(self): return 30000
def client(service):
    import botocore.session
    return botocore.session.get_session().create_client(service, endpoint_url=os.environ["URL"])
"""


def program(process: Process, text: str, **environment: str) -> str:
    """Runs a program in a process of its own, with the services and the daemon of the test."""
    variables = {
        **{key: value for key, value in os.environ.items() if not key.startswith("_X_AMZN")},
        "URL": process.services.url,
        **environment,
    }
    command = [sys.executable, "-c", PROLOGUE + text]
    ran = subprocess.run(command, cwd=CHECKOUT, env=variables, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture
def spans(process: Process) -> Iterator[InMemorySpanExporter]:
    """What OpenTelemetry's own instrumentation of botocore records."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor = BotocoreInstrumentor()  # type: ignore[no-untyped-call] # its constructor has no annotations
    instrumentor.instrument(tracer_provider=provider)
    try:
        yield exporter
    finally:
        instrumentor.uninstrument()
        provider.shutdown()


def test_opentelemetry_does_not_record_the_bridges_own_uploads(process: Process, spans: InMemorySpanExporter) -> None:
    client = process.client("dynamodb")

    @sqs_handler
    def handler(_message: Message) -> None:
        client.list_tables()

    handler(event(RECORD), LambdaContext())
    assert counters().sent_api == 1
    assert [span.name for span in spans.get_finished_spans()] == ["DynamoDB.ListTables"]


@pytest.mark.program
def test_the_sdks_patch_of_http_does_not_record_the_bridges_own_uploads(process: Process) -> None:
    said = program(
        process,
        """
import logging; logging.basicConfig()
from aws_xray_sdk.core import patch
patch(["httplib"])
import trace_bridge
@trace_bridge.sqs_handler
def handler(message): pass
handler({"Records": [record]}, Context())
""",
        AWS_XRAY_CONTEXT_MISSING="LOG_ERROR",
    )
    assert "cannot find the current segment" not in said
    (document,) = process.documents_of(ROOT)
    assert "subsegments" not in document


@pytest.mark.program
@pytest.mark.parametrize("missing", ["LOG_ERROR", "RUNTIME_ERROR"])
def test_polling_beside_the_sdks_patch_neither_complains_nor_dies(process: Process, missing: str) -> None:
    process.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    process.monkeypatch.delenv("LAMBDA_TASK_ROOT")
    process.has_origin = False
    answers = iter(
        [{"Messages": [{"MessageId": "m", "ReceiptHandle": "h", "Body": "{}", "Attributes": RECORD["attributes"]}]}]
    )
    process.services.answer = lambda path, _body: (200, next(answers, {}) if path == "/" else {})
    said = program(
        process,
        """
import logging, threading; logging.basicConfig()
from aws_xray_sdk.core import patch
patch(["botocore"])
import trace_bridge
stop = threading.Event()
def handler(message):
    client("dynamodb").list_tables()
    stop.set()
trace_bridge.poll(os.environ["URL"] + "/1/q", handler, client=client("sqs"), stop=stop, wait_seconds=0)
""",
        AWS_XRAY_CONTEXT_MISSING=missing,
    )
    assert "cannot find the current segment" not in said
    (document,) = process.documents_of(ROOT)
    assert [call["name"] for call in document["subsegments"]] == ["dynamodb"]


@pytest.mark.program
def test_an_address_of_the_daemon_set_in_code_stays_the_samplers(process: Process) -> None:
    process.monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS")
    process.monkeypatch.delenv("LAMBDA_TASK_ROOT")
    said = program(
        process,
        """
from aws_xray_sdk.core import xray_recorder
xray_recorder.configure(service="s", daemon_address="10.9.8.7:3000")
from trace_bridge import continue_trace
with continue_trace(record, Context()): pass
print(xray_recorder.sampler._connector._xray_client.meta.endpoint_url)
""",
    )
    assert said.strip() == "http://10.9.8.7:3000"


@pytest.mark.program
@pytest.mark.parametrize(
    ("sent", "carried"),
    [
        (f"Root={ROOT}", f"Root={ROOT};Lineage=1:ab:0"),
        (header(ROOT, sampled="?"), f"Root={ROOT};Lineage=1:ab:0"),
        (header(ROOT, sampled="0"), f"{header(ROOT, sampled='0')};Lineage=1:ab:0"),
    ],
)
def test_a_message_not_recorded_goes_on_with_its_own_header_beside_the_sdks_patch(
    process: Process, sent: str, carried: str
) -> None:
    program(
        process,
        f"""
from aws_xray_sdk.core import patch
patch(["botocore"])
import trace_bridge
record["attributes"]["AWSTraceHeader"] = {sent!r}
with trace_bridge.continue_trace(record, Context()):
    client("dynamodb").list_tables()
""",
        _X_AMZN_TRACE_ID="Root=1-6b04d6c2-aaaaaaaaaaaaaaaaaaaaaaaa;Lineage=1:ab:0",
    )
    assert process.services.headers("DynamoDB_20120810.ListTables") == [carried]


@pytest.mark.program
def test_the_sdk_switched_off_in_code_switches_the_bridge_off(process: Process) -> None:
    program(
        process,
        """
from aws_xray_sdk import global_sdk_config
from aws_xray_sdk.core import xray_recorder
import trace_bridge
trace_bridge.instrument()
global_sdk_config.set_sdk_enabled(False)
with trace_bridge.continue_trace(record, Context()):
    xray_recorder.current_segment().put_annotation("key", 1)
    client("dynamodb").list_tables()
""",
    )
    assert process.documents() == []


@pytest.mark.program
@pytest.mark.parametrize("gone", ["aws_xray_sdk", "botocore", "trace_bridge"])
def test_a_program_that_imports_things_anew_keeps_its_traces(process: Process, gone: str) -> None:
    program(
        process,
        f"""
import aws_xray_sdk.core, trace_bridge, botocore.client
def work():
    import trace_bridge
    from aws_xray_sdk.core import xray_recorder
    @trace_bridge.sqs_handler
    def handler(message):
        xray_recorder.current_segment().put_annotation("seen", True)
        with xray_recorder.in_subsegment("step"):
            client("dynamodb").list_tables()
    answer = handler({{"Records": [record]}}, Context())
    assert not answer["batchItemFailures"], answer
work()
for name in [name for name in sys.modules if name.partition(".")[0] == {gone!r}]:
    del sys.modules[name]
work()
""",
    )
    documents = process.documents_of(ROOT)
    assert len(documents) == 2
    for document in documents:
        assert document["annotations"]["seen"] is True
        (step,) = document["subsegments"]
        assert [call["name"] for call in step["subsegments"]] == ["dynamodb"]


def test_blocks_that_cross_each_keep_their_own_calls(process: Process) -> None:
    client = process.client("dynamodb")
    other = trace_id(6)
    first = continue_trace(RECORD, LambdaContext())
    second = continue_trace(record(2, trace=header(other)), LambdaContext())
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    client.list_tables()
    second.__exit__(None, None, None)
    assert "subsegments" not in process.documents_of(ROOT)[0]
    assert len(process.documents_of(other)[0]["subsegments"]) == 1


def test_an_inner_block_left_late_does_not_hide_the_outer_one(process: Process) -> None:
    client = process.client("dynamodb")
    outer, inner = continue_trace(RECORD), continue_trace(record(2, trace=header(trace_id(6))))
    with outer:
        inner.__enter__()
        thread = threading.Thread(target=lambda: inner.__exit__(None, None, None))
        thread.start()
        thread.join()
        client.list_tables()
    assert len(process.documents_of(ROOT)[0]["subsegments"]) == 1
