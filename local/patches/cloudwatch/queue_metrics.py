"""CloudWatch: what SQS publishes about its queues, which MiniStack leaves out.

Source: SQS Developer Guide, "Available CloudWatch metrics for Amazon SQS": names, units and the dimension `QueueName`.
SQS counts once a minute; here a minute holds the extremes of several counts. The age is that of the oldest message by
the time it was sent, in a dead-letter queue too: assumed. That SQS leaves out a message which was received more than
three times is not modelled.
"""

import time
from typing import Any

from ministack.services import cloudwatch, sqs

Fields = dict[str, Any]

_NAMESPACE = "AWS/SQS"
_PERIOD = 60


def publish() -> None:
    """Counts the messages of every queue now."""
    now = time.time()
    for queue in list(sqs._queues.values()):
        messages: list[Fields] = list(queue["messages"])
        visible = sum(message["visible_at"] <= now for message in messages)
        delayed = sum(message["visible_at"] > now and message["receive_count"] == 0 for message in messages)
        oldest = min((float(message.get("enqueued_at") or message["sent_at"]) for message in messages), default=now)
        for name, value, unit in (
            ("ApproximateNumberOfMessagesVisible", visible, "Count"),
            ("ApproximateNumberOfMessagesNotVisible", len(messages) - visible - delayed, "Count"),
            ("ApproximateNumberOfMessagesDelayed", delayed, "Count"),
            ("ApproximateAgeOfOldestMessage", now - oldest, "Seconds"),
        ):
            _count(queue["attributes"]["QueueArn"].rsplit(":", 1)[-1], name, float(value), unit, now)


def _count(queue_name: str, metric: str, value: float, unit: str, now: float) -> None:
    """Adds a value to the datapoint of its minute, so that a day leaves no more of them than on AWS."""
    dimensions = {"QueueName": queue_name}
    points: list[Fields] = cloudwatch._metric_bucket((_NAMESPACE, metric, cloudwatch._dims_key(dimensions)))
    minute = now - now % _PERIOD
    if points and points[-1]["Timestamp"] == minute and "_stat" in points[-1]:
        known = points[-1]["_stat"]
        known["SampleCount"] += 1
        known["Sum"] += value
        known["Minimum"], known["Maximum"] = min(known["Minimum"], value), max(known["Maximum"], value)
        points[-1]["Value"] = known["Sum"] / known["SampleCount"]
        return
    points.append(
        {
            "Timestamp": minute,
            "Value": value,
            "Unit": unit,
            "Dimensions": dimensions,
            "_stat": {"SampleCount": 1.0, "Sum": value, "Minimum": value, "Maximum": value},
        }
    )
