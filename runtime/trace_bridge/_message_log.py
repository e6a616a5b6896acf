"""The log line of a message: how long it took and waited, how it ended, and in which trace.

It is written to standard output, not by `logging`: only so is it JSON, with these fields at its top level, in both of
Lambda's log formats and in a container, whatever level and handlers the application has set up. "Lambda does not
double-encode any logs that are already JSON encoded".
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from . import _forks, _sdk_joining
from ._environment import MESSAGE_LOGGER
from ._json import encode
from ._log_fields import ids_of
from ._message import Message, attributes_of, number_of
from ._tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._config import OnUndecided
    from ._invocation import LambdaContext
    from ._segment import MessageSegment


class LoggedTracer(Tracer):
    """A tracer that writes a line for each message when it ends.

    Args:
        context: As for `Tracer`.
        on_undecided: As for `Tracer`.
    """

    __slots__ = ("_began", "_is_on")

    def __init__(self, context: LambdaContext | None, on_undecided: OnUndecided | None) -> None:
        super().__init__(context, on_undecided)
        self.unrecorded = None  # what is not recorded has a line too
        self._is_on = _sdk_joining.is_on()
        self._began = 0.0

    def begin(self, record: Mapping[str, Any]) -> MessageSegment:
        """Begins a message as `Tracer` does, and the time that it takes."""
        segment = super().begin(record)
        self._began = time.perf_counter()
        return segment

    def end(self, segment: MessageSegment, error: BaseException | None) -> None:
        """Ends a message as `Tracer` does, and writes its line."""
        seconds = time.perf_counter() - self._began
        super().end(segment, error)
        # A message of a parent process is the parent's to log.
        if self._is_on and segment.invocation.process == _forks.number:
            # Standard output may be closed or full, or replaced by anything: a line less fails no message.
            with suppress(Exception):
                line = f"{encode(_fields(segment, error, 1000 * seconds))}\n"
                sys.stdout.write(line)  # in one piece, so that lines of several threads do not mix
                sys.stdout.flush()


def _fields(segment: MessageSegment, error: BaseException | None, milliseconds: float) -> dict[str, object]:
    """Returns the fields of a line; what is not known is left out.

    Lambda reads `timestamp` and `level`, and adds `requestId` to lines of `logging` alone:
    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
    The exception's text is in the line about the failure; `errorType` is its field too, by which failures are counted.
    """
    now = time.time()
    took = round(milliseconds, 3)
    message = Message(segment.record)
    ids = ids_of(segment)
    kind = None if error is None else type(error).__name__
    end = f"done in {took} ms" if kind is None else f"failed after {took} ms: {kind}"
    fields: dict[str, object] = {
        "timestamp": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z",
        "level": "INFO",
        "message": f"message {message.message_id or '(no id)'} {end}",
        "logger": MESSAGE_LOGGER,
        "requestId": segment.invocation.request_id or None,
        **dict((*ids.own, *ids.datadog)),
        "attempt": number_of(attributes_of(segment.record), "ApproximateReceiveCount"),
        "queue_ms": message.queue_ms,
        "duration_ms": took,
        "outcome": "done" if kind is None else "failed",
        "error_type": kind,
    }
    return {name: value for name, value in fields.items() if value is not None}
