import json
from typing import Any

import pytest

from tests.local_aws.conftest import LocalAws
from tests.local_aws.test_hops import fields, receive


def policy(*, principal: str = "sns.amazonaws.com", account: str = "000000000000", topic: str = "*") -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": principal},
        "Action": ["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account},
            "StringLike": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{account}:{topic}"},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def publish(aws: LocalAws, stack: dict[str, str]) -> tuple[dict[str, str], dict[str, str], Any]:
    """Send one request; the ingest function's header, the message's, and the topic's segment if there is one."""
    sqs = aws.client("sqs")
    sqs.purge_queue(QueueUrl=stack["QueueUrl"])
    _, seen, _ = aws.post(f"{stack['ApiId']}/traced/")
    message = receive(sqs, stack["QueueUrl"])
    sqs.delete_message(QueueUrl=stack["QueueUrl"], ReceiptHandle=message["ReceiptHandle"])
    env = fields(seen["env"])
    topics = [document for document in aws.documents(env["Root"]) if document.get("origin") == "AWS::SNS"]
    return env, fields(message["Attributes"]["AWSTraceHeader"]), topics[0] if topics else None


def test_an_admitted_topic_stands_between_publisher_and_queue(
    aws: LocalAws, stack: dict[str, str], policies: Any
) -> None:
    policies.put_resource_policy(PolicyName="topics", PolicyDocument=policy())
    env, header, topic = publish(aws, stack)
    assert topic["name"] == stack["TopicArn"].rsplit(":", 1)[-1]
    assert topic["parent_id"] == env["Parent"]
    delivery = topic["subsegments"][0]
    assert (delivery["name"], delivery["aws"]["queue_url"]) == ("SQS", stack["QueueUrl"])
    assert (header["Root"], header["Parent"], header["Sampled"]) == (env["Root"], delivery["id"], "1")
    assert header["Lineage"] == env["Lineage"]
    inferred = [document for document in aws.documents(env["Root"]) if document.get("inferred")]
    assert [(document["origin"], document["parent_id"]) for document in inferred] == [
        ("AWS::SQS::Queue", delivery["id"])
    ]


@pytest.mark.parametrize(
    "document",
    [
        None,
        policy(principal="events.amazonaws.com"),
        policy(account="111111111111"),
        policy(topic="another-topic"),
    ],
    ids=["no policy", "another service", "another account", "another topic"],
)
def test_without_an_admitting_policy_the_topic_is_silent(
    aws: LocalAws, stack: dict[str, str], policies: Any, document: str | None
) -> None:
    if document:
        policies.put_resource_policy(PolicyName="topics", PolicyDocument=document)
    env, header, topic = publish(aws, stack)
    assert topic is None
    assert (header["Root"], header["Parent"]) == (env["Root"], env["Parent"])
