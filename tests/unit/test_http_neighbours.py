"""HTTP calls beside the X-Ray SDK's patches, which are the oracle of what is recorded, and OpenTelemetry's."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
from aws_xray_sdk.core import xray_recorder
from aws_xray_sdk.core.context import Context as SdkContext
from aws_xray_sdk.core.lambda_launcher import LambdaContext as LambdaSdkContext
from opentelemetry import context as otel_context
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from trace_bridge import continue_trace, instrument, trace_batch

from tests.support.lambda_events import ACTIVE, OWN_TRACE, LambdaContext, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.segment_validator import entities
from tests.support.website import Website

ROOT = trace_id(14)
SAMPLED = record(trace=header(ROOT))

CALLS = """
import asyncio, json, os, urllib.request
import aiohttp, httpx, requests, urllib3
URL = os.environ["URL"]
PATHS = ["/ok?page=2", "/status/404", "/status/429", "/status/503", "/to/ok", "/cut"]
def tried(call):
    try: call()
    except (requests.RequestException, httpx.HTTPError): pass
async def asynchronous(client, **session):
    async with client(**session) as opened:
        for path in PATHS:
            try:
                if client is aiohttp.ClientSession:
                    async with opened.get(URL + path): pass
                else: await opened.get(URL + path)
            except (aiohttp.ClientError, httpx.HTTPError): pass
def calls(**session):
    for path in PATHS:
        tried(lambda: requests.get(URL + path))
        tried(lambda: httpx.get(URL + path))
    asyncio.run(asynchronous(httpx.AsyncClient))
    asyncio.run(asynchronous(aiohttp.ClientSession, **session))
"""
BY_SDK = """
from aws_xray_sdk.core import patch, xray_recorder
from aws_xray_sdk.core.async_context import AsyncContext
patch(["requests", "httpx"])
from aws_xray_sdk.ext.aiohttp.client import aws_xray_trace_config
async def everything():
    xray_recorder.configure(service="s", sampling=False, context=AsyncContext())
xray_recorder.configure(service="s", sampling=False, daemon_address=os.environ["AWS_XRAY_DAEMON_ADDRESS"])
xray_recorder.streaming.streaming_threshold = 1000
xray_recorder.begin_segment("s", traceid=os.environ["OWN_TRACE"])
calls(trace_configs=[aws_xray_trace_config()])
xray_recorder.end_segment()
"""
BY_BRIDGE = """
import trace_bridge
trace_bridge.instrument()
with trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
    calls()
"""


def _program(website: Website, text: str) -> None:
    """Runs a program in a process of its own, outside Lambda."""
    environment = {key: value for key, value in os.environ.items() if key != "LAMBDA_TASK_ROOT"}
    environment |= {"URL": website.url, "RECORD": json.dumps(SAMPLED), "OWN_TRACE": OWN_TRACE}
    ran = subprocess.run([sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr) == (0, "")


def _calls(process: Process, trace: str = ROOT) -> list[dict[str, Any]]:
    documents = [document for document in process.documents() if document["trace_id"] == trace]
    return [entity for document in documents for entity in entities(document) if entity.get("http")]


def _essence(call: dict[str, Any]) -> dict[str, Any]:
    """What both record of a call: not the length of its answer, which the SDK leaves out, nor its stack."""
    answer = {key: value for key, value in call["http"].get("response", {}).items() if key != "content_length"}
    failed = [(raised["type"], raised.get("remote", False)) for raised in call.get("cause", {}).get("exceptions", [])]
    flags = {flag: True for flag in ("error", "fault", "throttle") if call.get(flag)}
    request = call["http"]["request"]
    request = {**request, "method": request["method"].upper()}  # the SDK records `get` of requests.get
    return {"name": call["name"], "request": request, "answer": answer, "failed": failed, **flags}


@pytest.mark.program
def test_a_call_is_recorded_as_the_sdks_own_patches_record_it(process: Process, website: Website) -> None:
    process.trace_of_the_sdk = OWN_TRACE
    _program(website, CALLS + BY_SDK)
    _program(website, CALLS + BY_BRIDGE)
    theirs, ours = _calls(process, OWN_TRACE), _calls(process)
    assert len(theirs) == len(ours) == 24
    assert [_essence(call) for call in ours] == [_essence(call) for call in theirs]
    # The SDK calls a failed connection of aiohttp `local`.
    assert {call["namespace"] for call in ours} == {"remote"}
    assert {call["namespace"] for call in theirs} == {"remote", "local"}


def _beside_patch(process: Process, website: Website, patched: str, call: str) -> list[dict[str, Any]]:
    _program(
        website,
        f"""{CALLS}
from aws_xray_sdk.core import patch
patch([{patched!r}])
import trace_bridge
trace_bridge.instrument()
with trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
    {call}
""",
    )
    return _calls(process)


@pytest.mark.program
@pytest.mark.parametrize(
    ("patched", "call"), [("requests", 'requests.get(URL + "/once")'), ("httpx", 'httpx.get(URL + "/once")')]
)
def test_beside_the_sdks_patch_the_sdk_records_the_call(
    process: Process, website: Website, patched: str, call: str
) -> None:
    (recorded,) = _beside_patch(process, website, patched, call)
    assert "parent_id" in recorded  # only the SDK gives a subsegment its parent's id
    assert f"Parent={recorded['id']};" in str(website.asked[0].trace_header)


@pytest.mark.program
def test_beside_one_patch_of_the_sdk_put_on_by_itself_the_sdk_records_the_call(
    process: Process, website: Website
) -> None:
    _program(
        website,
        f"""{CALLS}
