"""Listens to what a function sends to its daemon, and passes it on."""

import base64
import socket
import threading
from pathlib import Path
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_MOST_BYTES = 64 * 1024


class Tap:
    """A UDP socket between a function and its daemon.

    Args:
        file: Where the function writes its daemon's address before it sends anything.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self.datagrams: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._pass_on, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # An empty datagram ends the thread, wherever it waits.
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def spans(self, prefix: str = "T1S") -> list[Span]:
        """The spans that were sent by OTLP so far, behind this prefix."""
        texts = [datagram.partition(b"\n")[2].decode() for datagram in list(self.datagrams)]
        requests = [
            ExportTraceServiceRequest.FromString(base64.b64decode(text.removeprefix(prefix)))
            for text in texts
            if text.startswith(prefix)
        ]
        return [
            span
            for request in requests
            for of_resource in request.resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]

    def _pass_on(self) -> None:
        while datagram := self._socket.recv(_MOST_BYTES):
            self.datagrams.append(datagram)
            host, _, port = self.file.read_text(encoding="utf-8").partition(":")
            self._socket.sendto(datagram, (host, int(port)))
