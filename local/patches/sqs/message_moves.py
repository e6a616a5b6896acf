"""SQS: moving dead-letter messages back, which MiniStack lacks.

Source: SQS API Reference, "StartMessageMoveTask" and "ListMessageMoveTasks": the source must be a dead-letter queue of
other queues; without a destination each message goes back to the queue it came from. SQS Developer Guide, "Learn how to
configure a dead-letter queue redrive": moved messages are new ones, with a new id and enqueue time.

Assumed: the tracing header stays with the message; a message whose source is not known, since no queue put it there,
ends the task as FAILED with the reason `CouldNotDetermineMessageSource`; and messages being received are left.
"""

import json
import threading
import time
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sqs

Fields = dict[str, Any]

_MOST_RESULTS = 10


class _Tasks:
    """The tasks by the ARN of the queue they empty, the latest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, list[Fields]] = {}

    def add(self, source: str, task: Fields) -> None:
        with self._lock:
            self._tasks.setdefault(source, []).insert(0, task)

    def of(self, source: str) -> list[Fields]:
        with self._lock:
            return list(self._tasks.get(source, []))


def install() -> None:
    """Adds the two operations; a task ends before its start is answered."""
    tasks = _Tasks()

    def start(data: Fields, _queue_url: str) -> Fields:
        source, destination = str(data.get("SourceArn", "")), data.get("DestinationArn")
        queue = _existing(source)
        if not _is_dead_letter_queue(source):
            raise sqs._Err(
                "InvalidParameterValue",
                f"Source queue {source} must be configured as a Dead Letter Queue of other SQS queues.",
            )
        target = _existing(str(destination)) if destination else None
        tasks.add(source, {"SourceArn": source, "StartedTimestamp": int(time.time() * 1000), **_moved(queue, target)})
        return {"TaskHandle": new_uuid()}

    def listed(data: Fields, _queue_url: str) -> Fields:
        source = str(data.get("SourceArn", ""))
        _existing(source)
        return {"Results": tasks.of(source)[: min(int(data.get("MaxResults") or 1), _MOST_RESULTS)]}

    sqs._HANDLERS["StartMessageMoveTask"] = start
    sqs._HANDLERS["ListMessageMoveTasks"] = listed


def _existing(arn: str) -> Fields:
    queue: Fields | None = sqs._queue_by_arn(arn)
    if queue is None:
        raise sqs._Err("ResourceNotFoundException", f"The resource {arn} does not exist.")
    return queue


def _is_dead_letter_queue(arn: str) -> bool:
    policies = [queue["attributes"].get("RedrivePolicy") for queue in list(sqs._queues.values())]
    return any(json.loads(policy).get("deadLetterTargetArn") == arn for policy in policies if policy)


def _moved(queue: Fields, target: Fields | None) -> Fields:
    now = time.time()
    dead_letter_messages = [message for message in queue["messages"] if message["visible_at"] <= now]
    moved = 0
    for message in dead_letter_messages:
        source_queue = target or sqs._queue_by_arn(message["sys"].get("DeadLetterQueueSourceArn", ""))
        if source_queue is None:
            return _result(moved, len(dead_letter_messages), "FAILED") | {
                "FailureReason": "CouldNotDetermineMessageSource"
            }
        queue["messages"].remove(message)
        source_queue["messages"].append(_as_new(message, now))
        moved += 1
    sqs.esm_wake.set()
    return _result(moved, len(dead_letter_messages), "COMPLETED")


def _result(moved: int, wanted: int, status: str) -> Fields:
    return {
        "Status": status,
        "ApproximateNumberOfMessagesMoved": moved,
        "ApproximateNumberOfMessagesToMove": wanted,
    }


def _as_new(message: Fields, now: float) -> Fields:
    attributes = {key: value for key, value in message["sys"].items() if key != "DeadLetterQueueSourceArn"}
    return {
        **message,
        "id": new_uuid(),
        "receipt_handle": None,
        "receive_count": 0,
        "first_receive_at": None,
        "sent_at": now,
        "enqueued_at": now,
        "visible_at": now,
        "sys": {**attributes, "SentTimestamp": str(int(now * 1000))},
    }
