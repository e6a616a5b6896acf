"""The protocol of an engine: what messages are recorded *as*, apart from every decision about them.

Decided elsewhere, whatever the engine: which header counts and what is sampled (`_tracer`), how a batch runs and what
has failed (`_lanes`, `_batch`), whether anything is traced at all. An engine is given what was decided, and records it:

- begin, end: `Messages`, made once for the messages that follow one another in one thread of one invocation. What is
  the same for all of them is prepared when it is made, so that each message costs one call of `begin` and one of `end`.
- annotate, exception: `put_annotation`, `put_metadata` and `add_exception` of the segment that `begin` gave.
- inject: `header_text` of that segment, the trace header for whatever the message calls or sends.
- child: what `place` gives for the running code, or `_place` where an engine has nothing of its own to say.
- flush: `Engine.flush`; between `hold` and it, documents may be collected.

To write an engine: subclass `MessageSegment` where a message is something else than a segment document, and give its
objects from a `Messages` of your own. Whether an engine's message is the current one is `_scope`'s to say, so no engine
needs to know of threads and tasks. No method may raise what the handler would see: the callers log and count it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ._invocation import Invocation
    from ._places import NotRecorded, SpanPlace
    from ._segment import MessageSegment, Recording
    from ._unrecorded import UnrecordedSegment


class Messages(Protocol):
    """Records messages that follow one another in one thread, all of one invocation."""

    @property
    def unrecorded(self) -> type[UnrecordedSegment] | None:
        """The class of messages that are not sampled; None if more is done for them than an object of it is made.

        With a class, a batch makes the objects and sets their ends itself, without calling `begin` and `leave`.
        """

    def begin(
        self, record: Mapping[str, Any], recording: Recording, trace_id: str | None, parent_id: str | None
    ) -> MessageSegment:
        """Begins a message.

        Args:
            record: The message as it came, of Lambda or of boto3.
            recording: What was decided. Only `recorded` leaves anything behind; the others pass the trace on.
            trace_id: The message's trace; None where it is in none.
            parent_id: What sent it; None where its header does not say.
        """

    def announce(self, segment: MessageSegment) -> None:
        """Lets a message under way be seen before it ends; asked for by `TRACE_BRIDGE_IN_PROGRESS` alone."""

    def end(self, segment: MessageSegment, error: BaseException | None) -> None:
        """Ends a message that is recorded and sends it, or keeps it for `Engine.flush` while a batch is held.

        Args:
            segment: What `begin` gave.
            error: What the message failed with; None when it succeeded.
        """

    def leave(self, segment: MessageSegment) -> None:
        """Ends a message that is not recorded.

        Args:
            segment: What `begin` gave.
        """

    def close(self) -> None:
        """Called behind the last message, and perhaps once more: counts what was sent."""


class Engine(Protocol):
    """What messages are recorded as."""

    def messages(self, invocation: Invocation) -> Messages:
        """Returns what records messages of an invocation, for one thread."""

    def place(self) -> SpanPlace | NotRecorded | None:
        """Returns where the running code is recorded, below a span; None where `_place` is to say."""

    def hold(self) -> None:
        """Begins a batch: what is recorded may be kept until `flush`. Batches may overlap."""

    def flush(self, invocation: Invocation, began: float) -> None:
        """Ends a batch: when this returns, what it recorded has left or is counted as lost.

        Args:
            invocation: The invocation, whose time limits how long this may take.
            began: When the batch was begun, in seconds since the epoch.
        """
