"""API Gateway: bodies that no client should send cost their sender alone."""

import json

import pytest

from tests.support.account import Account

SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"enum": [1, 2]}, "note": {"type": "string"}}}


@pytest.fixture
def api(aws: Account) -> str:
    """The path of an API that validates bodies, and says why it refuses one."""
    gateway = aws.client("apigateway")
    api_id = gateway.create_rest_api(name="bodies")["id"]
    root = gateway.get_resources(restApiId=api_id)["items"][0]["id"]
    gateway.create_model(restApiId=api_id, name="Order", contentType="application/json", schema=json.dumps(SCHEMA))
    validator = gateway.create_request_validator(restApiId=api_id, name="all", validateRequestBody=True)["id"]
    method = {"restApiId": api_id, "resourceId": root, "httpMethod": "POST"}
    models = {"application/json": "Order"}
    gateway.put_method(**method, authorizationType="NONE", requestModels=models, requestValidatorId=validator)
    answer = {"application/json": '{"statusCode": 200}'}
    gateway.put_integration(**method, type="MOCK", requestTemplates=answer)
    gateway.put_method_response(**method, statusCode="200")
    gateway.put_integration_response(**method, statusCode="200")
    reason = {"application/json": '{"reason": "$context.error.validationErrorString"}'}
    gateway.put_gateway_response(restApiId=api_id, responseType="BAD_REQUEST_BODY", responseTemplates=reason)
    gateway.create_deployment(restApiId=api_id, stageName="v1")
    return f"{api_id}/v1/"


@pytest.mark.parametrize("depth", [100, 5_000, 20_000, 100_000])
@pytest.mark.parametrize(
    ("opening", "inner", "closing", "reason"),
    [
        ("[", "", "]", "[instance type (array) does not match any allowed primitive type"),
        ('{"a":', "1", "}", "[object has missing required properties"),
        ('{"id":' + "[", "1", "]}", "[instance value ("),
    ],
    ids=["arrays", "objects", "a value that the reason shows"],
)
def test_a_body_nested_without_end_is_refused_and_the_next_is_answered(
    aws: Account, api: str, opening: str, inner: str, closing: str, reason: str, depth: int
) -> None:
    status, answer, _ = aws.post(api, body=opening * depth + inner + closing * depth)
    assert status == 400
    assert answer["reason"].startswith((reason, "Invalid JSON"))
    assert answer["reason"].startswith(reason) or depth > 1_000
    assert aws.post(api, body='{"id": 1}')[0] == 200
