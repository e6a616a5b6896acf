"""Who may do what, and with which signature: as AWS decides it."""

import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import botocore.auth
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.support.account import Account
from tests.support.local_aws.functions import allow, archive, document, role
from tests.support.waiting import wait_for

SINGLE_ACTIONS = ["sqs:SendMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:ReceiveMessage"]


@contextlib.contextmanager
def user(aws: Account, name: str, *actions: str) -> Iterator[dict[str, str]]:
    """Keys of a user who may do these."""
    iam = aws.client("iam")
    iam.create_user(UserName=name)
    if actions:
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(allow(*actions)))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    yield {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}


@pytest.mark.parametrize("allowed", [True, False])
def test_a_batch_needs_the_permission_of_the_single_action(aws: Account, allowed: bool) -> None:
    url = aws.client("sqs").create_queue(QueueName=f"batches-{allowed}")["QueueUrl"]
    topic = aws.client("sns").create_topic(Name=f"batches-{allowed}")["TopicArn"]
    actions = [*SINGLE_ACTIONS, "sns:Publish"] if allowed else ["sqs:ReceiveMessage"]
    with user(aws, f"batches-{allowed}", *actions) as keys:
        sqs, sns = aws.client("sqs", **keys), aws.client("sns", **keys)
        aws.client("sqs").send_message(QueueUrl=url, MessageBody="x")
        handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
        calls: dict[str, Callable[[], Any]] = {
            "SendMessage": lambda: sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "1", "MessageBody": "x"}]),
            "ChangeMessageVisibility": lambda: sqs.change_message_visibility_batch(
                QueueUrl=url, Entries=[{"Id": "1", "ReceiptHandle": handle, "VisibilityTimeout": 30}]
            ),
            "DeleteMessage": lambda: sqs.delete_message_batch(
                QueueUrl=url, Entries=[{"Id": "1", "ReceiptHandle": handle}]
            ),
            "Publish": lambda: sns.publish_batch(
                TopicArn=topic, PublishBatchRequestEntries=[{"Id": "1", "Message": "x"}]
            ),
        }
        for action, call in calls.items():
            if allowed:
                assert len(call()["Successful"]) == 1
            else:
                with pytest.raises(ClientError, match=f"not authorized to perform: s[nq]s:{action} "):
                    call()


def test_a_wrong_secret_is_refused(aws: Account) -> None:
    for service, call in (("sqs", "list_queues"), ("sns", "list_topics"), ("xray", "get_groups")):
        client = aws.client(service, aws_secret_access_key="not the secret")
        with pytest.raises(ClientError, match="signature"):
            getattr(client, call)()


def test_a_signature_of_two_hours_ago_is_refused(aws: Account) -> None:
    with at(dt.timedelta(hours=-2)), pytest.raises(ClientError, match=r"[Ss]ignature (expired|not yet current)"):
        aws.client("sqs").list_queues()


@contextlib.contextmanager
def at(shift: dt.timedelta) -> Iterator[None]:
    """Has botocore sign for another time."""
    now = dt.datetime.now(dt.UTC) + shift
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=now.replace(tzinfo=None)):
        yield


@pytest.fixture(scope="module")
def protected(aws: Account) -> str:
    """The path of an API's method that needs a signature."""
    resources: dict[str, Any] = {
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "Protected"}},
        "Get": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "HttpMethod": "POST",
                "AuthorizationType": "AWS_IAM",
                "Integration": {
                    "Type": "MOCK",
                    "RequestTemplates": {"application/json": '{"statusCode": 200}'},
                    "IntegrationResponses": [{"StatusCode": "200"}],
                },
                "MethodResponses": [{"StatusCode": "200"}],
            },
        },
        "Deployment": {
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": "Get",
            "Properties": {"RestApiId": {"Ref": "Api"}, "StageName": "live"},
        },
    }
    outputs = aws.deploy("protected", {"Resources": resources, "Outputs": {"ApiId": {"Value": {"Ref": "Api"}}}})
    return f"{outputs['ApiId']}/live/"


