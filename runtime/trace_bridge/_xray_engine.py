"""The engine for X-Ray: a message is a segment document."""

from collections.abc import Mapping
from typing import Any

from ._emitter import get_emitter
from ._engine import Engine, Messages
from ._invocation import Invocation, now
from ._links import continued_document
from ._segment import MessageSegment, Recording


class XRayMessages:
    """Messages as segment documents.

    Args:
        invocation: The invocation.
    """

    __slots__ = ("_invocation",)

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation

    def begin(
        self, record: Mapping[str, Any], recording: Recording, trace_id: str | None, parent_id: str | None
    ) -> MessageSegment:
        """Begins a segment."""
        return MessageSegment(self._invocation, record, recording, trace_id, parent_id)

    def announce(self, segment: MessageSegment) -> None:
        """Sends the `in_progress` document."""
        get_emitter().announce(segment)

    def end(self, segment: MessageSegment, error: BaseException | None) -> None:
        """Closes the segment and sends its document."""
        if error is not None:
            segment.add_exception(error)
        segment.close()
        get_emitter().emit(segment)

    def leave(self, segment: MessageSegment) -> None:
        """Marks the message as done."""
        segment.end_time = now()


class XRayEngine:
    """Segment documents, by UDP to the daemon or by `PutTraceSegments`."""

    def messages(self, invocation: Invocation) -> Messages:
        """Returns what records messages of an invocation."""
        return XRayMessages(invocation)

    def place(self) -> None:
        """Leaves it to `_place` to say where the running code is recorded."""

    def hold(self) -> None:
        """Begins a batch, whose documents are uploaded together."""
        get_emitter().hold()

    def flush(self, invocation: Invocation, began: float) -> None:
        """Sends what is left of a batch, and the links of Lambda's own trace."""
        emitter = get_emitter()
        links = continued_document(invocation, began)
        if links is not None:
            emitter.emit_text(links, invocation)
        emitter.release(invocation)


XRAY: Engine = XRayEngine()
