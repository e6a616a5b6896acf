from typing import Any

import pytest

from tests.support.account import Account
from tests.support.local_aws.tracing import fields, receive
from tests.support.local_aws.xray import topic_policy
from tests.support.waiting import wait_for


def publish(aws: Account, stack: dict[str, str]) -> tuple[dict[str, str], dict[str, str], Any]:
    """Send one request; the ingest function's header, the message's, and the topic's segment if there is one."""
    sqs = aws.client("sqs")
    sqs.purge_queue(QueueUrl=stack["QueueUrl"])
    _, seen, _ = aws.post(f"{stack['ApiId']}/traced/")
    message = receive(sqs, stack["QueueUrl"])
    sqs.delete_message(QueueUrl=stack["QueueUrl"], ReceiptHandle=message["ReceiptHandle"])
    env = fields(seen["env"])
    topics = [document for document in aws.documents(env["Root"]) if document.get("origin") == "AWS::SNS"]
    return env, fields(message["Attributes"]["AWSTraceHeader"]), topics[0] if topics else None


def delivery_to(topic: Any, url: str) -> Any:
    return next(part for part in topic["subsegments"] if part["aws"].get("queue_url") == url)


def test_an_admitted_topic_stands_between_publisher_and_queue(
    aws: Account, stack: dict[str, str], policies: Any
) -> None:
    policies.put_resource_policy(PolicyName="topics", PolicyDocument=topic_policy())
    env, header, topic = publish(aws, stack)
    assert topic["name"] == stack["TopicArn"].rsplit(":", 1)[-1]
    assert topic["parent_id"] == env["Parent"]
    delivery = delivery_to(topic, stack["QueueUrl"])
    # The time between the topic's segment and the delivery is the one the message spends in SNS.
    times = [topic["start_time"], topic["end_time"], delivery["start_time"], delivery["end_time"]]
    assert times == sorted(times)
    assert (delivery["name"], delivery["http"]["response"]["status"]) == ("SQS", 200)
    assert (header["Root"], header["Parent"], header["Sampled"]) == (env["Root"], delivery["id"], "1")
    assert header["Lineage"] == env["Lineage"]
    inferred = {
        document["parent_id"]: document["aws"]["queue_url"]
        for document in aws.documents(env["Root"])
        if document.get("inferred") and document.get("origin") == "AWS::SQS::Queue"
    }
    assert inferred[delivery["id"]] == stack["QueueUrl"]
    assert len(inferred) == len(topic["subsegments"])


def test_a_queue_that_keeps_the_message_out_is_a_fault_of_the_topic(
    aws: Account, stack: dict[str, str], policies: Any
) -> None:
    policies.put_resource_policy(PolicyName="topics", PolicyDocument=topic_policy())
    _, _, topic = publish(aws, stack)
    delivery = delivery_to(topic, stack["ClosedUrl"])
    assert (topic["fault"], delivery["fault"], delivery["http"]["response"]["status"]) == (True, True, 403)
    assert "fault" not in delivery_to(topic, stack["QueueUrl"])


def test_each_message_of_a_batch_has_a_segment_of_its_own(aws: Account, stack: dict[str, str], policies: Any) -> None:
    policies.put_resource_policy(PolicyName="topics", PolicyDocument=topic_policy())
    root = "1-5759e988-bd862e3fe1be46a994270b01"
    entries: Any = [{"Id": body, "Message": body} for body in ("first", "second")]
    aws.client("sns", header=f"Root={root};Parent=53995c3f42cd8ad8;Sampled=1").publish_batch(
        TopicArn=stack["TopicArn"], PublishBatchRequestEntries=entries
    )
    topics = [document for document in aws.documents(root) if document.get("origin") == "AWS::SNS"]
    assert [topic["parent_id"] for topic in topics] == ["53995c3f42cd8ad8"] * 2
    assert len({topic["aws"]["message_id"] for topic in topics}) == 2


def test_an_active_topics_function_is_called_from_its_segment(
    aws: Account, stack: dict[str, str], policies: Any
) -> None:
    policies.put_resource_policy(PolicyName="topics", PolicyDocument=topic_policy())
    sns = aws.client("sns", header="Root=1-5759e988-bd862e3fe1be46a994270b02;Parent=53995c3f42cd8ad8;Sampled=1")
    arn = sns.create_topic(Name="calls-a-function", Attributes={"TracingConfig": "Active"})["TopicArn"]
    function = aws.client("lambda").get_function(FunctionName=stack["ConsumerName"])["Configuration"]["FunctionArn"]
    sns.subscribe(TopicArn=arn, Protocol="lambda", Endpoint=function)
    sns.publish(TopicArn=arn, Message="x")

    def called() -> Any:
        documents = aws.documents("1-5759e988-bd862e3fe1be46a994270b02")
        return next(
            (found for found in documents if found.get("origin") == "AWS::Lambda" and "inferred" not in found), None
        )

    service = wait_for(called)
    topic = next(found for found in aws.documents(service["trace_id"]) if found.get("origin") == "AWS::SNS")
    (delivery,) = topic["subsegments"]
    assert (delivery["name"], delivery["id"]) == ("Lambda", service["parent_id"])
    assert delivery["http"]["response"]["status"] == 202
    sqs = aws.client("sqs")
    sqs.delete_message(QueueUrl=stack["ResultsUrl"], ReceiptHandle=receive(sqs, stack["ResultsUrl"])["ReceiptHandle"])


@pytest.mark.parametrize(
    "document",
    [
        None,
        topic_policy(principal="events.amazonaws.com"),
        topic_policy(account="111111111111"),
        topic_policy(topic="another-topic"),
    ],
    ids=["no policy", "another service", "another account", "another topic"],
)
def test_without_an_admitting_policy_the_topic_is_silent(
    aws: Account, stack: dict[str, str], policies: Any, document: str | None
) -> None:
    if document:
        policies.put_resource_policy(PolicyName="topics", PolicyDocument=document)
    env, header, topic = publish(aws, stack)
    assert topic is None
    assert (header["Root"], header["Parent"]) == (env["Root"], env["Parent"])
