"""Documents to X-Ray itself, by `PutTraceSegments`, without ever costing the handler its time."""

from __future__ import annotations

import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from ._back_off import BackOff
from ._client import CALL_SECONDS, make_client, was_answered
from ._counts import count
from ._suppression import untraced
from ._upload import upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._client import XRayClient

MAX_DOCUMENTS = 50
"""Documents a call, the limit the X-Ray daemon and the OpenTelemetry collector keep."""

MAX_CALLS = 8
"""Calls under way at once, as many as the X-Ray daemon makes."""

LINGER_SECONDS = 0.5
"""Longest wait of a document for others to go with it."""

_CLIENT_SECONDS = 5.0
"""Longest wait for the client, which may have to ask for credentials."""

_DEFAULT_CLIENT = partial(make_client, connections=MAX_CALLS)
_MAX_WAITING_CALLS = 1_000


class _Call:
    """Documents of one call.

    Attributes:
        documents: What it uploads.
        announces: Whether these are messages under way, whose complete documents must not arrive first.
        outlived: Whether an invocation ended while it was under way: whatever becomes of its connection is not
            X-Ray's failure.
        repeated: Whether its connection failed before, while X-Ray answered other calls.
    """

    __slots__ = ("announces", "documents", "outlived", "repeated")

    def __init__(self, documents: list[str], *, announces: bool = False, repeated: bool = False) -> None:
        self.documents = documents
        self.announces = announces
        self.outlived = False
        self.repeated = repeated


