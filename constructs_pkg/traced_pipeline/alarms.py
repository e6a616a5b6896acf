"""Alarms that somebody has to act on, each with what it means."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
# SQS, Lambda and API Gateway send a metric each minute:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
_MINUTE = Duration.minutes(1)
_LASTING_MINUTES = 5
_OF_THEM = 3
"""How many of the last minutes must be bad, where a single one mends itself: what fails is tried again."""


def dead_letters_alarm(scope: Construct, construct_id: str, queue: sqs.IQueue) -> cloudwatch.Alarm:
    """Creates the alarm on messages in a dead-letter queue: each was accepted, and is not done.

    Args:
        scope: Where to create it.
        construct_id: Id of the alarm.
        queue: The dead-letter queue.
    """
    metric = queue.metric_approximate_number_of_messages_visible(period=_MINUTE, statistic="Maximum")
    meaning = f"Messages are in the dead-letter queue {queue.node.path}: accepted, and not processed."
    return _alarm(scope, construct_id, metric, above=0, meaning=meaning, minutes=1)


def waiting_alarm(scope: Construct, construct_id: str, queue: sqs.IQueue, longest: Duration) -> cloudwatch.Alarm:
    """Creates the alarm on the age of a queue's oldest message: its worker does not keep up, or does not work."""
    metric = queue.metric_approximate_age_of_oldest_message(period=_MINUTE, statistic="Maximum")
    meaning = f"Messages wait in the queue {queue.node.path} for longer than accepted: its worker does not keep up."
    return _alarm(scope, construct_id, metric, above=longest.to_seconds(), meaning=meaning)


def errors_alarm(scope: Construct, construct_id: str, function: lambda_.IFunction) -> cloudwatch.Alarm:
    """Creates the alarm on failed invocations of a function, if they last."""
    metric = function.metric_errors(period=_MINUTE, statistic="Sum")
    meaning = f"Invocations of {function.node.path} fail, minute after minute."
    return _alarm(scope, construct_id, metric, above=0, meaning=meaning)


def throttles_alarm(scope: Construct, construct_id: str, function: lambda_.IFunction) -> cloudwatch.Alarm:
    """Creates the alarm on throttled invocations of a function, if they last: concurrency is used up."""
    metric = function.metric_throttles(period=_MINUTE, statistic="Sum")
    meaning = f"Lambda throttles {function.node.path}, minute after minute: its concurrency is used up."
    return _alarm(scope, construct_id, metric, above=0, meaning=meaning)


def server_errors_alarm(
    scope: Construct, construct_id: str, stage: apigateway.Stage, fraction: float
) -> cloudwatch.Alarm:
    """Creates the alarm on the fraction of requests that an API answers with 5xx."""
    metric = stage.metric_server_error(period=_MINUTE, statistic="Average")
    meaning = f"The API {stage.node.path} answers more requests with 5xx than accepted."
    return _alarm(scope, construct_id, metric, above=fraction, meaning=meaning)


def latency_alarm(scope: Construct, construct_id: str, stage: apigateway.Stage, longest: Duration) -> cloudwatch.Alarm:
    """Creates the alarm on the time that the slowest hundredth of an API's requests takes."""
    metric = stage.metric_latency(period=_MINUTE, statistic="p99")
    meaning = f"The slowest hundredth of the requests to {stage.node.path} takes longer than accepted."
    return _alarm(scope, construct_id, metric, above=longest.to_milliseconds(), meaning=meaning)


def _alarm(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.Metric,
    *,
    above: float,
    meaning: str,
    minutes: int = _LASTING_MINUTES,
) -> cloudwatch.Alarm:
    return metric.create_alarm(
        scope,
        construct_id,
        alarm_description=meaning,
        threshold=above,
        comparison_operator=_ABOVE,
        evaluation_periods=minutes,
        datapoints_to_alarm=min(minutes, _OF_THEM),
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
