"""A Lambda function's process, new for every test, with a daemon and services of its own."""

import logging
import subprocess
from collections.abc import Iterator

import botocore.session
import pytest
from trace_bridge import instrument, trace_logs

from tests.support import bridge
from tests.support.fake_endpoints import Daemon, Services
from tests.support.http_clients import CLIENTS, Get
from tests.support.lambda_events import PASS_THROUGH
from tests.support.lambda_process import SESSION, Process
from tests.support.log_lines import Kept
from tests.support.otel_spans import Spans
from tests.support.website import Website


def _start_no_program(*_: object, **__: object) -> None:
    raise AssertionError("this test starts a program; mark it with @pytest.mark.program")


@pytest.fixture(autouse=True)
def programs_are_marked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps `make quick` quick: a test that starts a program takes as long as a hundred others."""
    if not {"program", "peers"} & set(request.keywords):
        monkeypatch.setattr(subprocess, "Popen", _start_no_program)


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    daemon, services, settings = Daemon(), Services(), bridge.settings()
    monkeypatch.setattr(botocore.session, "get_session", lambda: SESSION)
    for name, value in {
        "AWS_LAMBDA_FUNCTION_NAME": "worker",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/logs/worker",
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_XRAY_DAEMON_ADDRESS": daemon.address,
        "AWS_ENDPOINT_URL_XRAY": services.url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    under_test = Process(monkeypatch, daemon, services)
    under_test.invoked(PASS_THROUGH)
    under_test.new_emitter()
    bridge.wait_for_uploads(monkeypatch, seconds=5)
    bridge.reset_counters()
    instrument()
    try:
        yield under_test
        assert bridge.current_scope() is None
        under_test.documents()
    finally:
        daemon.reading.set()
        services.hanging.set()
        for client in under_test.clients:
            client.close()
        under_test.new_emitter()
        bridge.forget_invocation()
        bridge.forget_engine()
        bridge.use_settings(settings)
        bridge.rejoin_sdk()
        daemon.close()
        services.close()


@pytest.fixture
def spans(process: Process) -> Iterator[Spans]:
    """OpenTelemetry as an application has set it up, and messages recorded as its spans."""
    recorded = Spans()
    process.monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: recorded.provider)
    process.set(engine="otel")
    yield recorded
    recorded.close()


@pytest.fixture
def website(process: Process) -> Iterator[Website]:
    site = Website()
    instrument()
    yield site
    site.close()
    bridge.forget_ignored_hosts()


@pytest.fixture(params=CLIENTS)
def get(request: pytest.FixtureRequest) -> Get:
    return CLIENTS[request.param]


@pytest.fixture
def kept(process: Process) -> Iterator[Kept]:
    handler, root = Kept(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    trace_logs()
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
