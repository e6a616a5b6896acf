"""What services publish in CloudWatch of the local AWS: of queues, functions and APIs."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.support.account import Account
from tests.support.local_aws.functions import archive, invoke, role
from tests.support.waiting import wait_for


def statistic(aws: Account, of: str, metric: str, **dimensions: str) -> dict[str, float]:
    """The sum, the count and the maximum of a metric's datapoints of the last minutes."""
    namespace = f"AWS/{of}"
    now = time.time()
    points = aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
        StartTime=now - 3600,
        EndTime=now + 60,
        Period=60,
        Statistics=["Sum", "SampleCount", "Maximum"],
    )["Datapoints"]
    return {
        "sum": sum(point["Sum"] for point in points),
        "count": sum(point["SampleCount"] for point in points),
        "highest": max((point["Maximum"] for point in points), default=-1.0),
    }


def test_a_queue_publishes_its_messages_and_their_age(aws: Account) -> None:
    sqs, name = aws.client("sqs"), f"counted-{uuid.uuid4().hex[:8]}"
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    for delay in (0, 0, 0, 900):
        sqs.send_message(QueueUrl=queue, MessageBody="{}", DelaySeconds=delay)
    sqs.receive_message(QueueUrl=queue, VisibilityTimeout=900)

    def highest(metric: str) -> float:
        return statistic(aws, "SQS", metric, QueueName=name)["highest"]

    wait_for(lambda: highest("ApproximateNumberOfMessagesNotVisible") == 1, what="the message in flight")
    wait_for(lambda: highest("ApproximateNumberOfMessagesVisible") >= 2, what="the visible messages")
    wait_for(lambda: highest("ApproximateNumberOfMessagesDelayed") == 1, what="the delayed message")
    wait_for(lambda: 0 < highest("ApproximateAgeOfOldestMessage") < 300, what="the age of the oldest one")


def test_a_function_publishes_each_invocation_once(aws: Account) -> None:
    name = f"counted-{uuid.uuid4().hex[:8]}"
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(aws, name),
        Handler="app.handler",
        Code={"ZipFile": archive(app="def handler(event, context):\n    raise ValueError(1)\n")},
    )
    invoke(aws, name)
    invoke(aws, name)
    sums = {
        metric: statistic(aws, "Lambda", metric, FunctionName=name)["sum"]
        for metric in ("Invocations", "Errors", "Throttles")
    }
    assert sums == {"Invocations": 2, "Errors": 2, "Throttles": 0}
    assert statistic(aws, "Lambda", "Duration", FunctionName=name)["count"] == 2


def test_a_function_that_is_stopped_publishes_throttles_and_no_invocation(aws: Account) -> None:
    name = f"stopped-{uuid.uuid4().hex[:8]}"
    functions = aws.client("lambda")
    functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role(aws, name),
        Handler="app.handler",
        Code={"ZipFile": archive(app="def handler(event, context):\n    return 1\n")},
    )
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(functions.exceptions.TooManyRequestsException):
        functions.invoke(FunctionName=name)
    assert statistic(aws, "Lambda", "Throttles", FunctionName=name)["sum"] == 1
    assert statistic(aws, "Lambda", "Invocations", FunctionName=name)["count"] == 0


def test_an_api_publishes_each_request_for_itself_and_for_its_stage(aws: Account, stack: dict[str, str]) -> None:
    def counted() -> list[float]:
        return [
            statistic(aws, "ApiGateway", metric, ApiName="Hops", **more)["count"]
            for metric in ("Count", "4XXError", "5XXError", "Latency")
            for more in ({}, {"Stage": "plain"})
        ]

    before = counted()
    assert aws.post(f"{stack['ApiId']}/plain/")[0] == 200
    assert counted() == [count + 1 for count in before]
    assert statistic(aws, "ApiGateway", "5XXError", ApiName="Hops", Stage="plain")["sum"] == 0
