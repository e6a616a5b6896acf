"""Documents beside a message's own: its wait in the queue, and the links in Lambda's own trace."""

from collections.abc import Mapping
from typing import Any

from ._document import links_document
from ._invocation import Invocation, now
from ._json import encode
from ._message import Message

_FIRST_ATTEMPT = 1


class QueueWait:
    """A message's first wait in its queue, as a segment of the queue.

    Attributes:
        id: Id of the segment, 16 hex digits; the message's own has it as parent.
    """

    __slots__ = ("_arn", "_message", "id")

    def __init__(self, segment_id: str, message: Message, queue_arn: str) -> None:
        self.id = segment_id
        self._message = message
        self._arn = queue_arn

    @classmethod
    def of(cls, record: Mapping[str, Any], invocation: Invocation) -> "QueueWait | None":
        """Returns the wait of a record.

        None where SQS gives no times, and for a redelivery, whose wait was drawn before.
        """
        message = Message(record)
        if message.queue_ms is None or message.queue_arn is None or message.attempt != _FIRST_ATTEMPT:
            return None
        return cls(invocation.new_id(), message, message.queue_arn)

    def document(self, trace_id: str, parent_id: str | None) -> str:
        """Returns the segment document, as JSON."""
        sent = self._message.sent_at or 0.0
        document: dict[str, object] = {
            "id": self.id,
            "name": self._arn.rpartition(":")[2],
            "trace_id": trace_id,
            "start_time": sent,
            # SQS's clocks may disagree; a segment must not end before it began.
            "end_time": max(sent, self._message.first_received_at or 0.0),
            "origin": "AWS::SQS::Queue",
            "resource_arn": self._arn,
        }
        if parent_id is not None:
            document["parent_id"] = parent_id
        return encode(document)


def continued_document(invocation: Invocation, began: float) -> str | None:
    """Returns a subsegment of Lambda's own trace that names the traces in which its messages were continued.

    Args:
        invocation: The invocation; what it remembers of its messages is forgotten.
        began: When their batch was begun, in seconds since the epoch.

    Returns:
        The document; None where Lambda records no trace of its own, or no message went on in another.
    """
    messages, invocation.continued = invocation.continued, []
    count, invocation.continued_count = invocation.continued_count, 0
    header = invocation.header
    if not messages or header is None or header.parent is None:
        return None
    ended = max(began, now())
    return links_document(invocation.new_id(), header.root, header.parent, began, ended, messages, count)
