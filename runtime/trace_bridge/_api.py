"""Documents to X-Ray itself, by `PutTraceSegments`, without ever costing the handler its time."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, cast

from ._counters import count

_log = logging.getLogger("trace_bridge")

MAX_DOCUMENTS = 50
"""Documents a call, the limit the X-Ray daemon and the OpenTelemetry collector keep."""

CALL_SECONDS = 1.0
"""Longest wait for a connection, and longest wait for an answer."""

_REST_SECONDS = 30.0
_LONGEST_REST_SECONDS = 300.0


class XRayClient(Protocol):
    """What is used of boto3's `xray` client."""

    def put_trace_segments(self, *, TraceSegmentDocuments: list[str]) -> Mapping[str, Any]:  # noqa: N803
        """Uploads segment documents: https://docs.aws.amazon.com/xray/latest/api/API_PutTraceSegments.html."""

    def close(self) -> None:
        """Closes its connections."""


def make_client() -> XRayClient:
    """A client with one attempt and a second each to connect and to read."""
    from botocore.config import Config
    from botocore.session import get_session

    config = Config(
        connect_timeout=CALL_SECONDS,
        read_timeout=CALL_SECONDS,
        retries={"total_max_attempts": 1},
        max_pool_connections=2,
        parameter_validation=False,
    )
    return cast("XRayClient", get_session().create_client("xray", config=config))


class ApiEmitter:
    """Collects documents and sends them by up to 50, from a thread of its own.

    A full call goes out while the next message is worked on; `flush` sends the rest and waits for the answers. A call
    that fails or does not answer in time rests the emitter for half a minute, doubled each time up to five minutes;
    documents of that time are counted as failed.

    Args:
        client: Makes the client; called once, at the latest for the first call.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, client: Callable[[], XRayClient] = make_client, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make_client = client
        self._client: XRayClient | None = None
        self._clock = clock
        self._changed = threading.Condition()
        self._pending: list[str] = []
        self._calls: deque[list[str]] = deque()
        self._under_way = 0
        self._done = 0
        self._thread: threading.Thread | None = None
        self._closed = False
        self._rest_until = 0.0
        self._rest_seconds = _REST_SECONDS

    def prepare(self) -> None:
        """Makes the client now, so that the first message does not wait for it."""
        if self._client is None:
            try:
                self._client = self._make_client()
            except Exception as error:  # noqa: BLE001 - no region, no credentials, …: tracing must not stop the function
                self._rest(f"the X-Ray client could not be made: {error}")

    @property
    def resting(self) -> bool:
        """Whether calls are withheld after a failure."""
        return self._clock() < self._rest_until

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be sent or answered."""
        return not (self._pending or self._calls or self._under_way)

    def put(self, document: str) -> None:
        """Adds a document; sent at the latest by the next `flush`."""
        with self._changed:
            self._pending.append(document)
            if len(self._pending) >= MAX_DOCUMENTS:
                self._hand_over()

    def flush(self, seconds_left: float | None = None) -> None:
        """Sends what is left and waits for the answers, as long as they keep coming.

        Args:
            seconds_left: Longest wait in seconds, all calls together; None for no limit but that of each call.
        """
        with self._changed:
            self._hand_over()
            ends = None if seconds_left is None else self._clock() + max(seconds_left, 0.0)
            while (self._under_way or self._calls) and not self.resting:
                patience = CALL_SECONDS if ends is None else min(CALL_SECONDS, ends - self._clock())
                done = self._done
                answered = patience > 0 and self._changed.wait_for(partial(self._answered_since, done), patience)
                if not answered:
                    self._give_up()
                    return

    def close(self) -> None:
        """Ends the thread; what was not sent is counted as failed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(2 * CALL_SECONDS + 1)
        if self._client is not None:
            self._client.close()

    def _hand_over(self) -> None:
        if not self._pending:
            return
        documents, self._pending = self._pending, []
        if self.resting:
            count("failed", len(documents))
            return
        for start in range(0, len(documents), MAX_DOCUMENTS):
            self._calls.append(documents[start : start + MAX_DOCUMENTS])
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="trace-bridge-emitter", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _answered_since(self, done: int) -> bool:
        return self._done > done

    def _give_up(self) -> None:
        """Stops waiting: what is queued is lost, and what is under way is counted by the thread when it is over."""
        self._lose_queued()
        self._rest(f"PutTraceSegments did not answer within {CALL_SECONDS:g} s or the time left of the invocation")

    def _lose_queued(self) -> None:
        lost = sum(map(len, self._calls))
        self._calls.clear()
        if lost:
            count("failed", lost)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._calls or self._closed)
                if self._closed:
                    self._lose_queued()
                    return
                documents = self._calls.popleft()
                self._under_way = len(documents)
            self._send(documents)
            with self._changed:
                self._under_way = 0
                self._done += 1
                if self.resting:
                    self._lose_queued()
                self._changed.notify_all()

    def _send(self, documents: list[str]) -> None:
        self.prepare()
        if self._client is None:
            count("failed", len(documents))
            return
        try:
            answer = self._call(self._client, documents)
        except Exception as error:  # noqa: BLE001 - whatever a call can raise must not reach the handler
            count("failed", len(documents))
            self._rest(f"PutTraceSegments failed: {type(error).__name__}: {error}")
            return
        self._rest_seconds = _REST_SECONDS
        refused = answer.get("UnprocessedTraceSegments") or []
        count("sent_api", len(documents) - len(refused))
        if refused:
            count("unprocessed", len(refused))
            reasons = sorted({f"{one.get('ErrorCode')}: {one.get('Message')}" for one in refused})
            _log.warning("X-Ray refused %d of %d segments: %s", len(refused), len(documents), "; ".join(reasons))

    def _call(self, client: XRayClient, documents: list[str]) -> Mapping[str, Any]:
        from botocore.exceptions import ConnectionClosedError

        try:
            return client.put_trace_segments(TraceSegmentDocuments=documents)
        except ConnectionClosedError:
            # A connection kept from an earlier invocation may be gone after a freeze: nothing was answered yet.
            return client.put_trace_segments(TraceSegmentDocuments=documents)

    def _rest(self, why: str) -> None:
        if not self.resting:
            self._rest_until = self._clock() + self._rest_seconds
            _log.warning("%s; no further attempt for %d s", why, self._rest_seconds)
            self._rest_seconds = min(2 * self._rest_seconds, _LONGEST_REST_SECONDS)
