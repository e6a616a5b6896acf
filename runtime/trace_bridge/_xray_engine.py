"""The engine for X-Ray: a message is a segment document."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from ._counts import count
from ._document import MAX_BYTES, PREFIX
from ._emitter import get_emitter
from ._json import quote
from ._message import queue_arn_of
from ._segment import MessageSegment
from ._unrecorded import UnrecordedSegment

if TYPE_CHECKING:
    from ._engine import Engine, Messages
    from ._invocation import Invocation


class XRayMessages:
    """Messages as segment documents.

    The document of a message that succeeded, with nothing on its segment but calls, is written in one step, from parts
    that are the same for all messages of a queue. Most are of this kind. Any other is written by the segment itself.

    Args:
        invocation: The invocation.
    """

    __slots__ = ("_constants", "_emitter", "_invocation", "_metadata", "_queue", "_sent", "_udp", "begin")

    unrecorded = UnrecordedSegment

    def __init__(self, invocation: Invocation) -> None:
        self.begin = partial(MessageSegment, invocation)
        self._invocation = invocation
        self._emitter = emitter = get_emitter()
        self._udp = emitter.udp if emitter.goes_to_daemon(invocation) else None
        self._constants = invocation.constants
        self._queue: object = self  # no record names this one
        self._metadata = ""
        self._sent = 0

    def announce(self, segment: MessageSegment) -> None:
        """Sends the `in_progress` document."""
        self._emitter.announce(segment)

    def end(self, segment: MessageSegment, error: BaseException | None) -> None:
        """Closes the segment and sends its document."""
        if error is not None or not segment.is_plain or segment.joined is not None:
            self._end_in_full(segment, error)
            return
        segment.end_time = ended = max(segment.start_time, time.time())  # a clock may step back
        record = segment.record
        try:
            # Lambda's shape of a record, with all that SQS writes; any other is written in full.
            attributes, message_id = record["attributes"], record["messageId"]
            if (queue := record["eventSourceARN"]) != self._queue:
                self._metadata = self._invocation.metadata(queue_arn_of(record))
                self._queue = queue
            if not message_id or segment.parent_id is None:
                raise KeyError  # noqa: TRY301 - as a record that lacks them
            attempt = int(attributes["ApproximateReceiveCount"])
            waited = int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"])
            nested = self._nested(segment, ended) if segment.subsegments else ""
            document = (
                f'{PREFIX}{{"id":"{segment.id}","trace_id":"{segment.trace_id}","start_time":{segment.start_time!r},'
                f'"end_time":{ended!r},"parent_id":"{segment.parent_id}",{self._constants},'
                f'"annotations":{{"message_id":{quote(message_id)},"attempt":{attempt},"queue_ms":{max(0, waited)}}}'
                f"{self._metadata}{nested}}}"
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            self._end_in_full(segment, None)
            return
        if self._udp is not None and len(document) <= MAX_BYTES and self._udp.send_if_room(document, time.monotonic()):
            self._sent += 1
            if not self._emitter.holds:
                self._emitter.settle(self._invocation)
        else:
            self._emitter.emit_text(document[len(PREFIX) :], self._invocation)

    def close(self) -> None:
        """Counts the documents that `end` sent to the daemon itself."""
        if self._sent:
            count("sent_udp", self._sent)
            self._sent = 0

    def _nested(self, segment: MessageSegment, ended: float) -> str:
        """Returns the field `subsegments`, of what is ended now at the latest."""
        texts = []
        for subsegment in segment.subsegments:
            if subsegment.in_progress:
                subsegment.close(ended)
            texts.append(subsegment.text())
        return f',"subsegments":[{",".join(texts)}]'

    def _end_in_full(self, segment: MessageSegment, error: BaseException | None) -> None:
        if error is not None:
            segment.add_exception(error)
        segment.close()
        self._emitter.emit(segment)

    def leave(self, segment: MessageSegment) -> None:
        """Marks the message as done."""
        segment.end_time = time.time()


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
        try:
            if invocation.continued:
                from ._links import continued_document

                links = continued_document(invocation, began)
                if links is not None:
                    emitter.emit_text(links, invocation)
        finally:  # or no later batch would be the last one under way
            emitter.release(invocation)


XRAY: Engine = XRayEngine()
