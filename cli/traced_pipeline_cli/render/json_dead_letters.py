"""Dead-letter messages, and what was done with them, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..aws.read_errors import Unread
from ..dead_letters.causes import Reason
from ..dead_letters.message import DeadLetterMessage
from ..dead_letters.queues import DeadLetterQueue
from ..dead_letters.redrive import Outcome
from ..deployment.model import Queue
from ..traces.model import JsonObject, JsonValue
from .json import unread_json


def failed_json(
    stack: str,
    listed: Iterable[tuple[DeadLetterQueue, Sequence[DeadLetterMessage], Mapping[str, Reason]]],
    source_queues: Iterable[Queue],
    unread: Iterable[Unread],
    now: float,
) -> JsonObject:
    """Returns a stack's dead-letter messages as a JSON object; times are seconds.

    Args:
        stack: The stack's name.
        listed: Its dead-letter queues, each with its messages and their reasons by message id.
        source_queues: Its other queues.
        unread: What could not be read.
        now: The time, in seconds since the epoch.
    """
    return {
        "stack": stack,
        "queues": [_queue(place, messages, reasons, now) for place, messages, reasons in listed],
        "source_queues": [_source_queue(queue) for queue in source_queues],
        "unread": unread_json(unread),
    }


def redrive_json(stack: str, outcomes: Iterable[Outcome]) -> JsonObject:
    """Returns what was done with a stack's dead-letter messages as a JSON object."""
    queues: list[JsonValue] = [
        {
            "name": outcome.place.queue.name,
            "moved": outcome.moved,
            "resent": outcome.resent,
            "running": outcome.running,
            "remaining": list(outcome.remaining),
            "trace_ids": list(outcome.traces),
        }
        for outcome in outcomes
    ]
    return {"stack": stack, "queues": queues}


def _queue(
    place: DeadLetterQueue, messages: Sequence[DeadLetterMessage], reasons: Mapping[str, Reason], now: float
) -> JsonObject:
    return {
        "name": place.queue.name,
        "url": place.queue.url,
        "approximate_messages": place.queue.waiting + place.queue.in_flight,
        "messages": [_message(place, message, reasons[message.message_id], now) for message in messages],
    }


def _message(place: DeadLetterQueue, message: DeadLetterMessage, reason: Reason, now: float) -> JsonObject:
    source_queue = place.source_queue_of(message)
    return {
        "message_id": message.message_id,
        "trace_id": message.trace_id,
        "traced": reason.traced,
        "origin": message.origin,
        "source_arn": message.source,
        "source_queue": None if source_queue is None else source_queue.name,
        "attempts": place.attempts_of(message),
        "sent": message.sent,
        "age_seconds": round(max(0.0, now - message.sent), 3),
        "kept_seconds": round(max(0.0, message.sent + place.queue.retention - now), 3),
        "reason": reason.text or None,
        "evidence": reason.evidence,
        "body": message.body,
    }


def _source_queue(queue: Queue) -> JsonObject:
    return {
        "name": queue.name,
        "url": queue.url,
        "waiting": queue.waiting,
        "in_flight": queue.in_flight,
        "visibility_timeout_seconds": queue.visibility_timeout,
    }
