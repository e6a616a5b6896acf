"""A CDK app with the CDK's own custom resources: log retention, bucket notifications and an SDK's call."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack, custom_resources
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sqs as sqs

from harness.cdk import Cdk
from harness.local_aws import LocalAws
from tests.waiting import wait_for

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


class Deployed:
    """The deployed app's outputs, and clients."""

    def __init__(self, aws: LocalAws, outputs: dict[str, str]) -> None:
        self.outputs = outputs
        self._facts = aws.facts
        self._session = boto3.Session(
            aws_access_key_id=self._facts.access_key_id,
            aws_secret_access_key=self._facts.secret_access_key,
            region_name=self._facts.region,
        )

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._facts.endpoint, verify=str(self._facts.ca_bundle))  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("custom-resources")
    with LocalAws(folder / "aws") as aws:
        cdk = Cdk(aws)
        cdk.bootstrap()
        outputs = cdk.deploy(app=str(_synthesized(folder / "assembly")), name="custom-resources")
        yield Deployed(aws, {name.removesuffix("Output"): value for name, value in outputs[STACK].items()})


def test_log_retention_is_set(deployed: Deployed) -> None:
    (group,) = deployed.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK}")["logGroups"][:1]
    assert (group["logGroupName"], group["retentionInDays"]) == (f"/aws/lambda/{STACK}", 7)


def test_bucket_notifications_reach_the_queue(deployed: Deployed) -> None:
    queues = deployed.client("sqs")
    deployed.client("s3").put_object(Bucket=deployed.outputs["Bucket"], Key="new", Body=b"x")

    def notified() -> bool:
        messages = queues.receive_message(QueueUrl=deployed.outputs["QueueUrl"], MaxNumberOfMessages=10)
        return any("ObjectCreated" in message["Body"] for message in messages.get("Messages", []))

    wait_for(notified, what="the notification")


def test_an_sdk_call_of_a_custom_resource_is_answered(deployed: Deployed) -> None:
    assert deployed.outputs["Asked"] == deployed.outputs["QueueArn"]


def test_a_node_function_reaches_the_endpoint(deployed: Deployed) -> None:
    """As an SDK would: by the environment's endpoint and what Node trusts."""
    answer = deployed.client("lambda").invoke(FunctionName=deployed.outputs["Function"])
    status = json.loads(answer["Payload"].read())
    assert ("FunctionError" in answer, status) == (False, 200)
