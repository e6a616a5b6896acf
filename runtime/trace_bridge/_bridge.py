"""Continuing a message's own trace."""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from . import _forks, _state
from ._config import ON_UNDECIDED, OnUndecided, checked_choice
from ._counters import count
from ._emitter import get_emitter
from ._header import TraceHeader
from ._imports import when_imported
from ._invocation import Invocation, LambdaContext, current_invocation
from ._links import QueueWait, continued_document
from ._record import attributes_of
from ._scope import Scope, current_scope, enter_message, leave_message
from ._segment import MessageSegment, Recording

_log = logging.getLogger("trace_bridge")
_SDK = "aws_xray_sdk.core"
_OLDEST_EPOCH_SECONDS = 60 * 86_400
_COUNTED: Mapping[Recording, str] = {
    "recorded": "continued",
    "unsampled": "unsampled",
    "undecided": "undecided",
    "none": "without_header",
}


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
    if type(record) is not dict and not isinstance(record, Mapping):
        raise TypeError(
            f"record is {type(record).__name__}; expected one record of a Lambda event or one message of "
            "receive_message, a mapping"
        )
    if "Records" in record:
        raise TypeError(
            "record is a whole Lambda event, with the key 'Records'; expected one of its records: "
            "for record in event['Records']: with continue_trace(record, context): …"
        )
    if on_undecided is not None:
        checked_choice("on_undecided", on_undecided, ON_UNDECIDED)
    return _Continuation(record, context, on_undecided)


class _Continuation(AbstractContextManager[MessageSegment]):
    __slots__ = ("_before", "_context", "_on_undecided", "_record", "_segment")

    _segment: MessageSegment

    def __init__(
        self, record: Mapping[str, Any], context: LambdaContext | None, on_undecided: OnUndecided | None
    ) -> None:
        self._record = record
        self._context = context
        self._on_undecided = on_undecided
        self._before: Scope | None = None

    def __enter__(self) -> MessageSegment:
        segment = self._segment = _begin(self._record, self._context, self._on_undecided)
        if segment.recording != "none":
            self._before = enter_message(segment)
            if segment.recording == "recorded" and _state.settings.in_progress:
                _announce(segment)
        elif _state.settings.enabled and current_scope() is None:
            self._before = enter_message(segment)
        return segment

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        segment = self._segment
        leave_message(segment, self._before)
        if segment.recording == "recorded":
            _end(segment, error)
        else:
            segment.end_time = time.time()


def _begin(
    record: Mapping[str, Any], context: LambdaContext | None, on_undecided: OnUndecided | None
) -> MessageSegment:
    invocation = current_invocation(context)
    if not (_state.settings.enabled and _join()):
        return MessageSegment(invocation, record, None, "none")
    header = TraceHeader.parse(attributes_of(record).get("AWSTraceHeader"))
    if header is None:
        recording: Recording = "none"
    elif header.sampled is None:
        recording = _decide(header, invocation, on_undecided or _state.settings.on_undecided)
    else:
        recording = "recorded" if header.sampled else "unsampled"
    oldest = _state.settings.max_trace_age_days
    if oldest is not None and recording == "recorded" and header is not None and _too_old(header.root, oldest):
        count("too_old")
        return MessageSegment(invocation, record, None, "none")
    count(_COUNTED[recording])
    segment = MessageSegment(invocation, record, header, recording)
    if recording == "recorded" and _state.settings.queue_segment == "always":
        wait = QueueWait.of(record, invocation)
        if wait is not None:
            segment.insert_queue_wait(wait)
    return segment


def _decide(header: TraceHeader, invocation: Invocation, on_undecided: OnUndecided) -> Recording:
    """Returns the decision for a message whose sender left it open; the same for every message of a trace."""
    if on_undecided == "follow_lambda":
        return "recorded" if invocation.sampled else "undecided"
    if on_undecided == "sample":
        fraction = int(header.root[-8:], 16) / 0x1_0000_0000
        return "recorded" if fraction < _state.settings.undecided_rate else "undecided"
    return "undecided"


def _too_old(root: str, days: int) -> bool:
    """Tells whether a trace id was made more than some days ago, by the clock as it stands now.

    The first part of an id is the time it was made, but X-Ray takes random ids as well: an id of another month is not
    judged. https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """
    age = time.time() - int(root[2:10], 16)
    return days * 86_400 < age < max(_OLDEST_EPOCH_SECONDS, 2 * days * 86_400)


def _end(segment: MessageSegment, error: BaseException | None) -> None:
    try:
        if error is not None:
            segment.add_exception(error)
        segment.close()
        # A message of a parent process is the parent's to send.
        if segment.invocation.process == _forks.number:
            get_emitter().emit(segment)
    except Exception:  # noqa: BLE001 - tracing must not fail a message that succeeded
        count("failed")
        _log.exception("a segment could not be sent; the message itself is not affected")


def _announce(segment: MessageSegment) -> None:
    try:
        get_emitter().announce(segment)
    except Exception:  # noqa: BLE001 - as above
        count("failed")
        _log.exception("a message under way could not be announced; the message itself is not affected")


_waiting_for_sdk = False


def is_on() -> bool:
    """Returns whether messages are traced: by the bridge's own switch, and by the X-Ray SDK's where that is loaded."""
    return _state.settings.enabled and _join()


def join_sdk() -> bool:
    """Routes the X-Ray SDK to the messages: now if it is loaded, or else as soon as anything loads it.

    Returns:
        Whether the SDK's own switch is on.
    """
    global _join, _waiting_for_sdk
    if _SDK in sys.modules:
        from ._sdk import join

        _join = join
        return join()
    if not _waiting_for_sdk:
        _waiting_for_sdk = True
        when_imported(_SDK, join_sdk)
    _join = _not_loaded
    return True


def _not_loaded() -> bool:
    return True


_join: Callable[[], bool] = join_sdk


class trace_batch(AbstractContextManager[None]):  # noqa: N801 - used like a function, as contextlib's are
    """Sends the documents of the messages inside the block together, by up to 50 a call, before it ends.

    `sqs_handler` and `poll` do so by themselves; put it around a loop of your own, or Powertools' BatchProcessor.

    Args:
        context: The handler's context; None outside Lambda. Sending never takes longer than the invocation has left.
    """

    def __init__(self, context: LambdaContext | None = None) -> None:
        self._context = context

    def __enter__(self) -> None:
        self._began = time.time()
        get_emitter().hold()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            invocation, emitter = current_invocation(self._context), get_emitter()
            links = continued_document(invocation, self._began)
            if links is not None:
                emitter.emit_text(links, invocation)
            emitter.release(invocation)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("the segments of a batch could not be sent; the messages themselves are not affected")
