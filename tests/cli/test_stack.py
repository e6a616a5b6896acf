"""Where requests go: what a stack says of its API, at AWS and elsewhere."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from traced_pipeline_cli.aws.endpoints import is_of_aws
from traced_pipeline_cli.aws.stack import Pipeline, find_pipeline, stage_service
from traced_pipeline_cli.errors import NotFoundError

AT_AWS = "https://abc123.execute-api.us-east-1.amazonaws.com/prod/orders"
RESOURCES = {"AWS::ApiGateway::RestApi": ["other9", "abc123"], "AWS::ApiGateway::Stage": ["test", "prod"]}


def find(
    outputs: dict[str, str],
    *,
    path: str | None = None,
    api: str | None = None,
    status: str = "CREATE_COMPLETE",
    resource_status: str = "CREATE_COMPLETE",
    resources: dict[str, list[str]] | None = None,
    region: str = "us-east-1",
    endpoint: str | None = None,
) -> Pipeline:
    """The pipeline of a stack with these outputs, whose API has one path that takes POST, `/orders`."""
    session = boto3.Session(region_name=region, aws_access_key_id="a", aws_secret_access_key="s")
    cloudformation: Any = session.client("cloudformation", endpoint_url=endpoint)
    apigateway: Any = session.client("apigateway", endpoint_url=endpoint)
    listed = [
        {"ResourceType": kind, "PhysicalResourceId": physical, "LogicalResourceId": physical}
        for kind, ids in (RESOURCES if resources is None else resources).items()
        for physical in ids
    ]
    for resource in listed:
        resource |= {"LastUpdatedTimestamp": "2026-01-01T00:00:00Z", "ResourceStatus": resource_status}
    stack = {
        "StackName": "S",
        "CreationTime": "2026-01-01T00:00:00Z",
        "StackStatus": status,
        "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()],
    }
    with Stubber(cloudformation) as stub, Stubber(apigateway) as gateway:
        stub.add_response("describe_stacks", {"Stacks": [stack]})
        stub.add_response("list_stack_resources", {"StackResourceSummaries": listed})
        gateway.add_response("get_resources", {"items": [{"path": "/orders", "resourceMethods": {"POST": {}}}]})
        return find_pipeline(cloudformation, apigateway, "S", path=path, api=api)


@pytest.mark.parametrize(
    "url",
    [
        AT_AWS,
        "https://api.example.com/orders",
        "http://127.0.0.1:4566/somewhere/abc123/prod/orders",
        "https://abc123.execute-api.cn-north-1.amazonaws.com.cn/prod/orders",
    ],
)
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:4566"])
def test_the_url_a_stack_states_is_taken_as_it_is(url: str, endpoint: str | None) -> None:
    found = find({"ApiUrl": url}, endpoint=endpoint)
    assert (found.api_url, found.api_path) == (url, "/orders")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (AT_AWS, "https://abc123.execute-api.us-east-1.amazonaws.com/prod/returns"),
        ("http://127.0.0.1:4566/somewhere/abc123/prod/orders", "http://127.0.0.1:4566/somewhere/abc123/prod/returns"),
        ("https://localhost/abc123/prod/orders/", "https://localhost/abc123/prod/returns"),
    ],
)
def test_a_path_replaces_what_is_below_the_stage(stated: str, expected: str) -> None:
    found = find({"ApiUrl": stated}, path="/returns", endpoint="http://127.0.0.1:4566")
    assert (found.api_url, found.api_id, found.stage, found.api_path) == (expected, "abc123", "prod", "/returns")


def test_the_api_and_the_stage_are_those_the_url_names() -> None:
    found = find({"ApiUrl": "http://127.0.0.1:4566/abc123/prod/orders"})
    assert (found.api_id, found.stage) == ("abc123", "prod")
    only = {**RESOURCES, "AWS::ApiGateway::RestApi": ["other9"]}
    found = find({"ApiUrl": "https://api.example.com/orders"}, resources=only)
    assert (found.api_id, found.stage) == ("other9", "test")


def test_no_api_is_guessed_where_the_url_names_none() -> None:
    outputs = {"ApiUrl": "https://api.example.com/orders", "Site": "https://example.com/", "Endpoint": AT_AWS}
    found = find(outputs)
    assert (found.api_url, found.api_id) == (outputs["ApiUrl"], None)
    wanted = r"has several APIs, and the URL says none of their ids\. .* --api; .*: ApiUrl, Endpoint, Site\."
    with pytest.raises(NotFoundError, match=wanted):
        stage_service(boto3.client("apigateway", region_name="us-east-1"), found)
    with pytest.raises(NotFoundError, match=wanted):
        find(outputs, path="/returns")
    with pytest.raises(NotFoundError, match=wanted):
        find(outputs, api="Site")
    assert find(outputs, api="Endpoint", path="/returns").api_url == AT_AWS.replace("orders", "returns")


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("us-east-1", "abc123.execute-api.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "abc123.execute-api.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "abc123.execute-api.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_without_an_output_an_api_is_posted_to_at_its_partitions_host(region: str, host: str) -> None:
    one = {"AWS::ApiGateway::RestApi": ["abc123"], "AWS::ApiGateway::Stage": ["prod"]}
    assert find({}, resources=one, region=region).api_url == f"https://{host}/prod/orders"


def test_without_an_output_nothing_is_posted_to_aws_from_a_local_aws() -> None:
    one = {"AWS::ApiGateway::RestApi": ["abc123"], "AWS::ApiGateway::Stage": ["prod"]}
    with pytest.raises(NotFoundError, match="No output of the stack S says where its API is served"):
        find({"Site": "https://example.com/test/"}, resources=one, endpoint="http://127.0.0.1:4566")


TWO = {
    "OrdersApiUrl": "https://other9.execute-api.us-east-1.amazonaws.com/test/orders",
    "RefundsApiUrl": AT_AWS,
    "RefundsApiEndpoint1A2B": "https://abc123.execute-api.us-east-1.amazonaws.com/prod/",
    "Site": "https://example.com/",
}


@pytest.mark.parametrize(
    ("outputs", "listed"),
    [
        (TWO, "outputs with a URL: OrdersApiUrl, RefundsApiUrl."),
        ({"Site": "https://example.com/"}, "outputs with a URL: Site."),
        ({}, "outputs with a URL: none."),
    ],
)
def test_none_of_several_apis_is_taken_for_the_one_that_is_meant(outputs: dict[str, str], listed: str) -> None:
    with pytest.raises(NotFoundError, match=r"The stack S has several APIs. .* --api; ") as error:
        find(outputs)
    assert str(error.value).endswith(listed)


def test_an_output_chooses_the_api() -> None:
    found = find(TWO, api="OrdersApiUrl")
    assert (found.api_url, found.api_id, found.stage) == (TWO["OrdersApiUrl"], "other9", "test")
    found = find(TWO, api="RefundsApiEndpoint1A2B")
    assert (found.api_url, found.api_id, found.stage) == (AT_AWS, "abc123", "prod")
    assert find(TWO | {"ApiUrl": AT_AWS}).api_url == AT_AWS, "ApiUrl is the one that is meant by default"
    assert find({"OneApiUrl": AT_AWS, "SameApiUrl": AT_AWS}).api_url == AT_AWS


@pytest.mark.parametrize("api", ["Nope", "TableName"])
def test_what_is_no_output_with_a_url_chooses_no_api(api: str) -> None:
    with pytest.raises(NotFoundError, match=f"no output {api} with the URL of an API. It has: OrdersApiUrl, Refunds"):
        find(TWO | {"TableName": "t"}, api=api)


@pytest.mark.parametrize("status", ["DELETE_IN_PROGRESS", "DELETE_COMPLETE"])
def test_a_stack_that_is_going_is_not_worked_on(status: str) -> None:
    with pytest.raises(NotFoundError, match=f"its status is {status}"):
        find({"ApiUrl": AT_AWS}, status=status)


def test_a_stack_without_api_says_its_status() -> None:
    found = find({}, resources={}, status="ROLLBACK_COMPLETE")
    with pytest.raises(NotFoundError, match="no REST API to post to; its status is ROLLBACK_COMPLETE"):
        found.url_to_post_to()


def test_a_resource_that_is_deleted_is_none_of_the_stack() -> None:
    assert find({"ApiUrl": AT_AWS}, resources={"AWS::SQS::Queue": ["q"]}).queues == ("q",)
    assert (
        find({"ApiUrl": AT_AWS}, resources={"AWS::SQS::Queue": ["q"]}, resource_status="DELETE_COMPLETE").queues == ()
    )


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://xray.us-east-1.amazonaws.com", True),
        ("https://xray.us-east-1.api.aws", True),
        ("https://xray.cn-north-1.amazonaws.com.cn", True),
        ("https://vpce-1.apigateway.us-east-1.vpce.amazonaws.com", True),
        ("https://xray.eusc-de-east-1.amazonaws.eu", True),
        ("https://notamazonaws.com", False),
        ("https://amazonaws.com.example.com", False),
        ("http://127.0.0.1:4566", False),
    ],
)
def test_endpoints_of_aws_are_known_by_their_domain(endpoint: str, expected: bool) -> None:
    assert is_of_aws(endpoint) is expected
