"""Alarms that somebody has to act on; each description says what is wrong and what to do next.

A description is what a notification shows, so that it names things as they are called once they are deployed. It has
1024 characters at most: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from aws_cdk import Duration, Token, Tokenization
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from .api_metrics import ApiMetrics
from .function_metrics import FunctionMetrics
from .queue_metrics import QueueMetrics
from .stacks import outermost_stack

_ABOVE = cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD
# SQS, Lambda and API Gateway send a metric each minute:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html
_MINUTE = Duration.minutes(1)
_LASTING_MINUTES = 5
_OF_THEM = 3
"""How many of the last minutes must be bad, where a single one mends itself: what fails is tried again."""
_LASTS = f"in {_OF_THEM} of the last {_LASTING_MINUTES} minutes"


def dead_letter_alarm(worker: QueueMetrics, construct_id: str, queue: sqs.IQueue) -> cloudwatch.Alarm:
    """Creates the alarm on messages in a dead-letter queue: each was accepted, and is not done.

    Args:
        worker: The worker, inside which it is created.
        construct_id: Id of the alarm.
        queue: Its dead-letter queue.
    """
    metric = worker.metric_dead_letter_messages(period=_MINUTE, statistic="Maximum")
    description = (
        f"Messages are in the dead-letter queue {queue.queue_name}: their requests were accepted and are not done. "
        f"See why: {_command('failed', queue)} lists them, with the trace and the cause of each. When the cause is "
        f"gone, {_command('redrive', queue)} sends them back. SQS deletes what is left when the queue's retention "
        "period ends."
    )
    return _alarm(worker, construct_id, metric, above=0, description=description, minutes=1)


def waiting_alarm(scope: Construct, construct_id: str, worker: QueueMetrics, longest: Duration) -> cloudwatch.Alarm:
    """Creates the alarm on the age of a queue's oldest message: its worker does not keep up, or does not work."""
    seconds, queue = longest.to_seconds(), worker.queue
    metric = worker.metric_approximate_age_of_oldest_message(period=_MINUTE, statistic="Maximum")
    description = (
        f"The oldest message in the queue {queue.queue_name} was older than {_shown(seconds)} s {_LASTS}: its worker "
        f"is too slow, throttled, failing or not running. {_command('failed', queue)} counts what waits and what is "
        f"tried again; {_command('verify', queue)} sends a real request and names what stops it."
    )
    return _alarm(scope, construct_id, metric, above=seconds, description=description)


def errors_alarm(scope: Construct, construct_id: str, worker: FunctionMetrics, *, causes: str) -> cloudwatch.Alarm:
    """Creates the alarm on failed invocations of a worker's function, if they last.

    Args:
        scope: Where to create it.
        construct_id: Id of the alarm.
        worker: The worker.
        causes: Where the exceptions can be read, as in `the log group /aws/lambda/x`.
    """
    function = worker.function
    metric = worker.metric_errors(period=_MINUTE, statistic="Sum")
    description = (
        f"Invocations of the function {function.function_name} failed {_LASTS}. Their messages are tried again, and "
        f"become dead-letter messages when that does not help. See why: {causes} has the exceptions and their trace "
        "ids, and `traced-pipeline trace TRACE_ID` shows the request; "
        f"{_command('failed', function)} lists what is a dead-letter message already."
    )
    return _alarm(scope, construct_id, metric, above=0, description=description)


def throttles_alarm(scope: Construct, construct_id: str, worker: FunctionMetrics) -> cloudwatch.Alarm:
    """Creates the alarm on throttled invocations of a worker's function, if they last: concurrency is used up."""
    function = worker.function
    metric = worker.metric_throttles(period=_MINUTE, statistic="Sum")
    # A throttled message counts as received: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    description = (
        f"Lambda throttled the function {function.function_name} {_LASTS}: its reserved concurrency, or that of the "
        "account, is used up. Throttled messages are tried again, and may become dead-letter messages. Give the "
        "function more concurrency, or let its event source mapping use less than it has (max_concurrency); "
        f"{_command('verify', function)} says if the function is stopped by a reserved concurrency of 0."
    )
    return _alarm(scope, construct_id, metric, above=0, description=description)


def server_errors_alarm(scope: Construct, construct_id: str, ingest: ApiMetrics, fraction: float) -> cloudwatch.Alarm:
    """Creates the alarm on the fraction of requests that an API answers with 5xx."""
    stage = ingest.stage
    metric = ingest.metric_server_error(period=_MINUTE, statistic="Average")
    known = not Token.is_unresolved(fraction)
    many = f"{_shown(fraction * 100)} %" if known else f"a fraction of {_shown(fraction)}"
    description = (
        f"The API {_name(stage)} answered more than {many} of its requests with 5xx {_LASTS}; "
        f"their senders have to repeat them. {_command('verify', stage)} sends a real request and names the hop that "
        f"fails, and why; {_command('trace --latest', stage)} shows the latest ones."
    )
    return _alarm(scope, construct_id, metric, above=fraction, description=description)


def latency_alarm(scope: Construct, construct_id: str, ingest: ApiMetrics, longest: Duration) -> cloudwatch.Alarm:
    """Creates the alarm on the time that the slowest hundredth of an API's requests takes."""
    stage = ingest.stage
    metric = ingest.metric_latency(period=_MINUTE, statistic="p99")
    milliseconds = longest.to_milliseconds()
    description = (
        f"The slowest hundredth of the requests to the API {_name(stage)} took longer than {_shown(milliseconds)} ms "
        f"(p99) {_LASTS}. {_command('trace --latest', stage, '--count 20')} shows in which hop the time is spent."
    )
    return _alarm(scope, construct_id, metric, above=milliseconds, description=description)


def _shown(number: float) -> str:
    """Returns a number as a person writes it; one that is known at deployment only is filled in then."""
    if Token.is_unresolved(number):
        return Tokenization.stringify_number(number)
    return str(int(number)) if number == int(number) else f"{number:g}"


def _command(command: str, part: IConstruct, options: str = "") -> str:
    """Returns a command line on the stack of a part, as it is typed."""
    return f"`{' '.join(filter(None, ('traced-pipeline', command, outermost_stack(part).stack_name, options)))}`"


def _name(stage: apigateway.Stage) -> str:
    """Returns a stage's name in X-Ray and in the traces that the command line shows."""
    return f"{stage.rest_api.rest_api_name}/{stage.stage_name}"


def _alarm(
    scope: Construct,
    construct_id: str,
    metric: cloudwatch.Metric,
    *,
    above: float,
    description: str,
    minutes: int = _LASTING_MINUTES,
) -> cloudwatch.Alarm:
    return metric.create_alarm(
        scope,
        construct_id,
        alarm_description=description,
        threshold=above,
        comparison_operator=_ABOVE,
        evaluation_periods=minutes,
        datapoints_to_alarm=min(minutes, _OF_THEM),
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
