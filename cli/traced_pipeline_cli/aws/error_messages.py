"""Says in a line what went wrong between here and AWS."""

from __future__ import annotations

import re

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from ..text import one_line, sentence

# The codes that all services share, https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html, and those of
# single services.
_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "KMS.AccessDeniedException",
        "KMSAccessDenied",
        "KmsAccessDenied",
        "NotAuthorized",
        "UnauthorizedOperation",
    }
)
_BAD_CREDENTIALS = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_WRONG_TIME = frozenset({"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"})
# What AWS says of a signature's date, whatever the code.
_TIME_OF_SIGNATURE = re.compile(r"signature expired|signature not yet current", re.IGNORECASE)
_THROTTLED = frozenset(
    {
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_SERVER_ERROR = 500
# Such as: User: arn:… is not authorized to perform: kms:Decrypt on resource: …
_NAMED_ACTION = re.compile(r"not authorized to perform: (?P<action>[a-z0-9-]+:[A-Za-z]+)")
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
    """What an error of boto3 means for the person at the terminal, and what to do, in a line.

    Args:
        error: The error.
    """
    return one_line(_refusal(error) if isinstance(error, ClientError) else _without_answer(error))


def is_transient(error: ClientError | BotoCoreError) -> bool:
    """Returns whether an error passes by itself: throttling, an error of AWS's own, or a network that fails.

    Args:
        error: The error, after botocore's own attempts.
    """
    if isinstance(error, ClientError):
        return error.response["Error"].get("Code", "") in _THROTTLED or _is_of_server(error)
    return isinstance(error, (HTTPClientError, BotoConnectionError)) and not isinstance(error, SSLError)


def permission(operation: str) -> str:
    """Returns the IAM action an API operation needs, such as `xray:BatchGetTraces`.

    Args:
        operation: The operation, such as `BatchGetTraces`.
    """
    named = f"{_PREFIXES[operation]}:{operation}" if operation in _PREFIXES else operation
    return _ACTIONS.get(operation, named)


def _without_answer(error: BotoCoreError) -> str:
    """What an error means that AWS did not answer with."""
    text = sentence(f"{error}".rstrip(" .:"))
    if isinstance(error, (NoCredentialsError, PartialCredentialsError)):
        return (
            "There are no complete AWS credentials. Log in (for example `aws sso login`), name a profile with "
            "--profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    if isinstance(error, (SSOError, TokenRetrievalError)):
        return f"There is no valid login: {text} Log in again, for example by `aws sso login` with the same --profile."
    if isinstance(error, CredentialRetrievalError):
        return f"The AWS credentials could not be read: {text} Log in again or name another --profile."
    if isinstance(error, ProfileNotFound):
        return f"There is no such AWS profile: {text} `aws configure list-profiles` lists those there are."
    if isinstance(error, NoRegionError):
        return "No AWS region is configured. Name one with --region or AWS_REGION."
    if isinstance(error, InvalidRegionError):
        return f"{text} Name a region such as us-east-1 with --region or AWS_REGION."
    if isinstance(error, SSLError):
        return f"The server's certificate was not accepted; AWS_CA_BUNDLE names the authorities to trust. {text}"
    if isinstance(error, ReadTimeoutError):
        return f"There was no answer in time; the request may have been processed all the same. {text}"
    if isinstance(error, (HTTPClientError, BotoConnectionError)):
        return f"AWS could not be reached. {text} Check the network, the region (--region) and AWS_ENDPOINT_URL."
    return text


def _refusal(error: ClientError) -> str:
    answered = error.response["Error"]
    code, message = answered.get("Code", ""), sentence(answered.get("Message", ""))
    operation = error.operation_name
    if code in _DENIED:
        named = _NAMED_ACTION.search(message)
        needed = named["action"] if named else permission(operation)
        return f"Access denied: these credentials need the permission {needed}. AWS says: {message}"
    if code in _WRONG_TIME or (code in _BAD_CREDENTIALS and _TIME_OF_SIGNATURE.search(message)):
        return f"AWS did not accept the time of the request ({code}): {message} Set this machine's clock."
    if code in _BAD_CREDENTIALS:
        return f"AWS did not accept the credentials ({code}): {message} Log in again or name another --profile."
    if code in _THROTTLED:
        return (
            f"AWS throttles {operation} ({code}): {message} Try again later; with AWS_MAX_ATTEMPTS, boto3 tries more "
            "often."
        )
    if _is_of_server(error):
        return f"AWS failed at {operation} ({code}): {message} Try again later."
    return f"AWS refused {operation} ({code}): {message}"


def _is_of_server(error: ClientError) -> bool:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR
