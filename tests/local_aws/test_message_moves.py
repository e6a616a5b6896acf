"""SQS's move task, the log line of an uncaught error, and the state of a disabled mapping."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.account import Account
from tests.support.local_aws import template
from tests.support.waiting import wait_for

HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def queues(aws: Account) -> Iterator[tuple[Any, dict[str, str], dict[str, str]]]:
    """SQS, and the URLs and ARNs of a work queue and its dead-letter queue."""
    sqs = aws.client("sqs")
    urls = {"dead": sqs.create_queue(QueueName="moves-dead")["QueueUrl"]}
    arns = {"dead": _arn(sqs, urls["dead"])}
    policy = json.dumps({"deadLetterTargetArn": arns["dead"], "maxReceiveCount": "1"})
    urls["work"] = sqs.create_queue(QueueName="moves-work", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    arns["work"] = _arn(sqs, urls["work"])
    yield sqs, urls, arns
    for url in urls.values():
        sqs.delete_queue(QueueUrl=url)


def _arn(sqs: Any, url: str) -> str:
    return str(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"])


def _received(sqs: Any, url: str) -> list[Any]:
    asked = sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"], VisibilityTimeout=0)
    return list(asked.get("Messages", []))


def _die(sqs: Any, urls: dict[str, str]) -> None:
    """Lets a message of the work queue become a dead-letter message."""
    traced = {"AWSTraceHeader": {"DataType": "String", "StringValue": HEADER}}
    sqs.send_message(QueueUrl=urls["work"], MessageBody="dead", MessageSystemAttributes=traced)
    wait_for(lambda: _received(sqs, urls["work"]) and not _received(sqs, urls["work"]))


def test_a_dead_letter_queue_with_one_of_its_own(aws: Account, queues: Any) -> None:
    sqs, urls, arns = queues
    last = sqs.create_queue(QueueName="moves-last")["QueueUrl"]
    policy = json.dumps({"deadLetterTargetArn": _arn(sqs, last), "maxReceiveCount": "1"})
    sqs.set_queue_attributes(QueueUrl=urls["dead"], Attributes={"RedrivePolicy": policy})
    _die(sqs, urls)
    # It is given once more here, though it was given once before.
    [dead] = _received(sqs, urls["dead"])
    assert dead["Attributes"]["ApproximateReceiveCount"] == "1"
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == arns["work"]
    assert _received(sqs, urls["dead"]) == []
    [moved] = _received(sqs, last)
    assert moved["Attributes"]["DeadLetterQueueSourceArn"] == arns["dead"]
    assert moved["Attributes"]["AWSTraceHeader"] == HEADER
    sqs.delete_queue(QueueUrl=last)


def test_a_letter_goes_back_to_its_queue_as_a_new_message(queues: Any) -> None:
    sqs, urls, arns = queues
    _die(sqs, urls)
    [dead] = _received(sqs, urls["dead"])
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == arns["work"]
    sqs.start_message_move_task(SourceArn=arns["dead"])
    [task] = sqs.list_message_move_tasks(SourceArn=arns["dead"])["Results"]
    assert (task["Status"], task["ApproximateNumberOfMessagesMoved"]) == ("COMPLETED", 1)
    assert _received(sqs, urls["dead"]) == []
    [message] = _received(sqs, urls["work"])
    assert message["MessageId"] != dead["MessageId"]
    assert message["Attributes"]["AWSTraceHeader"] == HEADER
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_letter_no_queue_put_there_fails_the_task_and_stays(queues: Any) -> None:
    sqs, urls, arns = queues
    sqs.send_message(QueueUrl=urls["dead"], MessageBody="not delivered")
    sqs.start_message_move_task(SourceArn=arns["dead"])
    [task] = sqs.list_message_move_tasks(SourceArn=arns["dead"])["Results"]
    assert (task["Status"], task["FailureReason"]) == ("FAILED", "CouldNotDetermineMessageSource")
    assert [message["Body"] for message in _received(sqs, urls["dead"])] == ["not delivered"]


def test_only_dead_letter_queues_can_be_moved_from(queues: Any) -> None:
    sqs, _, arns = queues
    with pytest.raises(sqs.exceptions.ClientError, match="must be configured as a Dead Letter Queue"):
        sqs.start_message_move_task(SourceArn=arns["work"])
    with pytest.raises(sqs.exceptions.ClientError, match="does not exist"):
        sqs.start_message_move_task(SourceArn=f"{arns['work']}-gone")


def test_an_uncaught_error_is_in_the_log_and_a_disabled_mapping_says_so(aws: Account) -> None:
    resources = {
        "Role": template.hops()["Resources"]["Role"],
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Raising": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Code": {"ZipFile": 'def handler(event, context):\n    raise ValueError("no id")\n'},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Raising"},
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "Enabled": False,
            },
        },
    }
    outputs = {name: {"Value": {"Ref": name}} for name in ("Raising", "Mapping")}
    deployed = aws.deploy("raising", {"Resources": resources, "Outputs": outputs})
    functions, logs = aws.client("lambda"), aws.client("logs")
    assert functions.get_event_source_mapping(UUID=deployed["Mapping"])["State"] == "Disabled"
    functions.invoke(FunctionName=deployed["Raising"])
    group = f"/aws/lambda/{deployed['Raising']}"
    lines = wait_for(lambda: [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]])
    assert "[ERROR] ValueError: no id" in lines
