"""Messages begun and ended, one after another: what is the same for all of them is looked up once."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from . import _forks, _sdk_joining, _state
from ._counts import count
from ._engines import get_engine
from ._header import PARENT, ROOT, SAMPLED, TraceHeader, canonical_header
from ._invocation import current_invocation
from ._message import attributes_of
from ._scope import Scope, current_scope, enter_message, enter_scope, inherited_scope, leave_message, new_object

if TYPE_CHECKING:
    from typing import Any

    from ._config import OnUndecided
    from ._invocation import Invocation, LambdaContext
    from ._segment import MessageSegment, Recording

_log = logging.getLogger("trace_bridge")
_OLDEST_EPOCH_SECONDS = 60 * 86_400
_COUNTED: Mapping[Recording, str] = {
    "recorded": "continued",
    "unsampled": "unsampled",
    "undecided": "undecided",
    "none": "without_header",
}


class Tracer:
    """Begins and ends the segments of messages that follow one another in one thread.

    A record of Lambda whose header is written as AWS writes it takes a fast path. Every other record takes the slow
    path, with the same result.

    Args:
        context: The handler's context; None outside Lambda.
        on_undecided: As for `continue_trace`.
    """

    __slots__ = (
        "_begin",
        "_context",
        "_continued",
        "_end",
        "_leave",
        "_messages",
        "_on_undecided",
        "before",
        "invocation",
        "plain_in",
        "unrecorded",
        "unsampled",
    )

    def __init__(self, context: LambdaContext | None, on_undecided: OnUndecided | None) -> None:
        self._context = context
        self._on_undecided = on_undecided
        self.before: Scope | None = None
        """What was current before the message begun last."""
        self.invocation = current_invocation(context)
        self._messages = messages = get_engine().messages(self.invocation)
        self._begin, self._end, self._leave = messages.begin, messages.end, messages.leave
        is_plain = _sdk_joining.is_on() and _state.settings.is_plain
        self.plain_in = self.invocation.process if is_plain else -1
        """The number of the process in which messages may take the fast path; -1 where none may."""
        self.unrecorded = messages.unrecorded if is_plain else None
        """As in `Messages`: what a batch makes of messages that are not sampled; None where it must call `begin`."""
        self._continued = self.unsampled = 0

    def begin(self, record: Mapping[str, Any]) -> MessageSegment:
        """Begins the segment of a message and makes the message the current one.

        Raises:
            TypeError: The record is no mapping, or a whole event.
        """
        if (
            self.plain_in == _forks.number
            and type(record) is dict
            and type(attributes := record.get("attributes")) is dict
            and type(text := attributes.get("AWSTraceHeader")) is str
            and canonical_header(text) is not None
        ):
            if text[SAMPLED] == "1":
                self._continued += 1
                segment = self._begin(record, "recorded", text[ROOT], text[PARENT])
            else:
                self.unsampled += 1
                segment = self._begin(record, "unsampled", text[ROOT], text[PARENT])
            # As `enter_message` does, without the call.
            scope = new_object(Scope)
            before = inherited_scope()
            if before is not None and before.message.end_time:
                before = current_scope()  # what is over is not kept, be it by a block that was left in another context
            scope.message, scope.opened, scope.outer = segment, (), before
            self.before = before
            enter_scope(scope)
            return segment
        if self.invocation.process != _forks.number:
            self.__init__(self._context, self._on_undecided)  # type: ignore[misc] # a forked process begins anew
        check_record(record)
        segment = self._begun(record)
        if segment.recording != "none":
            self.before = enter_message(segment)
            if segment.recording == "recorded" and _state.settings.in_progress:
                self._announce(segment)
        elif _state.settings.enabled and current_scope() is None:
            self.before = enter_message(segment)
        else:
            self.before = None
        return segment

    def end(self, segment: MessageSegment, error: BaseException | None) -> None:
        """Ends the segment of the message begun last and sends its document.

        Args:
            segment: What `begin` gave.
            error: What the message failed with; None when it succeeded.
        """
        # As `leave_message` does, without the call.
        scope, before = inherited_scope(), self.before
        if scope is not None and scope.message is segment:
            if before is not None and before.message.end_time:
                leave_message(segment, before)
            else:
                enter_scope(before)
        try:
            if segment.recording != "recorded":
                self._leave(segment)
                return
            # A message of a parent process is the parent's to send.
            if segment.invocation.process == _forks.number:
                self._end(segment, error)
            else:
                segment.close()
        except Exception:  # noqa: BLE001 - tracing must not fail a message that succeeded
            count("failed")
            _log.exception("a segment could not be sent; the message itself is not affected")

    def close(self) -> None:
        """Counts the messages begun, and the documents sent, since it was called last."""
        if self.invocation.process == _forks.number:
            if self._continued:
                count("continued", self._continued)
            if self.unsampled:
                count("unsampled", self.unsampled)
            self._continued = self.unsampled = 0
            self._messages.close()

    def _begun(self, record: Mapping[str, Any]) -> MessageSegment:
        """Begins a message whose header or settings ask for a closer look."""
        begin, settings = self._begin, _state.settings
        if not _sdk_joining.is_on():
            return begin(record, "none", None, None)
        header = TraceHeader.parse(attributes_of(record).get("AWSTraceHeader"))
        if header is None:
            recording: Recording = "none"
        elif header.sampled is None:
            recording = _decide(header, self.invocation, self._on_undecided or settings.on_undecided)
        else:
            recording = "recorded" if header.sampled else "unsampled"
        oldest = settings.max_trace_age_days
        if oldest is not None and recording == "recorded" and header is not None and _too_old(header.root, oldest):
            count("too_old")
            return begin(record, "none", None, None)
        count(_COUNTED[recording])
        if header is None:
            return begin(record, recording, None, None)
        segment = begin(record, recording, header.root, header.parent)
        if recording == "recorded" and settings.queue_segment == "always":
            from ._links import QueueWait

            wait = QueueWait.of(record, self.invocation)
            if wait is not None:
                segment.insert_queue_wait(wait)
        return segment

    def _announce(self, segment: MessageSegment) -> None:
        try:
            self._messages.announce(segment)
        except Exception:  # noqa: BLE001 - what sending raises must not fail the message
            count("failed")
            _log.exception("a message under way could not be announced; the message itself is not affected")


def check_record(record: object) -> None:
    """Checks that something is the record of one message.

    Raises:
        TypeError: It is no mapping, or a whole event.
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


def _decide(header: TraceHeader, invocation: Invocation, on_undecided: OnUndecided) -> Recording:
    """Returns the decision for a message whose sender left it open; the same for every message of a trace."""
    if on_undecided == "follow_lambda":
        return "recorded" if invocation.sampled else "undecided"
    if on_undecided == "sample":
        fraction = int(header.root[-8:], 16) / 0x1_0000_0000
        return "recorded" if fraction < _state.settings.undecided_rate else "undecided"
    return "undecided"


def _too_old(root: str, days: int) -> bool:
    """Returns whether a trace id was made more than some days ago, by the clock as it stands now.

    The first part of an id is the time it was made, but X-Ray takes random ids as well: an id of another month is not
    judged. https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-traceids
    """
    age = time.time() - int(root[2:10], 16)
    return days * 86_400 < age < max(_OLDEST_EPOCH_SECONDS, 2 * days * 86_400)
