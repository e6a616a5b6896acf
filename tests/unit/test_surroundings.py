"""Surroundings that are not ours: other people's unit tests, missing credentials, addresses that lead nowhere."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from trace_bridge import continue_trace

from harness.local_aws import ROOT as CHECKOUT
from tests.support.bridge import daemon_address
from tests.support.lambda_events import event, header, record, trace_id
from tests.support.lambda_process import Process

_HANDLER = """
import json, sys
from tests.support.timing import Stopwatch
from trace_bridge import counters, sqs_handler

@sqs_handler
def handler(message):
    pass
"""
_STUBBED = """
# What moto does, when it is imported after the handler's module.
import botocore.handlers
from botocore.awsrequest import AWSResponse

class Raw:
    def stream(self, **_):
        return [b"{}"]

stubbed = []
def stub(request, **_):
    stubbed.append(request.url)
    return AWSResponse(request.url, 200, {}, Raw())
botocore.handlers.BUILTIN_HANDLERS.append(("before-send", stub))
"""


@pytest.fixture
def credentials() -> Iterator[socket.socket]:
    """Where credentials would be asked for: it takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


def _ran(code: str, environment: dict[str, str], *arguments: str) -> Any:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "_X_AMZN"))}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=CHECKOUT,
        env={**kept, "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _asked(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _asking_at(listener: socket.socket) -> dict[str, str]:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    return {
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/credentials",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
    }


@pytest.mark.program
def test_importing_decorating_and_untraced_messages_ask_nobody_for_anything(credentials: socket.socket) -> None:
    code = f"{_HANDLER}\nprint(json.dumps(handler(json.loads(sys.argv[1]), None)))"
    answer = _ran(code, _asking_at(credentials), json.dumps(event(record(1))))
    assert answer == {"batchItemFailures": []}
    assert not _asked(credentials)


@pytest.mark.program
def test_the_first_document_asks_and_waits_for_no_answer_for_long(credentials: socket.socket) -> None:
    timed = "stopwatch = Stopwatch(); answer = handler(json.loads(sys.argv[1]), None)"
    # The process ends there: at its own end it would wait for the thread that still asks.
    printing = "print(json.dumps([answer, stopwatch.seconds()]), flush=True); import os; os._exit(0)"
    code = f"{_HANDLER}\n{timed}\n{printing}"
    answer, seconds = _ran(code, _asking_at(credentials), json.dumps(event(record(1, trace=header(trace_id())))))
    assert answer == {"batchItemFailures": []}
    assert _asked(credentials)
    assert seconds < 15


@pytest.mark.program
def test_without_credentials_and_region_messages_succeed_and_a_line_says_what_is_lost() -> None:
    code = f"{_HANDLER}\nprint(json.dumps([handler(json.loads(sys.argv[1]), None), counters().failed]))"
    environment = {"AWS_EC2_METADATA_DISABLED": "true"}
    answer, failed = _ran(code, environment, json.dumps(event(record(1, trace=header(trace_id())))))
    assert (answer, failed) == ({"batchItemFailures": []}, 1)


@pytest.mark.program
def test_where_tests_answer_for_aws_nothing_leaves_the_process() -> None:
    printing = "handler(json.loads(sys.argv[1]), None); print(json.dumps([stubbed, counters().sent_api]))"
    environment = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_REGION": "us-east-1"}
    environment["AWS_DEFAULT_REGION"] = "us-east-1"
    code = f"{_HANDLER}{_STUBBED}\n{printing}"
    stubbed, sent = _ran(code, environment, json.dumps(event(record(1, trace=header(trace_id())))))
    assert stubbed == ["https://xray.us-east-1.amazonaws.com/TraceSegments"]
    assert sent == 1


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:2000", ("127.0.0.1", 2000)),
        ("localhost:2000", ("127.0.0.1", 2000)),
        ("tcp:127.0.0.1:2001 udp:127.0.0.2:2002", ("127.0.0.2", 2002)),
        ("udp:localhost:2002 tcp:localhost:2001", ("127.0.0.1", 2002)),
        ("udp:127.0.0.1:2003", ("127.0.0.1", 2003)),
        ("[::1]:2004", ("::1", 2004)),
        ("tcp:[::1]:2004 udp:[::1]:2005", ("::1", 2005)),
        ("  127.0.0.1:2000 ", ("127.0.0.1", 2000)),
    ],
)
def test_the_daemons_address_is_read_in_every_documented_form(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str, address: tuple[str, int]
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", text)
    assert daemon_address() == address
    assert caplog.messages == []


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "localhost",
        ":2000",
        "127.0.0.1:port",
        "127.0.0.1:0",
        "127.0.0.1:70000",
        "127.0.0.1:²",
        "tcp:127.0.0.1:2001",
        "tcp:127.0.0.1:2001 tcp:127.0.0.1:2002",
        "tcp:127.0.0.1:2001 127.0.0.1:2002",
        "http://127.0.0.1:2000 udp:127.0.0.1:2000",
    ],
)
def test_a_daemons_address_of_no_use_gets_one_warning_and_documents_go_to_xray(
    process: Process, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    process.invoked(None)
    process.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    process.has_origin = False
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_XRAY_DAEMON_ADDRESS", text)
        process.new_emitter()
        for number in (1, 2):
            with continue_trace(record(number, trace=header(trace_id(number)))):
                pass
    [line] = [line for line in caplog.messages if "AWS_XRAY_DAEMON_ADDRESS" in line]
    assert line.startswith(f"AWS_XRAY_DAEMON_ADDRESS is {text!r}; expected host:port, or tcp:host:port udp:host:port")
    assert len(process.services.documents()) == 2


def test_a_host_that_nobody_knows_is_looked_up_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", "daemon.invalid:2000")
    assert daemon_address() is None
    assert "'daemon.invalid:2000', whose host cannot be looked up" in caplog.text


def test_no_variable_is_no_warning(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.delenv("AWS_XRAY_DAEMON_ADDRESS", raising=False)
    assert daemon_address() is None
    assert caplog.messages == []
