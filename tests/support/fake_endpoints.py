"""The ends of the bridge's wires: a UDP daemon, and an HTTP server that plays X-Ray and other services."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


class Daemon:
    """Reads datagrams, as the X-Ray daemon does."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.datagrams: list[bytes] = []
        self.reading = threading.Event()
        self.reading.set()
        self._came = threading.Condition()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while (datagram := self._socket.recv(70_000)) != b"end":
            with self._came:
                self.datagrams.append(datagram)
                self._came.notify_all()
            self.reading.wait()

    def documents(self) -> list[dict[str, Any]]:
        """All the documents sent so far; a marker sent behind them tells that they have arrived."""
        marker = f"marker {time.monotonic_ns()}".encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, self._came:
            host, port = self.address.split(":")
            ends = time.monotonic() + 10
            while marker not in self.datagrams:
                assert time.monotonic() < ends, "the daemon does not read"
                sender.sendto(marker, (host, int(port)))
                self._came.wait(0.05)  # a full buffer drops what is sent
        return [
            json.loads(datagram.partition(b"\n")[2]) for datagram in list(self.datagrams) if datagram.startswith(b"{")
        ]

    def close(self) -> None:
        self.reading.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            host, port = self.address.split(":")
            while self._thread.is_alive():
                sender.sendto(b"end", (host, int(port)))
                self._thread.join(0.01)
        self._socket.close()


class Services:
    """X-Ray and other services for one test: they take every call, remember it, and answer as a test sets it.

    They have their address in common with those of the next test, so that a client serves more than one test.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], Any]] = []
        self.taken: list[str] = []
        self.answer: Callable[[str, Any], tuple[int, dict[str, Any]]] = lambda _path, _body: (200, {})
        self.hanging = threading.Event()
        self.hanging.set()
        self._server = _Server.begin(self)
        self.url = self._server.url

    def respond(self, path: str, headers: dict[str, str], body: Any) -> tuple[int, dict[str, Any]]:
        """Remembers a call and returns the status and content of its answer."""
        self.calls.append((path, headers, body))
        self.hanging.wait()
        status, answer = self.answer(path, body)
        if isinstance(body, dict) and path == "/TraceSegments" and status == 200:
            self.taken.extend(body["TraceSegmentDocuments"])
        return status, answer

    def of(self, path: str) -> list[Any]:
        """The bodies of the calls of a path."""
        return [body for called, _, body in self.calls if called == path]

    def documents(self) -> list[dict[str, Any]]:
        """The documents uploaded by calls of PutTraceSegments that succeeded."""
        return [json.loads(text) for text in self.taken]

    def headers(self, operation: str) -> list[str | None]:
        """The trace headers of the calls of an operation of the JSON protocols, `DynamoDB_20120810.PutItem`."""
        return [
            headers.get("x-amzn-trace-id") for _, headers, _ in self.calls if headers.get("x-amz-target") == operation
        ]

    def close(self) -> None:
        self.hanging.set()
        self._server.end()


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        content = json.loads(body) if body.startswith(b"{") else body.decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        with self.server.call() as services:
            status, answer = services.respond(self.path, headers, content)
        # The query protocol, which SNS speaks, is answered in XML.
        is_query = "form-urlencoded" in headers.get("content-type", "")
        written = b"<A><PublishResult/></A>" if is_query else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(written)))
        self.send_header("x-amzn-RequestId", "11111111-2222-4333-8444-555555555555")
        if status >= 400:
            self.send_header("x-amzn-ErrorType", str(answer.get("__type", "")))
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(written)

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    """Serves the services of one test after another; a call is the test's in which it began."""

    request_queue_size = 128  # 5 connections at once would be all
    daemon_threads = True
    _kept: ClassVar["_Server | None"] = None

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._services: Services | None = None
        self._under_way = 0
        self._changed = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @classmethod
    def begin(cls, services: Services) -> "_Server":
        """Returns the server of this process, which answers for these services from now on."""
        server = cls._kept = cls._kept or cls()
        assert server._services is None, "the test before has not closed its services"
        server._services = services
        return server

    @contextmanager
    def call(self) -> Iterator[Services]:
        """Gives the services that a call which begins now is of."""
        with self._changed:
            services = self._services
            assert services is not None, "a call between two tests"
            self._under_way += 1
        try:
            yield services
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def end(self) -> None:
        """Ends a test; where one of its calls is under way for long, the next one gets a server of its own."""
        with self._changed:
            is_idle = self._changed.wait_for(lambda: self._under_way == 0, timeout=1.0)
            self._services = None
        if not is_idle:
            _Server._kept = None
            self.shutdown()
            self.server_close()


class NoRoute:
    """An address where no connection is ever made, as from a VPC without a way out: its queue of callers is full."""

    def __init__(self) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._callers = [socket.socket() for _ in range(8)]
        for caller in self._callers:
            caller.setblocking(False)
            caller.connect_ex(self._listener.getsockname())

    def close(self) -> None:
        for caller in self._callers:
            caller.close()
        self._listener.close()
