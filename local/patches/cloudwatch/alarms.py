"""CloudWatch: alarms are evaluated as documented, and notify the topics that admit them.

MiniStack compares one statistic over all metrics of a name, whatever their dimensions, and only when somebody publishes
a metric.

Sources: `local.alarm_states` for the states; CloudWatch User Guide, "Using Amazon CloudWatch alarms"; AWS re:Post, "Why
didn't I receive an SNS notification for my CloudWatch alarm trigger?", for the topic's policy and the history's text;
SNS Developer Guide, "Managing Amazon SNS encryption keys and costs", for its key.

The period under way counts as soon as it has a datapoint, so that nobody has to wait for its end, unless the alarm is
on small values, which every period begins with.
"""

import time
from typing import Any

from ministack.core.iam_evaluator import EvalContext, evaluate_resource_policy
from ministack.core.responses import get_account_id, get_region
from ministack.services import cloudwatch, sns

from local.alarm_states import Rule, evaluate
from local.patches.kms import key_of, service_may

Fields = dict[str, Any]

_SERVICE = "cloudwatch.amazonaws.com"
_KEY_ACTIONS = ("kms:GenerateDataKey", "kms:Decrypt")


def install() -> None:
    """Evaluates alarms by their own metric, period by period, and asks the topic before it is notified."""
    notify = cloudwatch._dispatch_alarm_actions

    def notify_where_admitted(alarm: Fields, old: str, new: str, reason: str) -> None:
        field = {"ALARM": "AlarmActions", "OK": "OKActions"}.get(new, "InsufficientDataActions")
        actions: list[str] = list(alarm.get(field) or ())
        problems = {topic: problem for topic in actions if (problem := _problem(alarm, topic))}
        for topic, problem in problems.items():
            _record_failure(alarm, topic, problem)
        notify({**alarm, field: [topic for topic in actions if topic not in problems]}, old, new, reason)

    cloudwatch._dispatch_alarm_actions = notify_where_admitted
    cloudwatch._evaluate_alarm = _evaluate_alarm


def evaluate_all() -> None:
    """Evaluates every alarm; CloudWatch does so once a minute."""
    cloudwatch._evaluate_all_alarms()


def _evaluate_alarm(alarm: Fields) -> None:
    rule = Rule(
        threshold=float(alarm["Threshold"]),
        comparison=str(alarm["ComparisonOperator"]),
        periods=int(alarm["EvaluationPeriods"]),
        datapoints=int(alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]),
        missing=_missing(alarm),
    )
    if not rule.supported or not alarm.get("MetricName"):
        return
    state: str = alarm["StateValue"]
    outcome = evaluate(rule, _datapoints(alarm, rule), state)
    if outcome.state == state:
        return
    alarm["StateValue"], alarm["StateReason"] = outcome.state, outcome.reason
    alarm["StateUpdatedTimestamp"] = int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], state, outcome.state, outcome.reason)
    cloudwatch._dispatch_alarm_actions(alarm, state, outcome.state, outcome.reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _missing(alarm: Fields) -> str:
    # "Alarms that evaluate metrics in the AWS/DynamoDB namespace always ignore missing data".
    return "ignore" if alarm.get("Namespace") == "AWS/DynamoDB" else str(alarm.get("TreatMissingData") or "missing")


def _datapoints(alarm: Fields, rule: Rule) -> list[float | None]:
    """Returns the datapoints of the evaluation range, the oldest first."""
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions") or ()}
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    unit, period = alarm.get("Unit"), int(alarm["Period"])
    now = int(time.time() // period)
    by_period: dict[int, list[Fields]] = {}
    for point in list(cloudwatch._metrics.get(key) or ()):
        number = int(point["Timestamp"] // period)
        if now - rule.range <= number <= now and unit in (None, point["Unit"]):
            by_period.setdefault(number, []).append(point)
    under_way = now in by_period and rule.comparison.startswith("Greater")
    last = now if under_way else now - 1
    statistic = str(alarm.get("ExtendedStatistic") or alarm.get("Statistic"))
    return [_value(by_period.get(number), statistic) for number in range(last - rule.range + 1, last + 1)]


def _value(points: list[Fields] | None, statistic: str) -> float | None:
    if not points:
        return None
    value: float | None = cloudwatch._stat_value(cloudwatch._calc_stats(points), statistic, points)
    return value


def _problem(alarm: Fields, topic_arn: str) -> str | None:
    """Returns why a topic is not notified; None where it is."""
    topic = sns._topic_by_arn_any_scope(topic_arn)
    if topic is None:
        return None
    source = {
        "aws:sourcearn": alarm["AlarmArn"],
        "aws:sourceaccount": get_account_id(),
        # The condition of the policy that SNS gives a topic.
        "aws:sourceowner": get_account_id(),
    }
    context = EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action="sns:Publish",
        resource_arn=topic_arn,
        region=get_region(),
        secure_transport=True,
        service_context=source,
    )
    policy = topic["attributes"].get("Policy")
    if evaluate_resource_policy(policy, context, service=_SERVICE).decision != "Allow":
        return f"Resource: {alarm['AlarmArn']} is not authorized to perform: SNS:Publish on resource: {topic_arn}"
    key = key_of(topic["attributes"].get("KmsMasterKeyId"))
    if key and not all(service_may(_SERVICE, key, action, source) for action in _KEY_ACTIONS):
        return f"{_SERVICE} is not authorized to use the key of the topic {topic_arn} (Service: AWSKMS)"
    return None


def _record_failure(alarm: Fields, topic: str, problem: str) -> None:
    summary = f'Failed to execute action {topic}. Received error: "{problem}"'
    cloudwatch._history_entries().append(
        {
            "AlarmName": alarm["AlarmName"],
            "AlarmType": "MetricAlarm",
            "Timestamp": cloudwatch._ts_iso(time.time()),
            "HistoryItemType": "Action",
            "HistorySummary": summary,
            "HistoryData": "{}",
        }
    )
