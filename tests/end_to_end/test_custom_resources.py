"""A CDK app with the CDK's own custom resources: log retention, bucket notifications and an SDK's call."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack, custom_resources
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs

from harness.cdk import Cdk
from harness.local_aws import LocalAws
from tests.support.account import Account
from tests.support.waiting import wait_for

STACK = "CustomResources"
NODE = """
const https = require("https");
exports.handler = () => new Promise((resolve, reject) => {
  https.get(process.env.AWS_ENDPOINT_URL, (answer) => resolve(answer.statusCode)).on("error", reject);
});
"""


def _synthesized(folder: Path) -> Path:
    app = App(outdir=str(folder), analytics_reporting=False)
    stack = Stack(app, STACK)
    function = lambda_.Function(
        stack,
        "Node",
        runtime=lambda_.Runtime.NODEJS_22_X,
        handler="index.handler",
        code=lambda_.Code.from_inline(NODE),
        timeout=Duration.seconds(30),
    )
    retention = logs.LogRetention(
        stack, "Retention", log_group_name=f"/aws/lambda/{STACK}", retention=logs.RetentionDays.ONE_WEEK
    )
    bucket = s3.Bucket(stack, "Bucket", removal_policy=RemovalPolicy.DESTROY)
    queue = sqs.Queue(stack, "Queue")
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SqsDestination(queue))
    asked = custom_resources.AwsCustomResource(
        stack,
        "Asked",
        on_create=custom_resources.AwsSdkCall(
            service="SQS",
            action="GetQueueAttributes",
            parameters={"QueueUrl": queue.queue_url, "AttributeNames": ["QueueArn"]},
            physical_resource_id=custom_resources.PhysicalResourceId.of("asked"),
        ),
        policy=custom_resources.AwsCustomResourcePolicy.from_sdk_calls(resources=[queue.queue_arn]),
        install_latest_aws_sdk=False,
    )
    outputs = {
        "Function": function.function_name,
        "LogGroup": retention.log_group_arn,
        "Bucket": bucket.bucket_name,
        "QueueUrl": queue.queue_url,
        "QueueArn": queue.queue_arn,
        "Asked": asked.get_response_field("Attributes.QueueArn"),
    }
    for name, value in outputs.items():
        CfnOutput(stack, f"{name}Output", value=value)
    return Path(app.synth().directory)


@dataclass(frozen=True, kw_only=True)
class Custom:
    """The deployed app."""

    account: Account
    outputs: dict[str, str]


@pytest.fixture(scope="module")
def custom(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Custom:
    assembly = _synthesized(tmp_path_factory.mktemp("custom-resources"))
    outputs = Cdk(local_aws).deploy(app=str(assembly), name="custom-resources")[STACK]
    named = {name.removesuffix("Output"): value for name, value in outputs.items()}
    return Custom(account=Account(facts=local_aws.facts), outputs=named)


def test_log_retention_is_set(custom: Custom) -> None:
    (group,) = custom.account.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}")[
        "logGroups"
    ][:1]
    assert (group["logGroupName"], group["retentionInDays"]) == (f"/aws/lambda/{STACK}", 7)


def test_bucket_notifications_reach_the_queue(custom: Custom) -> None:
    queues = custom.account.client("sqs")
    custom.account.client("s3").put_object(Bucket=custom.outputs["Bucket"], Key="new", Body=b"x")

    def notified() -> bool:
        messages = queues.receive_message(QueueUrl=custom.outputs["QueueUrl"], MaxNumberOfMessages=10)
        return any("ObjectCreated" in message["Body"] for message in messages.get("Messages", []))

    wait_for(notified, what="the notification")


def test_an_sdk_call_of_a_custom_resource_is_answered(custom: Custom) -> None:
    assert custom.outputs["Asked"] == custom.outputs["QueueArn"]


def test_a_node_function_reaches_the_endpoint(custom: Custom) -> None:
    """As an SDK would: by the environment's endpoint and what Node trusts."""
    answer = custom.account.client("lambda").invoke(FunctionName=custom.outputs["Function"])
    status = json.loads(answer["Payload"].read())
    assert ("FunctionError" in answer, status) == (False, 200)
