"""Customer keys: what SNS, SQS, Lambda and CloudWatch Logs may do only where the key's policy lets them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws import template
from tests.support.waiting import wait_for

ROOT = {"AWS": "arn:aws:iam::000000000000:root"}


def statement(principal: dict[str, str], *actions: str, **condition: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": list(actions), "Resource": "*"}
    return {**statement, **({"Condition": condition} if condition else {})}


def make_key(aws: Account, *statements: dict[str, Any]) -> str:
    document = {"Version": "2012-10-17", "Statement": [statement(ROOT, "kms:*"), *statements]}
    return str(aws.client("kms").create_key(Policy=json.dumps(document))["KeyMetadata"]["Arn"])


def from_sns(*actions: str, topic: str = "*") -> dict[str, Any]:
    source = {"aws:SourceArn": f"arn:aws:sns:us-east-1:000000000000:{topic}"}
    return statement({"Service": "sns.amazonaws.com"}, *actions, ArnLike=source)


@pytest.fixture(scope="module")
def keyed(aws: Account) -> dict[str, str]:
    """A topic and queues of no key yet, and two functions: one may use keys, the other not."""
    return aws.deploy("keyed", template.keyed())


def arrives(aws: Account, keyed: dict[str, str], key: str) -> bool:
    """Whether a message gets from the topic into the queue when that has a key."""
    sqs, url = aws.client("sqs"), keyed["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
    sqs.purge_queue(QueueUrl=url)
    aws.client("sns").publish(TopicArn=keyed["TopicArn"], Message="hello")
    return bool(sqs.receive_message(QueueUrl=url).get("Messages"))


@pytest.mark.parametrize(
    ("statements", "delivered"),
    [
        ([from_sns("kms:GenerateDataKey", "kms:Decrypt")], True),
        ([from_sns("kms:GenerateDataKey*", "kms:Decrypt")], True),
        ([], False),
        ([from_sns("kms:Decrypt")], False),
        ([from_sns("kms:GenerateDataKey", "kms:Decrypt", topic="another")], False),
    ],
    ids=["both actions", "by wildcard", "nothing", "one action", "another topic"],
)
def test_sns_needs_the_key_of_a_queue(
    aws: Account, keyed: dict[str, str], statements: list[dict[str, Any]], delivered: bool
) -> None:
    assert arrives(aws, keyed, make_key(aws, *statements)) is delivered


@pytest.mark.parametrize(("function", "published"), [("WithKeys", True), ("WithoutKeys", False)])
def test_a_publisher_needs_the_key_of_the_topic(
    aws: Account, keyed: dict[str, str], function: str, published: bool
) -> None:
    sns, topic = aws.client("sns"), keyed["TopicArn"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue=make_key(aws))
    try:
        answer = aws.client("lambda").invoke(FunctionName=keyed[function])
        payload = answer["Payload"].read().decode()
        assert ("FunctionError" not in answer) is published, payload
        assert published or "KMSAccessDenied" in payload
    finally:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="")


def test_a_consumer_needs_the_key_of_its_queue(aws: Account, keyed: dict[str, str]) -> None:
    sqs, functions = aws.client("sqs"), aws.client("lambda")
    urls = {name: keyed[f"{name}Url"] for name in ("Readable", "Unreadable")}
    key = make_key(aws)
    for url in urls.values():
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
        sqs.send_message(QueueUrl=url, MessageBody="hello")

    def left(name: str) -> int:
        asked = sqs.get_queue_attributes(QueueUrl=urls[name], AttributeNames=["All"])["Attributes"]
        return int(asked["ApproximateNumberOfMessages"]) + int(asked["ApproximateNumberOfMessagesNotVisible"])

    def refused() -> bool:
        mappings = functions.list_event_source_mappings(FunctionName=keyed["WithoutKeys"])["EventSourceMappings"]
        return "KMS" in mappings[0]["LastProcessingResult"]

    wait_for(lambda: left("Readable") == 0)
    wait_for(refused)
    assert left("Unreadable") == 1


@pytest.mark.parametrize(
    ("groups", "made"),
    [("arn:aws:logs:us-east-1:000000000000:log-group:*", True), ("arn:aws:logs:us-east-1:111111111111:*", False)],
)
def test_a_log_group_needs_a_key_that_lets_logs_in(aws: Account, groups: str, made: bool) -> None:
    logs = {"Service": "logs.us-east-1.amazonaws.com"}
    source = {"kms:EncryptionContext:aws:logs:arn": groups}
    key = make_key(aws, statement(logs, "kms:GenerateDataKey*", "kms:Decrypt*", ArnLike=source))
    name = f"/keyed/{made}"
    resource = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name, "KmsKeyId": key}}
    if made:
        aws.deploy("keyed-logs", {"Resources": {"Group": resource}})
    else:
        with pytest.raises(RuntimeError, match="not allowed to be used with Arn"):
            aws.deploy("refused-logs", {"Resources": {"Group": resource}})
    found = aws.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert [group["kmsKeyId"] for group in found] == ([key] if made else [])


def test_a_fifo_topic_of_a_template_is_one(aws: Account, keyed: dict[str, str]) -> None:
    sns, sqs, topic = aws.client("sns"), aws.client("sqs"), keyed["FifoTopicArn"]
    with pytest.raises(ClientError, match="MessageGroupId"):
        sns.publish(TopicArn=topic, Message="hello")
    for text in ("first", "second", "first"):
        sns.publish(TopicArn=topic, Message=text, MessageGroupId="group")
    answer = sqs.receive_message(
        QueueUrl=keyed["FifoQueueUrl"], MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )
    bodies = [json.loads(message["Body"])["Message"] for message in answer["Messages"]]
    assert bodies == ["first", "second"]
    numbers = [int(message["Attributes"]["SequenceNumber"]) for message in answer["Messages"]]
    assert numbers == sorted(set(numbers))
    assert {message["Attributes"]["MessageGroupId"] for message in answer["Messages"]} == {"group"}


def test_a_fifo_topic_needs_its_suffix(aws: Account) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "plain", "FifoTopic": True}}
    with pytest.raises(RuntimeError, match=r"ends in \.fifo"):
        aws.deploy("no-suffix", {"Resources": {"Topic": topic}})
