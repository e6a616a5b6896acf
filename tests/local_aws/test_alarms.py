"""Alarms of the local AWS: by their own metric, over several minutes, if the topic admits them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.account import Account
from tests.support.waiting import wait_for

_THREE_OF_FIVE = {"EvaluationPeriods": 5, "DatapointsToAlarm": 3, "TreatMissingData": "notBreaching"}
NewAlarm = Callable[..., str]


@pytest.fixture
def cloudwatch(aws: Account) -> Any:
    return aws.client("cloudwatch")


@pytest.fixture
def new_alarm(cloudwatch: Any) -> NewAlarm:
    """Makes an alarm on the value above 5 of a metric that has its name as dimension."""

    def make(**settings: Any) -> str:
        name = f"alarm-{uuid.uuid4().hex}"
        default = {"EvaluationPeriods": 1, "TreatMissingData": "notBreaching", "Statistic": "Maximum"}
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Shop",
            MetricName="Waiting",
            Dimensions=[{"Name": "Alarm", "Value": name}],
            Period=60,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
            **{**default, **settings},
        )
        return name

    return make


def publish(cloudwatch: Any, of: str, values: Mapping[int, float]) -> None:
    """Publishes the values of so many minutes ago."""
    now = datetime.now(tz=UTC)
    data = [
        {
            "MetricName": "Waiting",
            "Dimensions": [{"Name": "Alarm", "Value": of}],
            "Timestamp": now - timedelta(minutes=minutes),
            "Value": value,
        }
        for minutes, value in values.items()
    ]
    cloudwatch.put_metric_data(Namespace="Shop", MetricData=data)


def state(cloudwatch: Any, name: str) -> str:
    [alarm] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({5: 9, 3: 9, 1: 9}, "ALARM"),
        ({5: 9, 4: 5, 3: 9, 2: 4, 1: 9}, "ALARM"),
        ({5: 9, 4: 5, 3: 9, 2: 4, 1: 1}, "OK"),
        ({3: 5, 2: 5, 1: 5}, "OK"),
        ({30: 9, 29: 9, 28: 9}, "OK"),
        ({}, "OK"),
    ],
    ids=["three bad minutes", "three of five", "two of five", "at the threshold", "long ago", "no data"],
)
def test_three_bad_minutes_of_five_make_an_alarm(
    cloudwatch: Any, new_alarm: NewAlarm, values: dict[int, float], expected: str
) -> None:
    name = new_alarm(**_THREE_OF_FIVE)
    publish(cloudwatch, name, values)
    assert wait_for(lambda: (found := state(cloudwatch, name)) != "INSUFFICIENT_DATA" and found) == expected


def test_an_alarm_ends_when_the_bad_minutes_are_no_longer_the_last(cloudwatch: Any, new_alarm: NewAlarm) -> None:
    name = new_alarm(**_THREE_OF_FIVE)
    publish(cloudwatch, name, {6: 9, 5: 9, 4: 9})
    wait_for(lambda: state(cloudwatch, name) == "ALARM", what="the alarm")
    publish(cloudwatch, name, {3: 1, 2: 1, 1: 1})
    wait_for(lambda: state(cloudwatch, name) == "OK", what="its end")
    items = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="StateUpdate")["AlarmHistoryItems"]
    assert "Alarm updated from ALARM to OK" in {item["HistorySummary"] for item in items}


def test_a_metric_with_other_dimensions_is_another_metric(cloudwatch: Any, new_alarm: NewAlarm) -> None:
    name, other = new_alarm(), new_alarm()
    publish(cloudwatch, other, {1: 9})
    wait_for(lambda: state(cloudwatch, other) == "ALARM", what="the alarm")
    assert state(cloudwatch, name) != "ALARM"


def test_an_alarm_that_takes_missing_data_for_bad_needs_no_publisher(cloudwatch: Any, new_alarm: NewAlarm) -> None:
    name = new_alarm(TreatMissingData="breaching")
    wait_for(lambda: state(cloudwatch, name) == "ALARM", what="the alarm")


def _topic_with_queue(aws: Account, name: str) -> tuple[str, str]:
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
            }
        ],
    }
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return topic, url


def _only_tls(topic: str, *more: dict[str, Any]) -> str:
    """The policy that the CDK's `enforce_ssl` makes."""
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [deny, *more]})


def test_the_topic_of_an_alarm_is_notified(aws: Account, cloudwatch: Any, new_alarm: NewAlarm) -> None:
    topic, queue = _topic_with_queue(aws, f"paged-{uuid.uuid4().hex[:8]}")
    name = new_alarm(AlarmActions=[topic], AlarmDescription="What to do.")
    publish(cloudwatch, name, {1: 9})
    sqs = aws.client("sqs")
    [message] = wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), what="the notification")
    notice = json.loads(message["Body"])
    assert (notice["AlarmName"], notice["NewStateValue"], notice["AlarmDescription"]) == (name, "ALARM", "What to do.")
    assert "1 out of the last 1 datapoints [9] were greater than the threshold (5)" in notice["NewStateReason"]


def test_a_queue_that_demands_tls_gets_what_an_alarm_notifies_by_itself(aws: Account, new_alarm: NewAlarm) -> None:
    topic, queue = _topic_with_queue(aws, f"tls-{uuid.uuid4().hex[:8]}")
    sqs = aws.client("sqs")
    policy = json.loads(sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"])
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    policy["Statement"].append(
        {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*", "Condition": plain}
    )
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    new_alarm(TreatMissingData="breaching", AlarmActions=[topic])
    wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), what="the notification")


def test_a_topic_whose_policy_keeps_alarms_out_is_not_notified(
    aws: Account, cloudwatch: Any, new_alarm: NewAlarm
) -> None:
    topic, queue = _topic_with_queue(aws, f"closed-{uuid.uuid4().hex[:8]}")
    sns, sqs = aws.client("sns"), aws.client("sqs")
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=_only_tls(topic))
    name = new_alarm(AlarmActions=[topic])
    publish(cloudwatch, name, {1: 9})
    wait_for(lambda: state(cloudwatch, name) == "ALARM", what="the alarm")
    [item] = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    assert f"is not authorized to perform: SNS:Publish on resource: {topic}" in item["HistorySummary"]
    assert sqs.receive_message(QueueUrl=queue).get("Messages") is None
    arn = f"arn:aws:cloudwatch:{aws.facts.region}:{aws.facts.account}:alarm:*"
    admit = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic,
        "Condition": {"ArnLike": {"aws:SourceArn": arn}},
    }
    sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=_only_tls(topic, admit))
    other = new_alarm(AlarmActions=[topic])
    publish(cloudwatch, other, {1: 9})
    wait_for(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"), what="the notification")
