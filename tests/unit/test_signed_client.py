"""Uploads over kept connections: on the wire they are what botocore's own client would send."""

import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.client
import botocore.handlers
import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError, SSLError

from harness.local_aws import PYTHON as LOCAL_PYTHON
from harness.local_aws import ROOT as CHECKOUT
from tests.support import bridge
from tests.support.lambda_process import Process

_DOCUMENTS = ['{"id":"1"}', '{"name":"\\\\u00fc"}']


class XRay:
    """A server that remembers requests and connections, and may close a connection behind an answer."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.connections = 0
        self.closes = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                server.connections += 1
                super().setup()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("Content-Length", "31")
                self.end_headers()
                self.wfile.write(b'{"UnprocessedTraceSegments":[]}')
                # As a server does that restarts: without telling in the answer.
                self.close_connection = server.closes

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(autouse=True)
def only_botocores_handlers(process: Process) -> None:
    # moto adds one to every session as soon as it is imported, and with it botocore's own client is used.
    own = [entry for entry in botocore.handlers.BUILTIN_HANDLERS if entry[1].__module__.startswith("botocore.")]
    process.monkeypatch.setattr(botocore.handlers, "BUILTIN_HANDLERS", own)
    process.monkeypatch.setattr(botocore.session, "get_session", botocore.session.Session)


@pytest.fixture
def xray(process: Process) -> Iterator[XRay]:
    server = XRay()
    process.monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{server.port}")
    yield server
    server.close()


@pytest.fixture
def client(xray: XRay) -> Iterator[Any]:
    made = bridge.make_xray_client()
    yield made
    made.close()


def _upload(client: Any, times: int = 1) -> None:
    for _ in range(times):
        assert client.put_trace_segments(TraceSegmentDocuments=_DOCUMENTS)["UnprocessedTraceSegments"] == []


def _signature(url: str, headers: dict[str, str], body: bytes, credentials: Credentials) -> str:
    """Signs a request as botocore does, at the time it says of itself."""
    authorization = headers["authorization"]
    names = authorization.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    _, _, region, service, _ = authorization.partition("Credential=")[2].partition(",")[0].split("/")
    request = AWSRequest("POST", url, {name: headers[name] for name in names}, body)
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(credentials, service, region)
    return f"{signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)}"


def test_every_upload_is_signed_for_the_same_service_as_the_first(client: Any, xray: XRay) -> None:
    _upload(client, 3)
    for path, headers, body in xray.requests:
        assert path == "/TraceSegments"
        assert json.loads(body) == {"TraceSegmentDocuments": _DOCUMENTS}
        assert "/us-east-1/xray/aws4_request" in headers["authorization"]
        url = f"http://127.0.0.1:{xray.port}/TraceSegments"
        assert headers["authorization"].endswith(_signature(url, headers, body, Credentials("test", "test")))
    first, second = xray.requests[0][1], xray.requests[1][1]
    for name in ("content-type", "user-agent", "host"):
        assert first.get(name) == second.get(name)


def test_uploads_share_one_connection_and_none_goes_through_botocores_client(
    client: Any, xray: XRay, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upload(client)

    def refuse(*_: object) -> None:
        raise AssertionError("botocore's client made the call")

    monkeypatch.setattr("botocore.endpoint.Endpoint.make_request", refuse)
    _upload(client, 4)
    assert (len(xray.requests), xray.connections) == (5, 1)


def test_a_connection_that_was_closed_meanwhile_is_not_used(client: Any, xray: XRay) -> None:
    xray.closes = True
    _upload(client)
    while client._route.connections._idle[0][0].sock.recv(1, socket.MSG_PEEK) != b"":
        pass
    _upload(client)
    assert len(xray.requests) == 2


@pytest.mark.waits
def test_connections_that_a_gateway_forgot_cost_one_call_and_not_one_each() -> None:
    over = threading.Event()
    at_once = threading.Barrier(2)

    class Forgotten(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        has_answered = False

        def do_POST(self) -> None:
            if self.has_answered:
                over.wait(30)
                return
            self.has_answered = True
            if not at_once.broken:
                at_once.wait(30)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Forgotten)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    kept = bridge.KeptConnections(f"http://127.0.0.1:{server.server_address[1]}", ca_bundle=None, seconds=2)
    try:
        with ThreadPoolExecutor(2) as pool:
            assert [answer.status for answer in pool.map(lambda _: kept.post("/", b"", {}), range(2))] == [200, 200]
        at_once.abort()
        with pytest.raises(ReadTimeoutError):
            kept.post("/", b"", {})
        assert kept.post("/", b"", {}).status == 200
    finally:
        over.set()
        kept.close()
        server.shutdown()
        serving.join()
        server.server_close()


def test_a_connection_idle_for_longer_than_gateways_keep_it_is_made_anew() -> None:
    clock = [1_000.0]
    clients = set()

    class Counting(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            clients.add(self.client_address)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    kept = bridge.KeptConnections(url, ca_bundle=None, seconds=5, clock=lambda: clock[0])
    try:
        for seconds, connections in ((0, 1), (299, 1), (301, 2), (1, 2)):
            clock[0] += seconds
            assert kept.post("/", b"", {}).status == 200
            assert len(clients) == connections
    finally:
        kept.close()
        server.shutdown()
        serving.join()
        server.server_close()


def test_an_answer_that_never_comes_is_one_of_botocores_errors(process: Process) -> None:
    bridge.wait_for_uploads(process.monkeypatch, seconds=0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process.monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"http://127.0.0.1:{listener.getsockname()[1]}")
        client: Any = bridge.make_xray_client()
        with pytest.raises(ReadTimeoutError):
            client.put_trace_segments(TraceSegmentDocuments=[])
        listener.accept()[0].close()
        closing = threading.Thread(target=lambda: listener.accept()[0].close())
        closing.start()
        with pytest.raises(ConnectionClosedError):
            client.put_trace_segments(TraceSegmentDocuments=[])
        closing.join()
    with pytest.raises(EndpointConnectionError):
        client.put_trace_segments(TraceSegmentDocuments=[])
    client.close()


def test_an_error_that_xray_answers_is_botocores_client_error(process: Process) -> None:
    process.services.answer = lambda _path, _body: (429, {"__type": "ThrottledException", "message": "slow"})
    client: Any = bridge.make_xray_client()
    for _ in range(2):
        with pytest.raises(ClientError) as raised:
            client.put_trace_segments(TraceSegmentDocuments=[])
        answer = raised.value.response
        assert answer["Error"] == {"Code": "ThrottledException", "Message": "slow"}
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    client.close()


def test_credentials_that_expire_are_refreshed(xray: XRay, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(("first", "second", "third"))

    def fresh() -> dict[str, str]:
        # Expired at once: each call has to ask anew.
        expires = datetime.now(UTC) + timedelta(seconds=1)
        return {"access_key": next(keys), "secret_key": "s", "token": "t", "expiry_time": expires.isoformat()}

    session = botocore.session.Session()
    credentials = RefreshableCredentials.create_from_metadata(fresh(), fresh, "test")
    monkeypatch.setattr(session, "get_credentials", lambda: credentials)
    monkeypatch.setattr(botocore.session, "get_session", lambda: session)
    client: Any = bridge.make_xray_client()
    _upload(client, 2)
    client.close()
    signed_by = [
        headers["authorization"].partition("Credential=")[2].partition("/")[0] for _, headers, _ in xray.requests
    ]
    assert signed_by == ["second", "third"]
    assert [headers["x-amz-security-token"] for _, headers, _ in xray.requests] == ["t", "t"]


def test_a_proxy_is_left_to_botocore(process: Process, xray: XRay) -> None:
    process.monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", "http://xray.invalid")
    process.monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{xray.port}")
    process.monkeypatch.delenv("NO_PROXY", raising=False)
    process.monkeypatch.delenv("no_proxy", raising=False)
    client: Any = bridge.make_xray_client()
    _upload(client, 2)
    client.close()
    assert [path for path, _, _ in xray.requests] == ["http://xray.invalid/TraceSegments"] * 2


def test_powertools_user_agent_is_sent_without_botocores_client(process: Process, xray: XRay) -> None:
    from aws_lambda_powertools.shared.user_agent import register_feature_to_botocore_session

    session = botocore.session.Session()
    register_feature_to_botocore_session(session, "batch")  # type: ignore[no-untyped-call] # Powertools names no type
    process.monkeypatch.setattr(botocore.session, "get_session", lambda: session)
    client: Any = bridge.make_xray_client()
    _upload(client)
    process.monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", None)
    _upload(client, 2)
    client.close()
    assert all("PT/batch/" in headers["user-agent"] for _, headers, _ in xray.requests)
    assert len(xray.requests) == 3


def test_a_handler_of_somebody_elses_takes_part_in_every_call(process: Process, xray: XRay) -> None:
    import botocore.handlers

    seen: list[str] = []

    def note(request: Any, **_: object) -> None:
        seen.append(request.url)

    process.monkeypatch.setattr(
        botocore.handlers, "BUILTIN_HANDLERS", [*botocore.handlers.BUILTIN_HANDLERS, ("before-send.xray", note)]
    )
    process.monkeypatch.setattr(botocore.session, "get_session", botocore.session.Session)
    client: Any = bridge.make_xray_client()
    _upload(client, 2)
    client.close()
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("variables", "host", "region"),
    [
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "xray-fips.us-east-1.amazonaws.com", "us-east-1"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "xray.us-east-1.api.aws", "us-east-1"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "xray.cn-north-1.amazonaws.com.cn", "cn-north-1"),
    ],
)
def test_the_endpoint_is_the_one_botocore_resolves(
    process: Process, variables: dict[str, str], host: str, region: str
) -> None:
    process.monkeypatch.delenv("AWS_ENDPOINT_URL_XRAY")
    for name, value in variables.items():
        process.monkeypatch.setenv(name, value)
    asked: list[tuple[str, dict[str, str]]] = []

    def answer(connections: Any, _path: str, _body: bytes, headers: dict[str, str]) -> Any:
        asked.append((connections._url, headers))
        return bridge.Answer(200, HTTPMessage(), b"{}")

    process.monkeypatch.setattr(bridge.KeptConnections, "post", answer)
    client: Any = bridge.make_xray_client()
    client.put_trace_segments(TraceSegmentDocuments=[])
    client.put_trace_segments(TraceSegmentDocuments=[])
    client.close()
    assert [url for url, _ in asked] == [f"https://{host}/TraceSegments"] * 2
    assert all(f"/{region}/xray/aws4_request" in headers["Authorization"] for _, headers in asked)


@pytest.mark.program
def test_only_trusted_certificates_are_taken(process: Process, tmp_path: Path) -> None:
    subprocess.run(
        [
            LOCAL_PYTHON,
            "-c",
            "import pathlib, sys; from local.tls import create; create(pathlib.Path(sys.argv[1]))",
            tmp_path,
        ],
        cwd=CHECKOUT,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    server = XRay(tls)
    process.monkeypatch.setenv("AWS_ENDPOINT_URL_XRAY", f"https://localhost:{server.port}")
    process.monkeypatch.setattr(botocore.session, "get_session", botocore.session.Session)
    try:
        client: Any = bridge.make_xray_client()
        with pytest.raises(SSLError):
            client.put_trace_segments(TraceSegmentDocuments=[])
        client.close()
        process.monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
        client = bridge.make_xray_client()
        _upload(client, 2)
        client.close()
        assert len(server.requests) == 2
    finally:
        server.close()
