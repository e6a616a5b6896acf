"""HTTP calls beside OpenTelemetry's instrumentations of aiohttp, urllib and urllib3, in the environment of AWS's
distribution: the releases of them that there are exclude the OpenTelemetry of the other tests.
"""

import json
import os
import subprocess
import sysconfig
from collections.abc import Iterator

import pytest

from harness.local_aws import ROOT as CHECKOUT
from tests.support.lambda_events import header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.segment_validator import entities
from tests.support.website import Website

pytestmark = pytest.mark.peers
ROOT = trace_id(18)
PYTHON = CHECKOUT / ".venv-adot" / "bin" / "python"

PROGRAM = """
import asyncio, importlib, json, os, sys, urllib.request
sys.path.append(os.environ["PACKAGES"])  # behind everything that this environment has itself
import aiohttp, requests, urllib3
from opentelemetry import trace
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
exporter, provider, url = InMemorySpanExporter(), TracerProvider(), os.environ["URL"]
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
for name in os.environ["INSTRUMENTORS"].split():
    globals()[name]().instrument()
import trace_bridge
trace_bridge.instrument()
async def by_aiohttp():
    async with aiohttp.ClientSession() as session, session.get(url + "/aiohttp"): pass
calls = {
    "aiohttp": lambda: asyncio.run(by_aiohttp()),
    "urllib": lambda: urllib.request.urlopen(url + "/urllib").close(),
    "urllib3": lambda: urllib3.PoolManager().request("GET", url + "/urllib3"),
    "requests": lambda: requests.get(url + "/requests"),
}
spans = {}
with trace_bridge.trace_batch(), trace_bridge.continue_trace(json.loads(os.environ["RECORD"])):
    for client, call in calls.items():
        exporter.clear()
        call()
        spans[client] = sum(span.kind is trace.SpanKind.CLIENT for span in exporter.get_finished_spans())
print(json.dumps(spans))
"""
CLIENTS = ("aiohttp", "urllib", "urllib3", "requests")
AIOHTTP, URLLIB, URLLIB3 = "AioHttpClientInstrumentor", "URLLibInstrumentor", "URLLib3Instrumentor"


@pytest.fixture
def website() -> Iterator[Website]:
    site = Website()
    yield site
    site.close()


def _spans(website: Website, *instrumentors: str, engine: str = "xray") -> dict[str, int]:
    """Makes a call by each client inside a message; how many spans of calls OpenTelemetry has of each."""
    assert PYTHON.exists(), "AWS's distribution of OpenTelemetry is not installed; run `make peers`"
    variables = {key: value for key, value in os.environ.items() if key not in ("LAMBDA_TASK_ROOT", "PYTHONPATH")}
    variables |= {
        "PYTHONPATH": str(CHECKOUT / "runtime"),
        "PACKAGES": sysconfig.get_path("purelib"),
        "URL": website.url,
        "RECORD": json.dumps(record(trace=header(ROOT))),
        "INSTRUMENTORS": " ".join(instrumentors),
        "TRACE_BRIDGE_ENGINE": engine,
    }
    ran = subprocess.run([PYTHON, "-c", PROGRAM], env=variables, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    spans: dict[str, int] = json.loads(ran.stdout)
    return spans


def _recorded(process: Process) -> list[str]:
    """The clients whose calls the bridge has recorded, by the paths that they asked for."""
    calls = [entity for document in process.documents() for entity in entities(document) if entity.get("http")]
    return [str(call["http"]["request"]["url"]).rpartition("/")[2] for call in calls]


@pytest.mark.parametrize(
    ("instrumentors", "theirs"),
    [
        ((), ()),
        ((AIOHTTP, URLLIB), ("aiohttp", "urllib")),
        ((URLLIB3,), ("urllib3", "requests")),  # requests sends by urllib3
    ],
)
def test_a_call_that_opentelemetry_records_is_left_to_it_and_every_other_one_recorded(
    process: Process, website: Website, instrumentors: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    assert _spans(website, *instrumentors) == {client: int(client in theirs) for client in CLIENTS}
    assert _recorded(process) == [client for client in CLIENTS if client not in theirs]
    for client in theirs:
        assert website.trace_headers(f"/{client}") == [None]


@pytest.mark.parametrize("instrumentors", [(), (AIOHTTP, URLLIB, URLLIB3)])
def test_with_spans_for_messages_a_call_is_one_span_whoever_records_it(
    process: Process, website: Website, instrumentors: tuple[str, ...]
) -> None:
    assert _spans(website, *instrumentors, engine="otel") == dict.fromkeys(CLIENTS, 1)
    assert _recorded(process) == []
