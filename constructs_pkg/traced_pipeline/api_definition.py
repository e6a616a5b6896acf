"""The default request schema, the answers to refused requests and the access log of an ingest API."""

from __future__ import annotations

import json

from aws_cdk import aws_apigateway as apigateway

from .ingest_options import JsonSchema

DEFAULT_SCHEMA: JsonSchema = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "type": "object",
    "minProperties": 1,
    "properties": {"id": {"type": "string", "minLength": 1, "maxLength": 256}},
}

# API Gateway validates a body only where a model is registered for its content type; `$default` stands for
# all the others. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-method-request-validation.html
VALIDATED_CONTENT_TYPES = ("application/json", "$default")

# `messageString` comes with its quotes, `validationErrorString` without; the latter's inner quotes are
# assumed to come escaped. Statuses are not named here, so that AWS's own stay.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
_REFUSED = '{"message":$context.error.messageString,"request_id":"$context.requestId"}'
_INVALID_BODY = (
    '{"message":$context.error.messageString,'
    '"errors":"$context.error.validationErrorString",'
    '"request_id":"$context.requestId"}'
)


def access_log_format() -> apigateway.AccessLogFormat:
    """Returns the access log's JSON line, which names the request's trace."""
    return apigateway.AccessLogFormat.custom(
        json.dumps(
            {
                "requestId": "$context.requestId",
                "xrayTraceId": "$context.xrayTraceId",
                "requestTime": "$context.requestTime",
                "httpMethod": "$context.httpMethod",
                "resourcePath": "$context.resourcePath",
                "status": "$context.status",
                "protocol": "$context.protocol",
                "responseLength": "$context.responseLength",
                "responseLatency": "$context.responseLatency",
                "integrationLatency": "$context.integrationLatency",
                "sourceIp": "$context.identity.sourceIp",
                "caller": "$context.identity.userArn",
                "error": "$context.error.message",
            },
            separators=(",", ":"),
        )
    )


def add_gateway_responses(api: apigateway.RestApi) -> None:
    """Makes answers to refused requests say why, with AWS's own statuses."""
    api.add_gateway_response(
        "InvalidBody",
        type=apigateway.ResponseType.BAD_REQUEST_BODY,
        templates={"application/json": _INVALID_BODY},
    )
    api.add_gateway_response(
        "Refused",
        type=apigateway.ResponseType.DEFAULT_4_XX,
        templates={"application/json": _REFUSED},
    )
