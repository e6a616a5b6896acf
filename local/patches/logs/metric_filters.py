"""CloudWatch Logs: metric filters make metrics of log events, which MiniStack only keeps.

Sources: CloudWatch Logs User Guide, "Creating metrics from log events using filters"; CloudWatch Logs API Reference,
"MetricTransformation". The patterns: `local.filter_patterns`. The default value of a metric is not modelled. Assumed: a
datapoint is of the time at which the event came, and an event whose value is no number makes none.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core.responses import error_response_json
from ministack.services import cloudwatch_logs

from local.filter_patterns import PatternError, compile_pattern, value_at
from local.patches.cloudwatch import datapoints

Fields = dict[str, Any]


def install() -> None:
    """Publishes the metrics of what functions and clients log; before `system_logs`, which changes some of it."""
    put, fan_out = cloudwatch_logs._put_metric_filter, cloudwatch_logs._fanout_to_subscription_filters

    def put_known(data: Fields) -> Any:
        try:
            compile_pattern(str(data.get("filterPattern") or ""))
        except PatternError as problem:
            return error_response_json("InvalidParameterException", f"The local AWS: {problem}", 400)
        return put(data)

    def fan_out_and_count(group: str, stream: str, events: Sequence[Fields]) -> None:
        for (filtered, _), definition in list(cloudwatch_logs._metric_filters.items()):
            if filtered == group:
                _count(definition, events)
        fan_out(group, stream, events)

    cloudwatch_logs._put_metric_filter = put_known
    cloudwatch_logs._fanout_to_subscription_filters = fan_out_and_count


def _count(definition: Fields, events: Sequence[Fields]) -> None:
    match = compile_pattern(str(definition["filterPattern"]))
    for message in (str(event["message"]) for event in events):
        if not match(message):
            continue
        for transformation in definition["metricTransformations"]:
            _publish(transformation, message)


def _publish(transformation: Mapping[str, Any], message: str) -> None:
    value = _resolved(str(transformation["metricValue"]), message)
    dimensions = {name: _resolved(path, message) for name, path in (transformation.get("dimensions") or {}).items()}
    try:
        number = float(str(value))
    except ValueError:
        return
    if None not in dimensions.values():
        datapoints.add(
            str(transformation["metricNamespace"]),
            str(transformation["metricName"]),
            {name: str(found) for name, found in dimensions.items()},
            number,
            str(transformation.get("unit") or "None"),
        )


def _resolved(value: str, message: str) -> object:
    return value_at(value, message) if value.startswith("$") else value
