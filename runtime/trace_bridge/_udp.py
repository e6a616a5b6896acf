"""Documents to the X-Ray daemon, one datagram each."""

import socket
import time
from contextlib import suppress

from ._document import PREFIX

_BUFFER_BYTES = 212_992
_OVERHEAD = 28 + 320 - 1
"""What Linux keeps with a datagram's bytes: together they take the next power of two, and 256 bytes beside it.

Measured: a buffer of 212,992 bytes holds 166 datagrams of 400 bytes.
"""
_WINDOW_SECONDS = 1.0


class UdpEmitter:
    """Sends to the daemon as much as its socket's buffer surely holds, and no more.

    A sender by UDP does not learn that the receiver stalls, and such a receiver loses what its buffer cannot hold.
    Linux gives a socket 212,992 bytes by default and accounts each datagram by the memory it takes. At most half
    of that is sent in any second; assumed: a daemon reads what it got within a second.

    Args:
        address: Host and UDP port of the daemon.
        buffer_bytes: What the daemon's socket buffer holds.
    """

    def __init__(self, address: tuple[str, int], *, buffer_bytes: int = _BUFFER_BYTES) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with suppress(OSError):  # without a route, sending fails in the same way
            self._socket.connect(address)
        self._room = buffer_bytes // 2
        self._window_began = 0.0
        self._sent_in_window = 0

    def has_room(self, document: str) -> bool:
        """Returns whether the daemon's buffer surely holds another document; reserves the room when it does."""
        return self._reserves(len(PREFIX) + len(document), time.monotonic())

    def send(self, document: str) -> bool:
        """Passes a document to the system; False when the system refused it."""
        return self._passes((PREFIX + document).encode("ascii"))

    def send_if_room(self, datagram: str, at: float) -> bool:
        """Sends a document that has `PREFIX` in front; False when the buffer may not hold it, or the system refused it.

        Args:
            datagram: Prefix and document.
            at: Seconds, monotonic.
        """
        # As `_reserves` and `_passes` do, without the calls.
        cost = 256 + (1 << (len(datagram) + _OVERHEAD).bit_length())
        sent = self._sent_in_window
        if at - self._window_began >= _WINDOW_SECONDS or sent + cost > self._room:
            return self._reserves(len(datagram), at) and self._passes(datagram.encode("ascii"))
        self._sent_in_window = sent + cost
        try:
            self._socket.send(datagram.encode("ascii"))
        except OSError:
            return self._passes(datagram.encode("ascii"))
        return True

    def _reserves(self, size: int, at: float) -> bool:
        # Threads that count at once may count a few datagrams too few; half of the buffer is kept free.
        cost = 256 + (1 << (size + _OVERHEAD).bit_length())
        if at - self._window_began >= _WINDOW_SECONDS:
            self._window_began, self._sent_in_window = at, 0
        sent = self._sent_in_window
        if sent and sent + cost > self._room:
            return False
        self._sent_in_window = sent + cost
        return True

    def _passes(self, datagram: bytes) -> bool:
        try:
            self._socket.send(datagram)
        except ConnectionRefusedError:
            # What the system learnt of an earlier datagram; this one it has not sent.
            try:
                self._socket.send(datagram)
            except OSError:
                return False
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Closes the socket."""
        self._socket.close()
