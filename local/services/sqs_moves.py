"""SQS: message move tasks, by which dead letters go back to the queue they came from.

Sources: SQS API Reference, "StartMessageMoveTask", "ListMessageMoveTasks" and "CancelMessageMoveTask"; SQS Developer
Guide, "Configure a dead-letter queue redrive" and "Troubleshoot dead-letter queue redrive". That a moved message keeps
its tracing header is assumed, and that it counts its receipts anew. A task is over when the call that started it
answers.
"""

import json
import time
from typing import Any

from ministack.core.responses import new_uuid
from ministack.services import sqs

Fields = dict[str, Any]

_MAX_RESULTS = 10
_NO_SOURCE = "CouldNotDetermineMessageSource"
"""The failure of a task that finds a letter no queue has put there, without a destination of its own."""

_tasks: list[Fields] = []


def install() -> None:
    """Serve the three operations."""
    sqs._HANDLERS["StartMessageMoveTask"] = _start
    sqs._HANDLERS["ListMessageMoveTasks"] = _list
    sqs._HANDLERS["CancelMessageMoveTask"] = _cancel


def _start(data: Fields, _url: str) -> Fields:
    source_arn, target_arn = str(data.get("SourceArn") or ""), data.get("DestinationArn")
    source = _queue(source_arn, "SourceArn")
    if not _is_dead_letter_queue(source_arn):
        raise sqs._Err("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
    target = _queue(str(target_arn), "DestinationArn") if target_arn else None
    now = time.time()
    waiting = [message for message in source["messages"] if message["visible_at"] <= now]
    task: Fields = {
        "TaskHandle": new_uuid(),
        "Status": "COMPLETED",
        "SourceArn": source_arn,
        **({"DestinationArn": target_arn} if target_arn else {}),
        "ApproximateNumberOfMessagesMoved": 0,
        "ApproximateNumberOfMessagesToMove": len(waiting),
        "StartedTimestamp": int(now * 1000),
    }
    for message in waiting:
        origin = message.get("sys", {}).get("DeadLetterQueueSourceArn")
        destination = target or (sqs._queue_by_arn(origin) if origin else None)
        if destination is None:
            task.update(Status="FAILED", FailureReason=_NO_SOURCE)
            break
        source["messages"].remove(message)
        destination["messages"].append(_moved(message, now))
        task["ApproximateNumberOfMessagesMoved"] += 1
    sqs.esm_wake.set()
    _tasks.insert(0, task)
    return {"TaskHandle": task["TaskHandle"]}


def _list(data: Fields, _url: str) -> Fields:
    source_arn, most = str(data.get("SourceArn") or ""), int(data.get("MaxResults") or 1)
    _queue(source_arn, "SourceArn")
    found = [task for task in _tasks if task["SourceArn"] == source_arn][: min(most, _MAX_RESULTS)]
    # "TaskHandle is only populated for tasks that are in RUNNING status."
    return {"Results": [{key: value for key, value in task.items() if key != "TaskHandle"} for task in found]}


def _cancel(data: Fields, _url: str) -> Fields:
    # "A message movement can only be cancelled when the current status is RUNNING."
    raise sqs._Err("ResourceNotFoundException", f"There is no running task {data.get('TaskHandle')!r}.", 404)


def _moved(message: Fields, now: float) -> Fields:
    # "Redriven messages are considered new messages with a new messageID and enqueueTime."
    kept = {key: value for key, value in message["sys"].items() if key != "DeadLetterQueueSourceArn"}
    return {
        **message,
        "id": new_uuid(),
        "receipt_handle": None,
        "sent_at": now,
        "enqueued_at": now,
        "visible_at": now,
        "receive_count": 0,
        "first_receive_at": None,
        "sys": {**kept, "SentTimestamp": str(int(now * 1000))},
    }


def _queue(arn: str, field: str) -> Fields:
    queue: Fields | None = sqs._queue_by_arn(arn)
    if queue is None:
        message = f"The resource that you specified for the {field} parameter doesn't exist."
        raise sqs._Err("ResourceNotFoundException", message, 404)
    return queue


def _is_dead_letter_queue(arn: str) -> bool:
    for queue in sqs._queues.values():
        policy = queue["attributes"].get("RedrivePolicy")
        if policy and json.loads(policy).get("deadLetterTargetArn") == arn:
            return True
    return False
