"""The X-Ray daemon: receives documents by UDP on the loopback interface, and serves sampling rules by TCP.

Source: X-Ray Developer Guide, "Sending trace data to AWS X-Ray", "Sending segment documents to the X-Ray
daemon": one datagram is the header line `{"format": "json", "version": 1}`, a line feed, one document. Instead of the
document, AWS's distribution of OpenTelemetry sends spans or metrics: see `local.xray.span_datagrams`.
"""

import json
import logging
import selectors
import socket
import threading
from dataclasses import dataclass
from functools import partial

from local.xray import documents, span_datagrams
from local.xray.daemon_proxy import Ask, May, serve
from local.xray.span_intake import SpanIntake
from local.xray.store import TraceStore

logger = logging.getLogger("local.daemon")

# The daemon's read buffer is 64 KiB.
_BUFFER_BYTES = 64 * 1024

_PUT = "xray:PutTraceSegments"
_BACKLOG = 16
_TRIES = 20


@dataclass(frozen=True, kw_only=True)
class _Endpoint:
    owner: str
    may: May


class Daemon:
    """One thread that reads every daemon address of this process.

    Like the real daemon it answers no datagram: what it does not take in is only logged. A connection is answered in a
    thread of its own.

    Args:
        store: Where documents go.
        intake: Where spans go.
        ask: The X-Ray API, for what comes over TCP.
    """

    def __init__(self, store: TraceStore, intake: SpanIntake, ask: Ask) -> None:
        self._store = store
        self._intake = intake
        self._ask = ask
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        self._wake_in, self._wake_out = socket.socketpair()
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="xray-daemon", daemon=True)

    def start(self) -> None:
        """Begins to read."""
        self._thread.start()

    def address(self, owner: str, may: May = lambda _action: None) -> str:
        """Opens an address of `owner`'s own, or returns the one it has.

        Args:
            owner: Who sends to it (a function's ARN), for the log and to find it again.
            may: Asked for every datagram and every request.

        Returns:
            `127.0.0.1:<port>` of both UDP and TCP, as `AWS_XRAY_DAEMON_ADDRESS` takes it.
        """
        with self._lock:
            if owner not in self._addresses:
                receiver, listener = _sockets()
                endpoint = _Endpoint(owner=owner, may=may)
                for opened in (receiver, listener):
                    opened.setblocking(False)
                    self._selector.register(opened, selectors.EVENT_READ, endpoint)
                self._addresses[owner] = f"127.0.0.1:{receiver.getsockname()[1]}"
                self._wake_out.send(b"\0")
            return self._addresses[owner]

    def close(self) -> None:
        """Stops reading and closes every address."""
        self._wake_out.close()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                receiver = key.fileobj
                if not isinstance(receiver, socket.socket):
                    continue
                if key.data is not None and receiver.type == socket.SOCK_STREAM:
                    self._accept(receiver, key.data)
                    continue
                data = receiver.recv(_BUFFER_BYTES)
                if key.data is not None:
                    self._take(data, key.data)
                elif not data:
                    self._close_all()
                    return

    def _accept(self, listener: socket.socket, endpoint: _Endpoint) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:  # whoever called has hung up
            return
        connection.setblocking(True)
        answer = partial(serve, connection, may=endpoint.may, ask=self._ask)
        threading.Thread(target=answer, name="xray-daemon-proxy", daemon=True).start()

    def _take(self, datagram: bytes, endpoint: _Endpoint) -> None:
        reason = endpoint.may(_PUT) or self._put(datagram)
        if reason:
            logger.warning("daemon: datagram of %s dropped: %s", endpoint.owner, reason)

    def _put(self, datagram: bytes) -> str | None:
        header, separator, body = datagram.partition(b"\n")
        try:
            known = json.loads(header)
            text = body.decode()
        except (ValueError, RecursionError):
            return "it does not begin with a JSON header line"
        if not separator or not isinstance(known, dict) or known.get("format") != "json" or known.get("version") != 1:
            return f"header line {header[:80]!r} is not " + '{"format": "json", "version": 1}'
        if span_datagrams.is_of_opentelemetry(text):
            return span_datagrams.take(text, self._intake)
        document = documents.parse(text)
        if isinstance(document, documents.Rejection):
            return document.message
        self._store.put(document)
        return None

    def _close_all(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()


def _sockets() -> tuple[socket.socket, socket.socket]:
    """Returns a UDP and a TCP socket at one port of the loopback interface."""
    for _ in range(_TRIES):
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        try:
            receiver.bind(listener.getsockname())
        except OSError:  # the port is free for one of the two only
            listener.close()
            receiver.close()
            continue
        return receiver, listener
    raise OSError("no port is free for both UDP and TCP")
