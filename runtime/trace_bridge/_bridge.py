"""Continuing a message's own trace."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from . import _state
from ._config import ON_UNDECIDED, checked_choice
from ._engines import get_engine
from ._invocation import current_invocation
from ._tracer import Tracer, check_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Any

    from ._config import OnUndecided
    from ._invocation import LambdaContext
    from ._segment import MessageSegment

_log = logging.getLogger("trace_bridge")


def continue_trace(
    record: Mapping[str, Any],
    context: LambdaContext | None = None,
    *,
    on_undecided: OnUndecided | None = None,
) -> AbstractContextManager[MessageSegment]:
    """Continues the trace of a message: what runs inside the `with` block is recorded on the message's own trace.

    For handlers with their own loop, Powertools' BatchProcessor and messages polled with boto3. AWS calls are recorded
    once `instrument()` was called. An exception marks the message's segment and goes on unchanged.
    A message without a usable trace header is processed as if there were no bridge.

    Each document has left when its block ends; put `trace_batch` around the loop to send those of a batch together.

    Args:
        record: A record of a Lambda event, or a message of boto3 received with
            `MessageSystemAttributeNames=["All"]` (it carries `AWSTraceHeader` only when asked for).
        context: The handler's context; None outside Lambda.
        on_undecided: What becomes of a message whose sender left sampling open: `drop`, `sample` or `follow_lambda`.
            Default: `TRACE_BRIDGE_ON_UNDECIDED`, else `drop`.

    Returns:
        A context manager that gives the message's segment.

    Raises:
        TypeError: The record is no mapping, or a whole event.
        ConfigurationError: `on_undecided` is none of the three.
    """
    check_record(record)
    if on_undecided is not None:
        checked_choice("on_undecided", on_undecided, ON_UNDECIDED)
    return _Continuation(record, context, on_undecided)


def new_tracer(context: LambdaContext | None, on_undecided: OnUndecided | None) -> Tracer:
    """Returns what begins and ends messages, with a log line for each where the settings ask for that.

    Args:
        context: As for `continue_trace`.
        on_undecided: As for `continue_trace`.
    """
    if not _state.settings.message_log:
        return Tracer(context, on_undecided)
    from ._message_log import LoggedTracer

    return LoggedTracer(context, on_undecided)


class _Continuation:
    __slots__ = ("_context", "_on_undecided", "_record", "_segment", "_tracer")

    _segment: MessageSegment
    _tracer: Tracer

    def __init__(
        self, record: Mapping[str, Any], context: LambdaContext | None, on_undecided: OnUndecided | None
    ) -> None:
        self._record = record
        self._context = context
        self._on_undecided = on_undecided

    def __enter__(self) -> MessageSegment:
        tracer = self._tracer = new_tracer(self._context, self._on_undecided)
        segment = self._segment = tracer.begin(self._record)
        tracer.close()
        return segment

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tracer.end(self._segment, error)
        self._tracer.close()


class trace_batch:  # noqa: N801 - used like a function, as contextlib's are
    """Sends the documents of the messages inside the block together, by up to 50 a call, before it ends.

    `sqs_handler` and `poll` do so by themselves; put it around a loop of your own, or Powertools' BatchProcessor.

    Args:
        context: The handler's context; None outside Lambda. Sending never takes longer than the invocation has left.
    """

    def __init__(self, context: LambdaContext | None = None) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._began = time.time()
        self._engine = get_engine()
        self._engine.hold()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._engine.flush(current_invocation(self._context), self._began)
        except Exception:  # noqa: BLE001 - what sending raises must not fail messages that are done
            _log.exception("the segments of a batch could not be sent; the messages themselves are not affected")
