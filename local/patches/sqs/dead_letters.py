"""SQS: a dead-letter queue may have one of its own, since each queue counts how often it gives a message.

Source: SQS API Reference, "CreateQueue": `maxReceiveCount` is "the number of times a message is delivered to the source
queue before being moved to the dead-letter queue". That a message passes a chain of three queues with an attempt in
each is reported in localstack/localstack, issue 5225.

Assumed: `DeadLetterQueueSourceArn` names the queue that the message was in last.
"""

import json
import time
from typing import Any

from ministack.services import sqs

Fields = dict[str, Any]

MOVED_AT = "moved_at"
"""The field of a message with the time at which a queue moved it here, in seconds since 1970."""


def install() -> None:
    """Lets a message that is moved begin anew in the dead-letter queue."""
    sweep = sqs._dlq_sweep

    def sweep_and_begin_anew(queue: Fields) -> None:
        before = {message["id"] for message in queue["messages"]}
        sweep(queue)
        moved = before - {message["id"] for message in queue["messages"]}
        for message in _dead_letters(queue) if moved else ():
            if message["id"] in moved:
                message["receive_count"] = 0
                message["first_receive_at"] = None
                message[MOVED_AT] = time.time()
                message["sys"]["DeadLetterQueueSourceArn"] = queue["attributes"].get("QueueArn", "")

    sqs._dlq_sweep = sweep_and_begin_anew


def _dead_letters(queue: Fields) -> list[Fields]:
    policy = json.loads(queue["attributes"]["RedrivePolicy"])
    target: Fields | None = sqs._queue_by_arn(policy["deadLetterTargetArn"])
    return [] if target is None else target["messages"]
