"""Says in a line what went wrong between here and AWS."""

from __future__ import annotations

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSLError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"})
_BAD_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
OPERATIONS = {
    "apigateway": ("GetAccount", "GetResources", "GetRestApi", "GetStage"),
    "cloudformation": ("DescribeStacks", "ListStackResources"),
    "ec2": ("DescribeRouteTables", "DescribeVpcEndpoints"),
    "iam": ("GetRole", "SimulatePrincipalPolicy"),
    "lambda": ("GetFunctionConcurrency", "GetFunctionConfiguration", "GetLayerVersionByArn", "ListEventSourceMappings"),
    "logs": ("FilterLogEvents",),
    "sns": ("GetSubscriptionAttributes", "GetTopicAttributes", "ListSubscriptionsByTopic"),
    "sqs": (
        "ChangeMessageVisibilityBatch",
        "DeleteMessage",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListMessageMoveTasks",
        "ReceiveMessage",
        "SendMessage",
        "StartMessageMoveTask",
    ),
    "xray": (
        "BatchGetTraces",
        "CancelTraceRetrieval",
        "GetSamplingRules",
        "GetTraceSegmentDestination",
        "GetTraceSummaries",
        "ListResourcePolicies",
        "ListRetrievedTraces",
        "StartTraceRetrieval",
    ),
}
"""The operations this package calls, by the prefix of their IAM actions."""

_PREFIXES = {operation: prefix for prefix, operations in OPERATIONS.items() for operation in operations}
# Where the permission is not named like the operation.
_ACTIONS = {
    "ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "GetLayerVersionByArn": "lambda:GetLayerVersion",
    **dict.fromkeys(OPERATIONS["apigateway"], "apigateway:GET"),
}


def describe(error: ClientError | BotoCoreError) -> str:
    """What an error of boto3 means for the person at the terminal, and what to do.

    Args:
        error: The error.
    """
    if isinstance(error, ClientError):
        return _refusal(error)
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            "There are no complete AWS credentials. Log in (for example `aws sso login`), name a profile with "
            "--profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if isinstance(error, NoRegionError):
        return "No AWS region is configured. Name one with --region or AWS_REGION."
    if isinstance(error, SSLError):
        return f"The server's certificate was not accepted; AWS_CA_BUNDLE names the authorities to trust. {error}"
    if isinstance(error, (HTTPClientError, BotoConnectionError)):
        return f"AWS could not be reached. {error}"
    return str(error)


def permission(operation: str) -> str:
    """Returns the IAM action an API operation needs, such as `xray:BatchGetTraces`.

    Args:
        operation: The operation, such as `BatchGetTraces`.
    """
    named = f"{_PREFIXES[operation]}:{operation}" if operation in _PREFIXES else operation
    return _ACTIONS.get(operation, named)


def _refusal(error: ClientError) -> str:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    operation = error.operation_name
    if code in _DENIED:
        return (
            f"Access denied: these credentials need the permission {permission(operation)}. AWS says: {_line(message)}"
        )
    if code in _BAD_CREDENTIALS:
        return f"AWS did not accept the credentials ({code}): {_line(message)} Log in again or name another --profile."
    return f"AWS refused {operation} ({code}): {_line(message)}"


def _line(message: str) -> str:
    return re.sub(r"\s+", " ", message).strip()
