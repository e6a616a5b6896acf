"""Deployments that others have broken: the pipeline with one thing wrong, and functions in a VPC."""

import json
from typing import Any

from tests.support.local_aws.template import _att, _function, _ref, _role, hops
from tests.support.local_aws.xray import rule, topic_policy

REACHING = """
import boto3, botocore.exceptions
from botocore.config import Config

def handler(event, context):
    config = Config(connect_timeout=1, read_timeout=1, retries={"total_max_attempts": 1})
    reached = {}
    for service, operation in (("xray", "get_sampling_rules"), ("sqs", "list_queues"), ("dynamodb", "list_tables")):
        try:
            getattr(boto3.client(service, config=config), operation)()
            reached[service] = True
        except (botocore.exceptions.ConnectTimeoutError, botocore.exceptions.ReadTimeoutError):
            reached[service] = False
    return reached
"""


def pipeline(
    name: str,
    *,
    stage_tracing: bool = True,
    topic_tracing: str = "Active",
    queue_policy: bool = True,
    worker: str | None = "Active",
    rate: float | None = None,
) -> dict[str, Any]:
    """API → Ingest → Topic → Queue → Consumer, with the given thing wrong.

    Args:
        name: The API's name, and that of its sampling rule.
        stage_tracing: Whether the stage traces.
        topic_tracing: The topic's `TracingConfig`.
        queue_policy: Whether the queue lets the topic in.
        worker: The consumer's tracing mode; `None` for a function without any setting.
        rate: The rate of a sampling rule of its own; `None` for no rule.
    """
    template = hops()
    resources = template["Resources"]
    for other in ("Rule", "Group", "Closed", "ClosedSubscription", "RawQueue", "RawQueuePolicy", "RawSubscription"):
        del resources[other]
    for output in ("ClosedUrl", "RawQueueUrl"):
        del template["Outputs"][output]
    resources["Api"]["Properties"]["Name"] = name
    resources["Traced"]["Properties"]["TracingEnabled"] = stage_tracing
    resources["Topic"]["Properties"]["TracingConfig"] = topic_tracing
    resources["Mapping"]["Properties"]["EventSourceArn"] = _att("Queue", "Arn")
    if not queue_policy:
        del resources["QueuePolicy"]
    if worker is None:
        del resources["Consumer"]["Properties"]["TracingConfig"]
    else:
        resources["Consumer"]["Properties"]["TracingConfig"] = {"Mode": worker}
    if rate is not None:
        fields = rule(name, FixedRate=rate, ServiceName=f"{name}/*")
        resources["Rule"] = {"Type": "AWS::XRay::SamplingRule", "Properties": {"SamplingRule": fields}}
    return template


def resource_policy(name: str) -> dict[str, Any]:
    """A stack with one resource policy of X-Ray."""
    properties = {"PolicyName": name, "PolicyDocument": topic_policy()}
    return {"Resources": {"Policy": {"Type": "AWS::XRay::ResourcePolicy", "Properties": properties}}}


def in_a_vpc(*, endpoints: tuple[str, ...] = (), internet_gateway: bool = False) -> dict[str, Any]:
    """A function in an isolated subnet, with VPC endpoints of the given services."""
    function = _function("PassThrough")
    function["Properties"]["Code"] = {"ZipFile": REACHING}
    function["Properties"]["VpcConfig"] = {
        "SubnetIds": [_ref("Subnet")],
        "SecurityGroupIds": [_att("Group", "GroupId")],
    }
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}},
        "Subnet": {
            "Type": "AWS::EC2::Subnet",
            "Properties": {"VpcId": _ref("Vpc"), "CidrBlock": "10.1.1.0/24"},
        },
        "Group": {
            "Type": "AWS::EC2::SecurityGroup",
            "Properties": {"GroupDescription": "all", "VpcId": _ref("Vpc")},
        },
        "Table": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": _ref("Vpc")}},
        "Association": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": _ref("Subnet"), "RouteTableId": _ref("Table")},
        },
        "Role": _role("xray:*", "sqs:*", "dynamodb:*"),
        "Function": function,
    }
    if internet_gateway:
        resources["Gateway"] = {"Type": "AWS::EC2::InternetGateway"}
        resources["Route"] = {
            "Type": "AWS::EC2::Route",
            "Properties": {
                "RouteTableId": _ref("Table"),
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": _ref("Gateway"),
            },
        }
    for service in endpoints:
        gateway = service == "dynamodb"
        where: dict[str, Any] = {"RouteTableIds": [_ref("Table")]} if gateway else {"SubnetIds": [_ref("Subnet")]}
        resources[f"Endpoint{service}"] = {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": _ref("Vpc"),
                "ServiceName": f"com.amazonaws.us-east-1.{service}",
                "VpcEndpointType": "Gateway" if gateway else "Interface",
                **({} if gateway else {"PrivateDnsEnabled": True}),
                **where,
            },
        }
    # The function is made last, when its ways are there.
    function["DependsOn"] = [name for name in resources if name.startswith(("Endpoint", "Association", "Route"))]
    outputs = {"Function": {"Value": _ref("Function")}, "Table": {"Value": _ref("Table")}}
    return json.loads(json.dumps({"Resources": resources, "Outputs": outputs}))  # type: ignore[no-any-return]
