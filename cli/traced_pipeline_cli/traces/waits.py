"""How long messages waited for their consumers, attempt by attempt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .failure_states import state_of
from .model import JsonValue, Segment, Span, Trace
from .resource_names import resource_name
from .resource_types import MESSAGING, kind_of

# Services write their times in milliseconds, so that less is no time at all.
_LEAST_SECONDS = 0.001


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The time between two moments of a message's way.

    Attributes:
        broker: The topic or queue that held the message.
        start: For the first attempt, the end of the call that sent the message. For a later one, the end of the
            attempt before: the message becomes visible again then at the earliest, and the trace does not tell how
            long its visibility timeout kept it hidden.
        end: When the attempt began.
        attempt: Which attempt of the trace it was, from 1 on.
    """

    broker: Segment
    start: float
    end: float
    attempt: int

    @property
    def seconds(self) -> float:
        """Its length in seconds, never negative."""
        return max(0.0, self.end - self.start)


def brokers_of(trace: Trace) -> Mapping[str, Segment]:
    """Returns the inferred topics and queues by the ids of the calls that sent to them.

    Args:
        trace: The trace.
    """
    by_parent: dict[str, Segment] = {}
    for segment in trace.segments:
        if segment.inferred and segment.parent_id and kind_of(segment.resource_type) in MESSAGING:
            by_parent.setdefault(segment.parent_id, segment)
    return by_parent


def is_behind_brokers(segment: Segment) -> bool:
    """Returns whether a segment whose parent sent to a topic or queue received the message from there."""
    return not segment.inferred and segment.type != "subsegment"


def consumer_waits(trace: Trace) -> Mapping[str, Wait]:
    """Returns the waits before the segments behind inferred topics and queues, by the segments' ids.

    Segments behind one sending call are attempts at one message where they are of one consumer and name one message
    (the annotation `message_id`). Where they name none, a segment is a later attempt if the one before it failed.

    Args:
        trace: The trace.
    """
    spans = {span.id: span for _, span in trace.spans()}
    brokers = brokers_of(trace)
    attempts: dict[tuple[str, str, str, str], list[Segment]] = defaultdict(list)
    for segment in sorted(trace.segments, key=lambda segment: segment.start):
        parent_id = segment.parent_id or ""
        if parent_id in brokers and parent_id in spans and is_behind_brokers(segment):
            key = (parent_id, resource_name(segment), segment.resource_type, _message_id(segment))
            attempts[key].append(segment)
    waits: dict[str, Wait] = {}
    for (parent_id, _, _, message_id), segments in attempts.items():
        waits |= _waits_of(segments, brokers[parent_id], spans[parent_id], is_one_message=bool(message_id))
    return waits


def covered_seconds(waits: Iterable[Wait]) -> float:
    """Returns how long at least one of several messages waited, in seconds: time that two waited in counts once."""
    total, reached = 0.0, float("-inf")
    for wait in sorted(waits, key=lambda wait: wait.start):
        total += max(0.0, wait.end - max(wait.start, reached))
        reached = max(reached, wait.end)
    return total


def topic_wait(topic: Segment, delivery: Span) -> Wait | None:
    """Returns the time a message spent in SNS: from the end of the topic's segment to the delivery's subsegment.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sns.html

    Args:
        topic: A topic's own segment.
        delivery: One of its subsegments.

    Returns:
        The wait; None where the subsegment begins before the segment ends, or less than a millisecond after.
    """
    if kind_of(topic.resource_type) != "topic" or topic.inferred or topic.end is None:
        return None
    if delivery.start - topic.end < _LEAST_SECONDS:
        return None
    return Wait(broker=topic, start=topic.end, end=delivery.start, attempt=1)


def _waits_of(segments: Sequence[Segment], broker: Segment, sending: Span, *, is_one_message: bool) -> dict[str, Wait]:
    waits: dict[str, Wait] = {}
    sent, attempt = _end(sending), 1
    for index, segment in enumerate(segments):
        before = segments[index - 1] if index else None
        start = sent
        is_later = before is not None and (is_one_message or (state_of(before) and _end(before) <= segment.start))
        if before is not None and is_later:
            start, attempt = max(sent, _end(before)), attempt + 1
        else:
            attempt = 1
        said = segment.annotations.get("attempt")
        number = said if isinstance(said, int) and said >= attempt else attempt
        waits[segment.id] = Wait(broker=broker, start=start, end=max(start, segment.start), attempt=number)
    return waits


def _end(span: Span) -> float:
    return span.start if span.end is None else span.end


def _message_id(segment: Segment) -> str:
    value: JsonValue = segment.annotations.get("message_id")
    return value if isinstance(value, str) else ""
