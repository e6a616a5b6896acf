"""Flushing the application's tracer provider, for no longer than an invocation can wait.

The SDK's batch processor ignores the time-out that `force_flush` is given, so the bridge waits for a thread instead.
"""

import logging
import threading
from typing import Any

from ._forks import in_every_child
from ._invocation import Invocation

_log = logging.getLogger("trace_bridge")
_RESERVE_SECONDS = 0.2
_LONGEST_SECONDS = 10.0
"""Longest wait where the invocation has more time left: as long as OTLP's exporters take for one export by default.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""


class Flush:
    """Flushes a provider, one flush at a time: behind one that hangs, nobody waits a second time."""

    def __init__(self) -> None:
        self._under_way: threading.Thread | None = None
        in_every_child(self._begin_anew)

    def __call__(self, provider: object, invocation: Invocation) -> None:
        """Exports what the provider keeps.

        Args:
            provider: The provider; one of the API alone keeps nothing.
            invocation: The invocation, whose time limits the wait.
        """
        flush: Any = getattr(provider, "force_flush", None)
        if not callable(flush) or (self._under_way is not None and self._under_way.is_alive()):
            return
        left = invocation.seconds_left()
        longest = _LONGEST_SECONDS if left is None else min(left - _RESERVE_SECONDS, _LONGEST_SECONDS)
        thread = threading.Thread(target=_flushed, args=(flush, longest), name="trace-bridge-flush", daemon=True)
        self._under_way = thread
        thread.start()
        thread.join(max(longest, 0.0))
        if thread.is_alive():
            _log.warning(
                "OpenTelemetry did not export its spans within %.1f s; it goes on in the background, and the messages "
                "are not affected",
                max(longest, 0.0),
            )

    def _begin_anew(self) -> None:
        self._under_way = None


def _flushed(flush: Any, seconds: float) -> None:
    try:
        flush(max(int(seconds * 1000), 0))
    except Exception:  # noqa: BLE001 - an exporter's failure must not end a message
        _log.exception("OpenTelemetry could not export its spans; the messages are not affected")
