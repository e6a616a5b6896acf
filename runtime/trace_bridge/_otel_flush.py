"""Flushing the application's tracer provider, for no longer than an invocation can wait.

The SDK's batch processor ignores the time-out that `force_flush` is given, so the bridge waits for a thread instead.
"""

import logging
import os
import sys
import threading
from queue import SimpleQueue
from typing import Any, NamedTuple

from ._environment import LAMBDA_FUNCTION_NAME
from ._forks import in_every_child
from ._invocation import Invocation

_log = logging.getLogger("trace_bridge")
_RESERVE_SECONDS = 0.2
_LONGEST_SECONDS = 10.0
"""Longest wait where the invocation has more time left: as long as OTLP's exporters take for one export by default.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""


class _Request(NamedTuple):
    flush: Any
    milliseconds: int
    done: threading.Event


class Flush:
    """Flushes a provider, one flush at a time: behind one that hangs, nobody waits a second time."""

    _thread: threading.Thread | None
    _under_way: threading.Event

    def __init__(self) -> None:
        self._begin_anew()
        in_every_child(self._begin_anew)

    def __call__(self, provider: object, invocation: Invocation) -> None:
        """Exports what the provider keeps; only in Lambda, which stops the environment after the invocation.

        Args:
            provider: The provider; one of the API alone keeps nothing.
            invocation: The invocation, whose time limits the wait.
        """
        flush: Any = getattr(provider, "force_flush", None)
        if (
            not callable(flush)
            or not self._under_way.is_set()
            or _keeps_nothing(provider)
            or LAMBDA_FUNCTION_NAME not in os.environ
        ):
            return
        left = invocation.seconds_left()
        longest = max(_LONGEST_SECONDS if left is None else min(left - _RESERVE_SECONDS, _LONGEST_SECONDS), 0.0)
        if self._thread is None:
            thread = threading.Thread(target=_work, args=(self._requests,), name="trace-bridge-flush", daemon=True)
            thread.start()
            self._thread = thread
        self._under_way = threading.Event()
        self._requests.put(_Request(flush, int(longest * 1000), self._under_way))
        if not self._under_way.wait(longest):
            _log.warning(
                "OpenTelemetry did not export its spans within %.1f s; it goes on in the background, and the messages "
                "are not affected",
                longest,
            )

    def _begin_anew(self) -> None:
        """Forgets the thread, which a forked process does not have."""
        self._requests: SimpleQueue[_Request] = SimpleQueue()
        self._thread = None
        self._under_way = threading.Event()
        self._under_way.set()


def _keeps_nothing(provider: object) -> bool:
    """Returns whether all processors of a provider export each span as it ends: a thread for them would be wasted.

    A provider that is built otherwise than the SDK's is flushed.
    """
    processors = getattr(getattr(provider, "_active_span_processor", None), "_span_processors", None)
    simple = getattr(sys.modules.get("opentelemetry.sdk.trace.export"), "SimpleSpanProcessor", None)
    return isinstance(processors, tuple) and simple is not None and all(type(each) is simple for each in processors)


def _work(requests: "SimpleQueue[_Request]") -> None:
    while True:
        flush, milliseconds, done = requests.get()
        try:
            flush(milliseconds)
        except Exception:  # noqa: BLE001 - an exporter's failure must not end a message
            _log.exception("OpenTelemetry could not export its spans; the messages are not affected")
        finally:
            done.set()
