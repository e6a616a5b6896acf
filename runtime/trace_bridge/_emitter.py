"""Which way a document goes: to the daemon where AWS documents it to run, to X-Ray itself otherwise."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from . import _state
from ._counts import count, report_losses
from ._document import MAX_BYTES
from ._environment import LAMBDA_FUNCTION_NAME, XRAY_DAEMON_ADDRESS
from ._forks import in_every_child

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._api import ApiEmitter
    from ._invocation import Invocation
    from ._segment import MessageSegment
    from ._udp import UdpEmitter

_log = logging.getLogger("trace_bridge")
_FLUSH_RESERVE_SECONDS = 0.2


class Emitter:
    """Sends all documents of the process.

    Most processes need only one of the two ways, so each is made at its first document.

    Args:
        make_udp: Makes what sends to the daemon; None where no address is known.
        make_api: Makes what sends to X-Ray itself.
    """

    def __init__(self, make_udp: Callable[[], UdpEmitter | None], make_api: Callable[[], ApiEmitter]) -> None:
        self._make_udp = make_udp
        self._make_api = make_api
        self._udp: UdpEmitter | None = None
        self._has_udp = False
        self._api: ApiEmitter | None = None
        self._making = threading.RLock()
        self._lock = threading.RLock()
        self.holds = 0
        """Batches under way."""
        self._way: tuple[Invocation | None, bool] = (None, False)

    @property
    def udp(self) -> UdpEmitter | None:
        """What sends to the daemon; None where no address is known."""
        if not self._has_udp:
            with self._making:
                if not self._has_udp:
                    self._udp = self._make_udp()
                    self._has_udp = True
        return self._udp

    @property
    def api(self) -> ApiEmitter:
        """What sends to X-Ray itself."""
        api = self._api
        if api is None:
            with self._making:
                api = self._api = self._api or self._make_api()
        return api

    @property
    def _is_settled(self) -> bool:
        return self._api is None or self._api.idle

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
        if not self.holds and not self._is_settled:
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
        for part in _fitting(segment.document()):
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
            for part in _fitting(document):
                self._emit_one(part, to_daemon)

    def hold(self) -> None:
        """Begins a batch: documents for X-Ray itself are collected until `release`."""
        with self._lock:
            self.holds += 1

    def release(self, invocation: Invocation) -> None:
        """Ends a batch: when this returns, its documents have left or are counted as lost."""
        with self._lock:
            self.holds = max(0, self.holds - 1)
            last = not self.holds
        if last:
            self.flush(invocation)

    def flush(self, invocation: Invocation, *, longest: float | None = None) -> None:
        """Sends what was collected, within the time the invocation has left.

        Args:
            invocation: The invocation.
            longest: Longest wait in seconds, where that is shorter; None for no other limit.
        """
        if not self._is_settled:
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
        if self._api is not None:
            self._api.close()
        if self._udp is not None:
            self._udp.close()

    def _decide(self, invocation: Invocation) -> bool:
        choice = _state.settings.emitter
        # Lambda runs its daemon for sampled invocations: https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon.html
        may_be_there = choice == "udp" or invocation.sampled or LAMBDA_FUNCTION_NAME not in os.environ
        return choice != "api" and may_be_there and self.udp is not None

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
_making = threading.RLock()
"""Re-entrant, as every lock here: what the garbage collector or a signal runs meanwhile may record something too."""


def get_emitter() -> Emitter:
    """Returns the process's emitter, made at the first call."""
    global _emitter
    if _emitter is None:
        with _making:
            if _emitter is None:
                _emitter = Emitter(_make_udp, _make_api)
    return _emitter


def _make_udp() -> UdpEmitter | None:
    if not os.environ.get(XRAY_DAEMON_ADDRESS):
        return None
    from ._daemon_address import daemon_address
    from ._udp import UdpEmitter

    address = daemon_address()
    if address is None:
        return None
    try:
        return UdpEmitter(address)
    except OSError as error:  # too many open files, no IPv6, …
        _log.warning("no socket for the X-Ray daemon at %s: %s. Documents go to X-Ray itself", address[0], error)
        return None


def _make_api() -> ApiEmitter:
    from ._api import ApiEmitter

    return ApiEmitter()


def _fitting(document: str) -> list[str]:
    from ._trimming import fit  # hardly any document needs it

    return fit(document)


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
    _making = threading.RLock()
    _emitter = None


in_every_child(_begin_anew)