class ApiEmitter:
    """Collects documents and sends them by up to 50, from threads of its own.

    A call goes out when it is full, or when its first document has waited half a second, while the next message is
    worked on; `flush` sends the rest and waits for the answers. Up to eight calls are under way at once, the first one
    alone. Throttling is retried. A call that fails, or an X-Ray that does not answer for a second, makes the emitter
    back off for half a minute, doubled each time up to five minutes; documents of that time are counted as failed.
    An invocation that has no time left is no failure of X-Ray: what was not answered goes on in the background.

    Args:
        client: Makes the client; called for the first call.
        clock: Seconds, monotonic.
    """

    def __init__(
        self,
        client: Callable[[], XRayClient] = _DEFAULT_CLIENT,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make_client = client
        self._client: XRayClient | None = None
        self._clock = clock
        # What a signal or the garbage collector runs meanwhile may be recorded too, in the same thread.
        self._lock = threading.RLock()
        self._work = threading.Condition(self._lock)
        self._answered = threading.Condition(self._lock)
        self._pending: list[str] = []
        self._pending_since = 0.0
        self._waiting: deque[_Call] = deque()
        self._under_way: set[_Call] = set()
        self._threads: list[threading.Thread] = []
        self._idle_threads = 0
        self._looks_at = 0.0
        """When an idle thread looks by itself whether something is pending."""
        self._over = 0
        self._silent_seconds = 0.0
        self._proven = False
        self._closed = threading.Event()
        self._back_off = BackOff(clock)

    @property
    def backing_off(self) -> bool:
        """Whether calls are withheld after a failure."""
        return self._back_off.is_active

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or answered."""
        return not (self._pending or self._waiting or self._under_way)

    def put(self, document: str) -> None:
        """Adds a document; sent at the latest by the next `flush`, or after half a second."""
        with self._lock:
            self._pending.append(document)
            if len(self._pending) >= MAX_DOCUMENTS:
                self._hand_over()
            elif len(self._pending) == 1:
                self._pending_since = now = self._clock()
                if self._looks_at <= now:
                    self._wake_for(1)

    def announce(self, document: str) -> None:
        """Sends the document of a message under way at once, without waiting for an answer."""
        with self._lock:
            if self.backing_off:
                count("failed")
                return
            last = self._waiting[-1] if self._waiting else None
            if last is not None and last.announces and len(last.documents) < MAX_DOCUMENTS:
                last.documents.append(document)
            else:
                self._waiting.append(_Call([document], announces=True))
                self._wake_for(1)

    def flush(self, seconds_left: float | None = None) -> None:
        """Sends what is left and waits for the answers, as long as they keep coming.

        Args:
            seconds_left: Longest wait in seconds, all calls together; None for no limit but that of each call.
        """
        with self._lock:
            self._hand_over()
            ends = None if seconds_left is None else self._clock() + max(seconds_left, 0.0)
            while self._threads and (self._waiting or self._under_way) and not self.backing_off:
                longest = CALL_SECONDS if self._client is not None else _CLIENT_SECONDS
                patience = longest - self._silent_seconds
                left = patience if ends is None else ends - self._clock()
                if self._wait_for_news(min(patience, left)):
                    continue
                if left < patience:
                    self._outlive()
                else:
                    what = "PutTraceSegments" if self._client is not None else "what gives the credentials"
                    self._withhold(f"{what} did not answer within {longest:g} s")
                break
        self._back_off.report()

    def close(self) -> None:
        """Ends the threads; what was not sent is counted as failed."""
        with self._lock:
            self._closed.set()
            self._lose(self._waiting)
            self._lose([_Call(self._pending)])
            self._waiting, self._pending = deque(), []
            self._work.notify_all()
        for thread in self._threads:
            thread.join(2 * CALL_SECONDS + 1)
        if self._client is not None:
            self._client.close()

    def _hand_over(self) -> None:
        """Makes calls of what is pending."""
        documents, self._pending = self._pending, []
        if not documents:
            return
        if self.backing_off or len(self._waiting) >= _MAX_WAITING_CALLS:
            count("failed", len(documents))
            return
        calls = [_Call(documents[start : start + MAX_DOCUMENTS]) for start in range(0, len(documents), MAX_DOCUMENTS)]
        self._waiting += calls
        self._wake_for(len(calls))

    def _wake_for(self, calls: int) -> None:
        """Has as many threads at work as there are calls, within the limit."""
        for _ in range(min(calls, MAX_CALLS) - self._idle_threads):
            if len(self._threads) >= self._limit:
                break
            thread = threading.Thread(target=self._run, name="trace-bridge-emitter", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # there are as many as the system allows; a later call tries again
                break
            self._threads.append(thread)
        self._work.notify(calls)

    @property
    def _limit(self) -> int:
        """Calls at once: one until X-Ray has answered, so that an X-Ray that fails costs one call."""
        return MAX_CALLS if self._proven else 1

    def _wait_for_news(self, seconds: float) -> bool:
        """Waits until a call is over or answered; False when none was in time."""
        over, began, silent = self._over, self._clock(), self._silent_seconds
        self._silent_seconds = silent + max(seconds, 0.0)
        if seconds <= 0 or not self._answered.wait_for(lambda: self._over > over, seconds):
            return False
        if self._silent_seconds:
            self._silent_seconds = silent + self._clock() - began
        return True

    def _heard(self) -> None:
        """Takes note that X-Ray answers."""
        self._silent_seconds = 0.0
        self._news()

    def _news(self) -> None:
        self._over += 1
        self._answered.notify_all()

    def _outlive(self) -> None:
        """Stops waiting because the invocation ends: what is queued and under way goes on in the background."""
        for call in self._under_way:
            call.outlived = True

    def _withhold(self, why: str) -> None:
        """Withholds calls for a while; what is under way is counted by its thread when it is over."""
        self._proven = False
        self._lose(self._waiting)
        self._waiting.clear()
        if not self.backing_off:
            self._silent_seconds = 0.0
            self._back_off.begin(why)

    def _lose(self, calls: deque[_Call] | list[_Call]) -> None:
        lost = sum(len(call.documents) for call in calls)
        if lost:
            count("failed", lost)

    def _run(self) -> None:
        while self._send_next():
            pass

    def _send_next(self) -> bool:
        """Sends the next call, of which an idle thread keeps nothing; False when it is time to end."""
        call = self._next()
        if call is None:
            return False
        with untraced():
            try:
                self._send(call)
            except Exception as error:  # noqa: BLE001 - whatever a call can raise must not end the thread
                self._failed(call, error)
        with self._lock:
            if call in self._under_way:
                self._under_way.discard(call)
                self._news()
            if self._waiting:
                self._work.notify_all()
        return True

    def _next(self) -> _Call | None:
        """Waits for the next call; None when it is time to end."""
        # Behind a call the thread looks once more by itself: a batch often follows, and waking a thread costs more.
        longest: float | None = LINGER_SECONDS
        with self._lock:
            while not self._closed.is_set():
                lingers = self._linger()
                if self._may_begin():
                    call = self._waiting.popleft()
                    self._under_way.add(call)
                    return call
                if lingers is None:
                    lingers, longest = longest, None
                if lingers is not None:
                    self._looks_at = self._clock() + lingers
                self._idle_threads += 1
                try:
                    self._work.wait(lingers)
                finally:
                    self._idle_threads -= 1
                    self._looks_at = 0.0
        return None

    def _linger(self) -> float | None:
        """Hands over what has waited long enough; gives the seconds until something will have."""
        if not self._pending:
            return None
        left = self._pending_since + LINGER_SECONDS - self._clock()
        if left > 0:
            return left
        self._hand_over()
        return None

    def _may_begin(self) -> bool:
        """Returns whether the next call may go out.

        A call behind an announcement waits for its answer: a complete document must not arrive before it.
        """
        if not self._waiting or len(self._under_way) >= self._limit:
            return False
        return not any(call.announces for call in self._under_way)

    def _send(self, call: _Call) -> None:
        client = self._client
        if client is None:
            client = self._make_client()
            with self._lock:
                self._client = client
                self._heard()
        upload(client, call.documents, pause=self._pause)
        with self._lock:
            self._under_way.discard(call)
            self._heard()
            self._proven = True
            self._back_off.reset()
            self._wake_for(len(self._waiting))

    def _pause(self, seconds: float) -> None:
        """Waits while X-Ray throttles, which is an answer too."""
        with self._lock:
            self._heard()
        self._closed.wait(seconds)

    def _failed(self, call: _Call, error: Exception) -> None:
        with self._lock:
            may_repeat = call.outlived or (self._proven and not call.repeated)
            if may_repeat and not was_answered(error) and not (self.backing_off or self._closed.is_set()):
                self._waiting.appendleft(_Call(call.documents, announces=call.announces, repeated=True))
                return
            count("failed", len(call.documents))
            what = "PutTraceSegments failed" if self._client is not None else "the X-Ray client could not be made"
            self._withhold(f"{what}: {type(error).__name__}: {error}")
        self._back_off.report()
