"""A stack's outputs: an API's URL in them can be called on this machine."""

import secrets
from typing import Any

import urllib3

from tests.support.account import Account


def _api() -> dict[str, Any]:
    """An API that answers by itself, with its URL as the CDK writes it, and one of somebody else's."""
    on = {"RestApiId": {"Ref": "Api"}}
    integration = {
        "Type": "MOCK",
        "RequestTemplates": {"application/json": '{"statusCode": 200}'},
        "IntegrationResponses": [{"StatusCode": "200"}],
    }
    url = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/prod/"
    return {
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "Outputs"}},
            "Method": {
                "Type": "AWS::ApiGateway::Method",
                "Properties": {
                    **on,
                    "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                    "HttpMethod": "GET",
                    "AuthorizationType": "NONE",
                    "Integration": integration,
                    "MethodResponses": [{"StatusCode": "200"}],
                },
            },
            "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": on, "DependsOn": ["Method"]},
            "Stage": {
                "Type": "AWS::ApiGateway::Stage",
                "Properties": {**on, "StageName": "prod", "DeploymentId": {"Ref": "Deployment"}},
            },
        },
        "Outputs": {
            "ApiUrl": {"Value": {"Fn::Sub": url}, "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-url"}}},
            "Theirs": {"Value": "https://theirs0001.execute-api.us-east-1.amazonaws.com/prod/"},
        },
    }


def test_an_api_url_can_be_called_as_the_stack_says_it(aws: Account) -> None:
    name = f"outputs-{secrets.token_hex(4)}"
    outputs = aws.deploy(name, _api())
    assert outputs["ApiUrl"].startswith(f"{aws.facts.endpoint}/_aws/execute-api/")
    with urllib3.PoolManager(ca_certs=aws.facts.ca_bundle) as pool:
        assert pool.request("GET", outputs["ApiUrl"]).status == 200
    exports = {export["Name"]: export["Value"] for export in aws.client("cloudformation").list_exports()["Exports"]}
    assert exports[f"{name}-url"] == outputs["ApiUrl"]


def test_the_url_of_an_api_elsewhere_stays_as_it_is(aws: Account) -> None:
    outputs = aws.deploy(f"outputs-{secrets.token_hex(4)}", _api())
    assert outputs["Theirs"] == "https://theirs0001.execute-api.us-east-1.amazonaws.com/prod/"
