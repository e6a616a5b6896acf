"""A template as the SAM translator writes it: the functions' calls are in their traces."""

import json
from typing import Any

from tests.support.account import Account
from tests.support.local_aws.tracing import fields
from tests.support.waiting import wait_for

# An SDK's part: the call, and the datagram about it.
CODE = """
import json, os, socket, time
import boto3

def handler(event, context):
    root, parent = (part.split("=")[1] for part in os.environ["_X_AMZN_TRACE_ID"].split(";")[:2])
    start = time.time()
    boto3.client("dynamodb").put_item(TableName=os.environ["TABLE"], Item={"id": {"S": "1"}})
    call = {"name": "dynamodb", "id": "53995c3f42cd8ad8", "type": "subsegment", "trace_id": root, "parent_id": parent,
            "start_time": start, "end_time": time.time(), "namespace": "aws",
            "aws": {"operation": "PutItem", "table_name": os.environ["TABLE"]}}
    host, port = os.environ["AWS_XRAY_DAEMON_ADDRESS"].split(":")
    datagram = json.dumps({"format": "json", "version": 1}) + "\\n" + json.dumps(call)
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(datagram.encode(), (host, int(port)))
    return os.environ["_X_AMZN_TRACE_ID"]
"""
MANAGED = "arn:aws:iam::aws:policy"


def template() -> dict[str, Any]:
    """What becomes of an `AWS::Serverless::Function` with `Tracing: Active`, DynamoDBCrudPolicy and an SQS event."""
    assume = {
        "Version": "2012-10-17",
        "Statement": [
            {"Action": ["sts:AssumeRole"], "Effect": "Allow", "Principal": {"Service": ["lambda.amazonaws.com"]}}
        ],
    }
    tags = [{"Key": "lambda:createdBy", "Value": "SAM"}]
    crud = {"Statement": [{"Effect": "Allow", "Action": ["dynamodb:PutItem"], "Resource": [_arn("Table")]}]}
    return {
        "Resources": {
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                },
            },
            "Queue": {"Type": "AWS::SQS::Queue"},
            "WorkFunctionRole": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": assume,
                    "ManagedPolicyArns": [
                        f"{MANAGED}/service-role/AWSLambdaBasicExecutionRole",
                        f"{MANAGED}/AWSXrayWriteOnlyAccess",
                        f"{MANAGED}/service-role/AWSLambdaSQSQueueExecutionRole",
                    ],
                    "Policies": [{"PolicyName": "WorkFunctionRolePolicy0", "PolicyDocument": crud}],
                    "Tags": tags,
                },
            },
            "WorkFunction": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Code": {"ZipFile": CODE},
                    "Handler": "index.handler",
                    "Role": _arn("WorkFunctionRole"),
                    "Runtime": "python3.13",
                    "Environment": {"Variables": {"TABLE": {"Ref": "Table"}}},
                    "Tags": tags,
                    "TracingConfig": {"Mode": "Active"},
                },
            },
            "WorkFunctionMessages": {
                "Type": "AWS::Lambda::EventSourceMapping",
                "Properties": {
                    "BatchSize": 1,
                    "EventSourceArn": _arn("Queue"),
                    "FunctionName": {"Ref": "WorkFunction"},
                },
            },
        },
        "Outputs": {name: {"Value": {"Ref": name}} for name in ("Table", "Queue", "WorkFunction")},
    }


def _arn(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "Arn"]}


def test_the_functions_calls_are_in_their_traces(aws: Account) -> None:
    outputs = aws.deploy("sam", template())
    header = "Root=1-5759e988-bd862e3fe1be46a99427a001;Parent=53995c3f42cd8ad9;Sampled=1"
    invoked = aws.client("lambda", header=header).invoke(FunctionName=outputs["WorkFunction"])
    root = fields(json.loads(invoked["Payload"].read()))["Root"]
    assert "FunctionError" not in invoked
    assert _called(aws, root) == outputs["Table"]


def test_the_functions_event_source_works(aws: Account) -> None:
    outputs = aws.deploy("sam-messages", template())
    aws.client("sqs").send_message(QueueUrl=outputs["Queue"], MessageBody="x")
    items = aws.client("dynamodb")
    wait_for(lambda: items.scan(TableName=outputs["Table"])["Items"], seconds=30)


def _called(aws: Account, root: str) -> Any:
    """The table that the function's trace ends in, once its call is there."""
    tables = wait_for(lambda: [found for found in aws.documents(root) if found.get("origin") == "AWS::DynamoDB::Table"])
    origins = {found.get("origin") for found in aws.documents(root)}
    assert {"AWS::Lambda", "AWS::Lambda::Function"} <= origins
    return tables[0]["aws"]["table_name"]
