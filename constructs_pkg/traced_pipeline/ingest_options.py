"""The ingest API: a REST API and the function behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from aws_cdk import aws_apigateway as apigateway

from .function_options import FunctionOptions

AccountLoggingRole: TypeAlias = Literal["existing", "create", "none"]
Authorizer: TypeAlias = Literal["iam", "api", "none"] | apigateway.IAuthorizer
JsonSchema: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class IngestOptions(FunctionOptions):
    """The ingest API: a REST API and the function behind it.

    Attributes:
        path: The resource's path; segments in braces are path parameters. Default: the API's root.
        method: The HTTP method. Default: `POST`.
        schema: JSON schema of the request body (draft 4, no later keywords), which API Gateway checks before the
            function runs. Default: any JSON object with at least one property, whose `id`, if present, is a string of 1
            to 256 characters.
        authorizer: Who may call. `"iam"`: callers that sign their requests (Signature Version 4) and have the
            permission `execute-api:Invoke`; `"api"`: whoever the default authorization of `api` lets in, an API that is
            made in this app and has one; `"none"`: anyone; or an authorizer of the CDK. Default: `"iam"`.
        authorization_scopes: OAuth scopes of which a caller's access token must have at least one; with a Cognito
            authorizer. Default: none, so that callers send an identity token.
            https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html
        message_group: The property of the request's body that the reference handler takes the message group from: a
            tenant or customer, for instance. It is set as `MESSAGE_GROUP_PROPERTY`. On a standard topic the groups make
            the queues fair ones, in which no group waits for a busy one. Default: on a FIFO topic `id`, otherwise none.
            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
        api: An existing REST API to add the route to. It keeps its own stage, tracing, logs and throttling, so that the
            fields below must stay at their defaults. Default: one is created.
        api_name: Name of the created API, at most 50 characters. Together with the stage's name it labels the node on
            the trace map. Default: derived from the stack's name and the construct's path.
        stage_name: Name of the created API's stage: letters, digits, hyphens and underscores, at most 128. Default:
            `prod`.
        throttling_rate_limit: Requests per second that the stage lets through on average. Default: 100.
        throttling_burst_limit: Requests that the stage lets through at once. Default: 200.
        account_logging_role: Whether the created API writes logs, for which API Gateway needs a role that is set once
            per account and Region. `"existing"`: it logs, with the role that the account has; `"create"`: it logs, and
            the stack creates and sets the role, which stays when the stack is deleted, since other APIs may rely on it;
            `"none"`: it writes no logs. Default: `"existing"`.
            https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """

    DEFAULT_TIMEOUT_SECONDS: ClassVar[int] = 10

    path: str = "/"
    method: str = "POST"
    schema: JsonSchema | None = None
    authorizer: Authorizer = "iam"
    authorization_scopes: Sequence[str] | None = None
    message_group: str | None = None
    api: apigateway.IRestApi | None = None
    api_name: str | None = None
    stage_name: str = "prod"
    throttling_rate_limit: float = 100
    throttling_burst_limit: int = 200
    account_logging_role: AccountLoggingRole = "existing"
