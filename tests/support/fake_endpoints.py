"""The ends of the bridge's wires: a UDP daemon, and an HTTP server that plays X-Ray and other services."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Daemon:
    """Reads datagrams, as the X-Ray daemon does."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.datagrams: list[bytes] = []
        self.reading = threading.Event()
        self.reading.set()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while (datagram := self._socket.recv(70_000)) != b"end":
            self.datagrams.append(datagram)
            self.reading.wait()

    def documents(self) -> list[dict[str, Any]]:
        """All the documents sent so far; a marker sent behind them tells that they have arrived."""
        marker = f"marker {time.monotonic_ns()}".encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            host, port = self.address.split(":")
            ends = time.monotonic() + 10
            while marker not in self.datagrams:
                assert time.monotonic() < ends, "the daemon does not read"
                sender.sendto(marker, (host, int(port)))
                time.sleep(0.005)
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
    """An HTTP server that takes every call, remembers it, and answers as told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], Any]] = []
        self.taken: list[str] = []
        self.answer: Callable[[str, Any], tuple[int, dict[str, Any]]] = lambda _path, _body: (200, {})
        self.hanging = threading.Event()
        self.hanging.set()
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                told = json.loads(body) if body.startswith(b"{") else body.decode()
                services.calls.append((self.path, {k.lower(): v for k, v in self.headers.items()}, told))
                services.hanging.wait()
                status, answer = services.answer(self.path, told)
                if isinstance(told, dict) and self.path == "/TraceSegments" and status == 200:
                    services.taken.extend(told["TraceSegmentDocuments"])
                # The query protocol, which SNS speaks, is answered in XML.
                is_query = "form-urlencoded" in self.headers.get("Content-Type", "")
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

        class Server(ThreadingHTTPServer):
            request_queue_size = 128  # 5 connections at once would be all

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

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
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


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
