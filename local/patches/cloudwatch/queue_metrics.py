"""CloudWatch: what SQS publishes about its queues, which MiniStack leaves out.

Source: SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS": names, units and the dimension `QueueName`;
and "Setting-up dead-letter queue retention": in a dead-letter queue the age counts from the move. SQS counts once a
minute; here a minute holds several counts. That SQS leaves out a message which was received more than three times is
not modelled.
"""

import time
from typing import Any

from ministack.services import sqs

from local.patches.cloudwatch import datapoints
from local.patches.sqs.dead_letters import MOVED_AT

Fields = dict[str, Any]


def publish() -> None:
    """Counts the messages of every queue now."""
    now = time.time()
    for queue in list(sqs._queues.values()):
        messages: list[Fields] = list(queue["messages"])
        visible = sum(message["visible_at"] <= now for message in messages)
        delayed = sum(message["visible_at"] > now and message["receive_count"] == 0 for message in messages)
        oldest = min((float(message.get(MOVED_AT) or message["sent_at"]) for message in messages), default=now)
        dimensions = {"QueueName": queue["attributes"]["QueueArn"].rsplit(":", 1)[-1]}
        for name, value, unit in (
            ("ApproximateNumberOfMessagesVisible", visible, "Count"),
            ("ApproximateNumberOfMessagesNotVisible", len(messages) - visible - delayed, "Count"),
            ("ApproximateNumberOfMessagesDelayed", delayed, "Count"),
            ("ApproximateAgeOfOldestMessage", int(now - oldest), "Seconds"),
        ):
            datapoints.add("AWS/SQS", name, dimensions, float(value), unit)
