"""docs/what-traces-what.md: each row has a source, and a test that exists, or says that it is AWS's word."""

from __future__ import annotations

import ast
import re
from typing import Any

import botocore.session
import pytest
from traced_pipeline.not_traceable import BY_ITS_APPLICATION, NOT_TRACEABLE

from scripts.pages import ROOT

PAGE = (ROOT / "docs" / "what-traces-what.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| service |", "| consumer |"))
]
# What the page calls the services of CloudFormation's types, where it is not what CloudFormation does.
NAMES = {
    "AmazonMQ": "Amazon MQ",
    "ApiGatewayV2": "HTTP and WebSocket APIs",
    "AppMesh": "App Mesh",
    "AppRunner": "App Runner",
    "AutoScaling": "EC2",
    "BedrockAgentCore": "Bedrock AgentCore",
    "Cassandra": "Keyspaces",
    "Custom": "EKS",
    "DAX": "DynamoDB",
    "DSQL": "databases",
    "DocDB": "DocumentDB",
    "DocDBElastic": "DocumentDB",
    "ElasticBeanstalk": "Elastic Beanstalk",
    "ElasticLoadBalancing": "Load Balancer",
    "ElasticLoadBalancingV2": "Load Balancer",
    "Events": "EventBridge",
    "EventsV2": "EventBridge",
    "GlobalAccelerator": "Global Accelerator",
    "KinesisFirehose": "Firehose",
    "OpenSearchServerless": "databases",
    "OpenSearchService": "databases",
    "RedshiftServerless": "Redshift",
    "Serverless": "API Gateway",
    "Timestream": "databases",
    "Transfer": "Transfer Family",
    "VpcLattice": "VPC Lattice",
}
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def _name(row: list[str]) -> str:
    return row[0]


def _members(service: str, shape: str) -> set[str]:
    """The members of a shape of botocore's service model."""
    described: Any = botocore.session.get_session().get_service_model(service).shape_for(shape)
    return set(described.members)


def test_records_of_streams_have_no_place_for_a_header() -> None:
    kinesis, table = _members("kinesis", "Record"), _members("dynamodbstreams", "Record")
    assert {"Data", "PartitionKey", "SequenceNumber"} <= kinesis
    assert {"dynamodb", "eventName"} <= table
    read = kinesis | table | _members("dynamodbstreams", "StreamRecord") | _members("kinesis", "PutRecordInput")
    assert [name for name in read if re.search("trace|header|attribute", name, re.IGNORECASE)] == []


def test_requests_that_can_carry_a_header_have_a_place_for_it() -> None:
    assert "TraceHeader" in _members("events", "PutEventsRequestEntry")
    assert "traceHeader" in _members("stepfunctions", "StartExecutionInput")
    assert "MessageSystemAttributes" in _members("sqs", "SendMessageRequest")


def test_the_services_of_the_field_are_there() -> None:
    named = " ".join(map(_name, ROWS))
    ways_in = ("API Gateway", "AppSync", "Load Balancer", "EventBridge", "S3", "Step Functions")
    services = (*ways_in, "SNS", "SQS", "Kinesis", "DynamoDB Streams", "Lambda", "ECS", "Secrets Manager", "HTTP")
    assert [service for service in services if service not in named] == []


def test_every_service_is_there_that_trace_everything_knows() -> None:
    services = {kind.split("::")[-2] for kind in (*NOT_TRACEABLE, *BY_ITS_APPLICATION)}
    assert set(NAMES) <= services
    named = " ".join(map(_name, ROWS))
    assert sorted(service for service in services if NAMES.get(service, service) not in named) == []


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_each_row_has_its_source(row: list[str]) -> None:
    assert re.search(r"\(https://docs\.aws\.amazon\.com/\S+\)", row[-2])


@pytest.mark.parametrize("row", ROWS, ids=_name)
def test_each_row_has_a_test_that_exists_or_says_that_it_is_aws_s_word(row: list[str]) -> None:
    tests = TEST.findall(row[-1])
    assert bool(tests) != (row[-1] == "AWS's word")
    for file, name in tests:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        defined = {n.name for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))}
        assert not name or name in defined
