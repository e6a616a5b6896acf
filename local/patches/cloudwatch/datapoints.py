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
_Key = tuple[str, str, str]

_MINUTE = 60

_lock = threading.Lock()
_of_this_minute: dict[_Key, tuple[float, dict[float, Fields]]] = {}
"""By metric, the minute under way and its datapoints, by value."""


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
        known, points = _of_this_minute.get(key, (0.0, {}))
        if known != minute:
            points = {}
            _of_this_minute[key] = (minute, points)
        if value in points:
            points[value]["Count"] += 1.0
            return
        points[value] = {
            "Timestamp": minute,
            "Value": value,
            "Count": 1.0,
            "Unit": unit,
            "Dimensions": dict(dimensions),
        }
        cloudwatch._metric_bucket(key).append(points[value])
