"""CloudWatch: the datapoints of what services publish, one a minute and value, so that a day of requests takes no room.

MiniStack keeps a datapoint for each request. CloudWatch aggregates too: services send "a set of data points" once a
minute, each value with its count (CloudWatch API Reference, "MetricDatum").
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch

Fields = dict[str, Any]

_MINUTE = 60

_lock = threading.Lock()


def install() -> None:
    """Lets old datapoints be dropped, which copies what is kept, at no time at which one is added."""
    evict = cloudwatch._evict_old_metrics

    def evict_alone() -> None:
        with _lock:
            evict()

    cloudwatch._evict_old_metrics = evict_alone


def add(namespace: str, metric: str, dimensions: Mapping[str, str], value: float, unit: str) -> None:
    """Adds a value to a metric, now.

    Args:
        namespace: Such as `AWS/SQS`.
        metric: The metric's name.
        dimensions: The values of its dimensions, by name.
        value: The value.
        unit: Its unit, such as `Count`.
    """
    key = (namespace, metric, str(cloudwatch._dims_key(dict(dimensions))))
    minute = time.time() // _MINUTE * _MINUTE
    with _lock:
        # The bucket is that of the account and Region under way.
        points: list[Fields] = cloudwatch._metric_bucket(key)
        for point in reversed(points):
            if point["Timestamp"] < minute:
                break
            if (point["Timestamp"], point.get("Value"), point.get("Unit")) == (minute, value, unit):
                point["Count"] = point.get("Count", 1.0) + 1.0
                return
        points.append({"Timestamp": minute, "Value": value, "Count": 1.0, "Unit": unit, "Dimensions": dict(dimensions)})
