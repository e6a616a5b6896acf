"""The X-Ray daemon: takes documents in over UDP on the loopback interface.

Source: X-Ray Developer Guide, "Sending trace data to AWS X-Ray", "Sending segment documents to the X-Ray
daemon": one datagram is the header line `{"format": "json", "version": 1}`, a line feed, one document.
"""

import json
import logging
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass

from local import segments
from local.store import TraceStore

logger = logging.getLogger("local.daemon")

# The daemon's read buffer is 64 KiB.
_BUFFER_BYTES = 64 * 1024

Gate = Callable[[], str | None]
"""Says why a datagram is dropped; `None` lets it in."""


@dataclass(frozen=True, kw_only=True)
class _Endpoint:
    owner: str
    gate: Gate


class Daemon:
    """One thread that reads every daemon address of this process.

    Like the real daemon it answers nothing: what it does not take in is only logged.
    """

    def __init__(self, store: TraceStore) -> None:
        self._store = store
        self._selector = selectors.DefaultSelector()
        self._lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        self._wake_in, self._wake_out = socket.socketpair()
        self._selector.register(self._wake_in, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, name="xray-daemon", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def address(self, owner: str, gate: Gate = lambda: None) -> str:
        """Open an address of `owner`'s own, or hand back the one it has.

        Args:
            owner: Who sends to it (a function's ARN), for the log and to find it again.
            gate: Asked for every datagram.

        Returns:
            `127.0.0.1:<port>`, as `AWS_XRAY_DAEMON_ADDRESS` takes it.
        """
        with self._lock:
            if owner not in self._addresses:
                receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
                receiver.bind(("127.0.0.1", 0))
                receiver.setblocking(False)
                self._selector.register(receiver, selectors.EVENT_READ, _Endpoint(owner=owner, gate=gate))
                self._addresses[owner] = f"127.0.0.1:{receiver.getsockname()[1]}"
                self._wake_out.send(b"\0")
            return self._addresses[owner]

    def close(self) -> None:
        """Stop reading and close every address."""
        self._wake_out.close()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                receiver = key.fileobj
                if not isinstance(receiver, socket.socket):
                    continue
                data = receiver.recv(_BUFFER_BYTES)
                if key.data is not None:
                    self._take(data, key.data)
                elif not data:
                    self._close_all()
                    return

    def _take(self, datagram: bytes, endpoint: _Endpoint) -> None:
        reason = endpoint.gate() or self._put(datagram)
        if reason:
            logger.warning("daemon: datagram of %s dropped: %s", endpoint.owner, reason)

    def _put(self, datagram: bytes) -> str | None:
        header, separator, body = datagram.partition(b"\n")
        try:
            known = json.loads(header)
            text = body.decode()
        except ValueError:
            return "it does not begin with a JSON header line"
        if not separator or not isinstance(known, dict) or known.get("format") != "json" or known.get("version") != 1:
            return f"header line {header[:80]!r} is not " + '{"format": "json", "version": 1}'
        document = segments.parse(text)
        if isinstance(document, segments.Rejection):
            return document.message
        self._store.put(document)
        return None

    def _close_all(self) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