@pytest.mark.parametrize(
    ("secret", "shift", "status", "words"),
    [
        (None, dt.timedelta(0), 200, ""),
        ("not the secret", dt.timedelta(0), 403, "The request signature we calculated does not match"),
        (None, dt.timedelta(hours=-2), 403, "Signature expired"),
        (None, dt.timedelta(hours=2), 403, "Signature not yet current"),
    ],
)
def test_an_apis_signature_is_checked(
    aws: Account, protected: str, secret: str | None, shift: dt.timedelta, status: int, words: str
) -> None:
    url = f"{aws.facts.endpoint}/_aws/execute-api/{protected}"
    request = AWSRequest("POST", url, data=b"{}", headers={"content-type": "application/json"})
    keys = Credentials(aws.facts.access_key_id, secret or aws.facts.secret_access_key)
    with at(shift):
        SigV4Auth(keys, "execute-api", aws.facts.region).add_auth(request)
    pool = urllib3.PoolManager(ca_certs=aws.facts.ca_bundle)
    answer = pool.request("POST", url, body=b"{}", headers=dict(request.headers))
    pool.clear()
    assert answer.status == status, answer.data
    assert words in answer.data.decode()


def function(aws: Account, name: str, role_arn: str) -> None:
    aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role_arn,
        Handler="index.handler",
        Code={"ZipFile": archive(index="def handler(event, context):\n    return {}\n")},
    )


def test_a_mapping_needs_its_roles_permissions(aws: Account) -> None:
    sqs, functions = aws.client("sqs"), aws.client("lambda")
    url = sqs.create_queue(QueueName="mapped")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function(aws, "mapped", role(aws, "mapped", "sqs:ReceiveMessage"))
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*permissions to call DeleteMessage on SQS"):
        functions.create_event_source_mapping(FunctionName="mapped", EventSourceArn=arn)
    consume = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
    iam = aws.client("iam")
    iam.put_role_policy(RoleName="mapped", PolicyName="own", PolicyDocument=document(allow(*consume)))
    mapping = functions.create_event_source_mapping(FunctionName="mapped", EventSourceArn=arn)["UUID"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    wait_for(lambda: "OK" in functions.get_event_source_mapping(UUID=mapping)["LastProcessingResult"])
    iam.put_role_policy(RoleName="mapped", PolicyName="own", PolicyDocument=document(allow("logs:*")))

    def refused() -> bool:
        # What a role may do is read anew after half a second, so that messages may still be processed.
        sqs.send_message(QueueUrl=url, MessageBody="before")
        return "PROBLEM" in functions.get_event_source_mapping(UUID=mapping)["LastProcessingResult"]

    wait_for(refused, what="the refusal")
    sent = sqs.send_message(QueueUrl=url, MessageBody="after")["MessageId"]

    def stays() -> bool:
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return sent in [message["MessageId"] for message in received]

    wait_for(stays, what="the message that the mapping may not receive")
    functions.delete_event_source_mapping(UUID=mapping)


def test_without_concurrency_messages_are_received_until_they_are_dead(aws: Account) -> None:
    sqs, functions = aws.client("sqs"), aws.client("lambda")
    dead = sqs.create_queue(QueueName="throttled-dead")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    url = sqs.create_queue(
        QueueName="throttled",
        Attributes={
            "VisibilityTimeout": "0",
            "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2}),
        },
    )["QueueUrl"]
    source = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    function(aws, "throttled", role(aws, "throttled", "sqs:*"))
    functions.put_function_concurrency(FunctionName="throttled", ReservedConcurrentExecutions=0)
    mapping = functions.create_event_source_mapping(FunctionName="throttled", EventSourceArn=source)["UUID"]
    sqs.send_message(QueueUrl=url, MessageBody="never")
    (message,) = wait_for(lambda: sqs.receive_message(QueueUrl=dead).get("Messages"), seconds=60)
    assert message["Body"] == "never"
    functions.delete_event_source_mapping(UUID=mapping)


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [("AWSXrayWriteOnlyAccess", True), ("AWSXrayFullAccess", True), ("AWSXrayReadOnlyAccess", False)],
)
def test_the_managed_policies_of_tracing_are_known(aws: Account, policy: str, allowed: bool) -> None:
    with user(aws, f"with-{policy}") as keys:
        aws.client("iam").attach_user_policy(UserName=f"with-{policy}", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        xray = aws.client("xray", **keys)
        if allowed:
            xray.put_trace_segments(TraceSegmentDocuments=["{}"])
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                xray.put_trace_segments(TraceSegmentDocuments=["{}"])
