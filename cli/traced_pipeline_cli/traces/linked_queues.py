"""Finds the queue that the message of a reference between two traces waited in."""

from __future__ import annotations

from collections import defaultdict

from .model import Segment, Trace
from .resource_names import resource_name
from .resource_types import kind_of


class LinkedQueues:
    """The queues of one trace, seen from its senders.

    Args:
        trace: The trace.
    """

    def __init__(self, trace: Trace) -> None:
        owners = {span.id: segment.id for segment, span in trace.spans()}
        self._called: dict[str, list[Segment]] = defaultdict(list)
        self._readers: dict[str, list[Segment]] = defaultdict(list)
        sending = {s.parent_id for s in trace.segments if s.inferred and kind_of(s.resource_type) == "queue"}
        for segment in trace.segments:
            if segment.parent_id in sending and not segment.inferred:
                self._readers[segment.parent_id or ""].append(segment)
            else:
                self._called[owners.get(segment.parent_id or "", "")].append(segment)

    def between(self, sender: Segment, consumer: str) -> Segment:
        """Returns the queue between a sender and a consumer in another trace.

        Of several queues below the sender it is the one that the consumer also reads within this trace, as a bridged
        one does, or else the one that nothing of this trace reads.

        Args:
            sender: The segment that the reference is on.
            consumer: The consumer's name.

        Returns:
            The queue's segment; the sender itself where no queue is below it, or it is not known which.
        """
        queues = self._below(sender)
        readers = {queue.id: {reader.name for reader in self._readers[queue.parent_id or ""]} for queue in queues}
        for fitting in (
            queues,
            [queue for queue in queues if consumer in readers[queue.id]],
            [queue for queue in queues if not readers[queue.id]],
        ):
            if len({resource_name(queue) for queue in fitting}) == 1:
                return fitting[0]
        return sender

    def _below(self, sender: Segment) -> list[Segment]:
        """Returns the queues that a sender's calls lead to, not those that a queue's readers send to."""
        segments: list[Segment] = []
        todo, seen = [sender], {sender.id}
        while todo:
            for segment in self._called[todo.pop().id]:
                if segment.id in seen:
                    continue
                seen.add(segment.id)
                if kind_of(segment.resource_type) == "queue":
                    segments.append(segment)
                else:
                    todo.append(segment)
        return segments