from aws_xray_sdk.ext.requests.patch import patch
patch()
import trace_bridge
trace_bridge.instrument()
with trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
    requests.get(URL + "/once")
""",
    )
    (recorded,) = _calls(process)
    assert "parent_id" in recorded


@pytest.mark.program
def test_beside_the_sdks_patch_of_http_client_urllib_is_left_to_the_sdk(process: Process, website: Website) -> None:
    parts = _beside_patch(process, website, "httplib", 'urllib.request.urlopen(URL + "/once").read()')
    assert len(parts) == 3  # sent, answered, read
    assert all("parent_id" in part for part in parts)


@pytest.mark.program
@pytest.mark.parametrize("call", ['urllib3.PoolManager().request("GET", URL)', "requests.get(URL)"])
def test_what_the_sdks_patch_of_http_client_does_not_see_is_recorded(
    process: Process, website: Website, call: str
) -> None:
    (recorded,) = _beside_patch(process, website, "httplib", call)
    assert "parent_id" not in recorded


@pytest.mark.program
def test_a_session_of_aiohttp_with_the_sdks_tracing_is_left_to_the_sdk(process: Process, website: Website) -> None:
    _program(
        website,
        f"""{CALLS}
from aws_xray_sdk.ext.aiohttp.client import aws_xray_trace_config
import trace_bridge
trace_bridge.instrument()
async def once():
    async with aiohttp.ClientSession(trace_configs=[aws_xray_trace_config()]) as session, session.get(URL): pass
with trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
    asyncio.run(once())
""",
    )
    (call,) = _calls(process)
    assert "parent_id" in call


def test_inside_a_segment_of_the_handlers_own_the_call_is_put_there(process: Process, website: Website) -> None:
    process.trace_of_the_sdk = OWN_TRACE
    process.monkeypatch.setattr(xray_recorder, "_context", SdkContext())
    xray_recorder.configure(sampling=False, context_missing="RUNTIME_ERROR", daemon_address=process.daemon.address)
    instrument()
    xray_recorder.begin_segment("own", traceid=OWN_TRACE)
    requests.get(f"{website.url}/own", timeout=5)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{website.url}/cut", timeout=5)
    xray_recorder.end_segment()
    answered, failed = _calls(process, OWN_TRACE)
    assert answered["http"]["response"] == {"status": 200, "content_length": 2}
    assert f"Parent={answered['id']};Sampled=1" in str(website.trace_headers("/own")[0])
    assert failed["cause"]["exceptions"][0]["type"] == "ConnectionError"


def test_below_what_the_sdk_has_open_in_lambda_the_sdk_records_the_call(process: Process, website: Website) -> None:
    process.invoked(ACTIVE)
    process.trace_of_the_sdk = OWN_TRACE
    xray_recorder.emitter.set_daemon_address(process.daemon.address)
    process.monkeypatch.setattr(xray_recorder, "_context", LambdaSdkContext())
    xray_recorder.configure(streaming_threshold=0)
    instrument()
    with xray_recorder.in_subsegment("handler") as handler:
        httpx.get(f"{website.url}/below")
    xray_recorder.clear_trace_entities()
    (call,) = _calls(process, OWN_TRACE)
    assert handler is not None
    assert call["parent_id"] == handler.id
    assert website.trace_headers("/below") == [f"Root={OWN_TRACE};Parent={call['id']};Sampled=1;Lineage=061379e8:0"]


@pytest.fixture
def spans(process: Process) -> Iterator[InMemorySpanExporter]:
    """What OpenTelemetry's own instrumentations of requests and httpx record."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentors: list[Any] = [RequestsInstrumentor(), HTTPXClientInstrumentor()]
    for instrumentor in instrumentors:
        instrumentor.instrument(tracer_provider=provider)
    try:
        yield exporter
    finally:
        for instrumentor in instrumentors:
            instrumentor.uninstrument()
        provider.shutdown()


def _get_both(website: Website) -> None:
    with trace_batch(), continue_trace(SAMPLED, LambdaContext()):
        requests.get(website.url, timeout=5)
        httpx.get(website.url)


def test_where_opentelemetry_records_a_client_its_calls_are_left_to_it(
    process: Process, website: Website, spans: InMemorySpanExporter
) -> None:
    _get_both(website)
    assert _calls(process) == []
    assert len(spans.get_finished_spans()) == 2
    assert [asked.trace_header for asked in website.asked] == [None, None]


def test_where_opentelemetry_records_no_client_they_are_recorded(process: Process, website: Website) -> None:
    _get_both(website)
    assert len(_calls(process)) == 2


def test_what_opentelemetry_is_set_to_leave_alone_is_left_alone(process: Process, website: Website) -> None:
    token = otel_context.attach(otel_context.set_value("suppress_instrumentation", True))
    try:
        _get_both(website)
    finally:
        otel_context.detach(token)
    assert _calls(process) == []
