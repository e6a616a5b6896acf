"""Which way a document goes: to the daemon where AWS documents it to run, to X-Ray itself otherwise."""

import logging
import os
import threading

from . import _state
from ._api import ApiEmitter
from ._counters import count, report_losses
from ._daemon_address import daemon_address
from ._environment import LAMBDA_FUNCTION_NAME
from ._forks import in_every_child
from ._invocation import Invocation
from ._segment import MessageSegment
from ._trimming import MAX_BYTES, fit
from ._udp import UdpEmitter

_log = logging.getLogger("trace_bridge")
_FLUSH_RESERVE_SECONDS = 0.2


class Emitter:
    """Sends all documents of the process.

    Args:
        udp: To the daemon; None where no address is known.
        api: To X-Ray itself.
    """

    def __init__(self, udp: UdpEmitter | None, api: ApiEmitter) -> None:
        self.udp = udp
        self.api = api
        self._lock = threading.Lock()
        self._holds = 0
        self._way: tuple[Invocation | None, bool] = (None, False)

    def emit(self, segment: MessageSegment) -> None:
        """Sends the document of a segment; outside of a batch it has left when this returns."""
        queue_wait = segment.queue_document()
        if queue_wait is not None:
            self._put(queue_wait, segment.invocation)
        self.emit_text(segment.document(), segment.invocation)

    def emit_text(self, document: str, invocation: Invocation) -> None:
        """Sends a document, cut to size; outside of a batch it has left when this returns."""
        decided_for, to_daemon = self._way
        # The usual way of a document to the daemon, without the steps of `_put`.
        if to_daemon and decided_for is invocation and len(document) <= MAX_BYTES and self.udp.has_room(document):  # type: ignore[union-attr]
            count("sent_udp" if self.udp.send(document) else "failed")  # type: ignore[union-attr]
        else:
            self._put(document, invocation)
        self.settle(invocation)

    def settle(self, invocation: Invocation) -> None:
        """Waits, outside of a batch, until what was collected has left."""
        if not self._holds and not self.api.idle:
            self.flush(invocation)

    def goes_to_daemon(self, invocation: Invocation) -> bool:
        """Returns whether the documents of an invocation go to the daemon, as long as its buffer has room."""
        decided_for, to_daemon = self._way
        if decided_for is not invocation:
            to_daemon = self._decide(invocation)
            self._way = (invocation, to_daemon)
        return to_daemon

    def announce(self, segment: MessageSegment) -> None:
        """Sends the `in_progress` document of a message under way at once, and waits for no answer."""
        to_daemon = self.goes_to_daemon(segment.invocation)
        for part in fit(segment.document()):
            if to_daemon or _state.settings.emitter == "udp":
                self._emit_one(part, to_daemon)
            else:
                self.api.announce(part)

    def _put(self, document: str, invocation: Invocation) -> None:
        decided_for, to_daemon = self._way
        if decided_for is not invocation:
            to_daemon = self.goes_to_daemon(invocation)
        if len(document) <= MAX_BYTES:
            self._emit_one(document, to_daemon)
        else:
            for part in fit(document):
                self._emit_one(part, to_daemon)

    def hold(self) -> None:
        """Begins a batch: documents for X-Ray itself are collected until `release`."""
        with self._lock:
            self._holds += 1

    def release(self, invocation: Invocation) -> None:
        """Ends a batch: when this returns, its documents have left or are counted as lost."""
        with self._lock:
            self._holds = max(0, self._holds - 1)
            last = not self._holds
        if last:
            self.flush(invocation)

    def flush(self, invocation: Invocation, *, longest: float | None = None) -> None:
        """Sends what was collected, within the time the invocation has left.

        Args:
            invocation: The invocation.
            longest: Longest wait in seconds, where that is shorter; None for no other limit.
        """
        if not self.api.idle:
            left = invocation.seconds_left()
            limits = [
                limit
                for limit in (None if left is None else left - _FLUSH_RESERVE_SECONDS, longest)
                if limit is not None
            ]
            self.api.flush(min(limits, default=None))
        report_losses()

    def close(self) -> None:
        """Ends the thread and closes the socket."""
        self.api.close()
        if self.udp is not None:
            self.udp.close()

    def _decide(self, invocation: Invocation) -> bool:
        choice = _state.settings.emitter
        if self.udp is None or choice == "api":
            return False
        # Lambda runs its daemon for sampled invocations: https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon.html
        return choice == "udp" or invocation.sampled or LAMBDA_FUNCTION_NAME not in os.environ

    def _emit_one(self, document: str, to_daemon: bool) -> None:
        if not to_daemon:
            if _state.settings.emitter == "udp":
                count("failed")
            else:
                self.api.put(document)
        elif self.udp.has_room(document) or _state.settings.emitter == "udp" or self.api.backing_off:  # type: ignore[union-attr]
            count("sent_udp" if self.udp.send(document) else "failed")  # type: ignore[union-attr]
        else:
            self.api.put(document)


_emitter: Emitter | None = None
_making = threading.Lock()


def get_emitter() -> Emitter:
    """Returns the process's emitter, made at the first call."""
    global _emitter
    if _emitter is None:
        with _making:
            if _emitter is None:
                _emitter = Emitter(_make_udp(), ApiEmitter())
    return _emitter


def _make_udp() -> UdpEmitter | None:
    address = daemon_address()
    if address is None:
        return None
    try:
        return UdpEmitter(address)
    except OSError as error:  # too many open files, no IPv6, …
        _log.warning("no socket for the X-Ray daemon at %s: %s. Documents go to X-Ray itself", address[0], error)
        return None


def prepare_emitter() -> None:
    """Makes now what the first document would otherwise wait for, as far as it needs no credentials."""
    emitter = get_emitter()
    if _state.settings.emitter != "udp":
        emitter.api.prepare()


def use_emitter(emitter: Emitter | None) -> Emitter | None:
    """Replaces the process's emitter.

    Returns:
        The one before.
    """
    global _emitter
    before, _emitter = _emitter, emitter
    return before


def _begin_anew() -> None:
    """Forgets the emitter in a forked process: its threads, connections and documents are the parent's."""
    global _emitter, _making
    _making = threading.Lock()
    _emitter = None


in_every_child(_begin_anew)
