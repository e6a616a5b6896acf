"""The ingest API: a REST API and the function behind it."""

from __future__ import annotations

from collections.abc import Mapping
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
        schema: JSON schema (draft 4, and no keyword beyond it) of a request's body, which API Gateway checks before the
            function runs. Default: any JSON object with at least one property, whose `id`, if present, is a
            string of 1 to 256 characters.
        authorizer: `"iam"`: callers sign their requests (Signature Version 4) and need
            `execute-api:Invoke`; `"api"`: the default authorization of the API given as `api`, which must be made in
            this app and have one; `"none"`: anyone may call; or an authorizer of the CDK.
            Default: `"iam"`.
        api: A REST API to add the route to. It keeps its own stage, tracing, logs and throttling: the
            fields below must then stay at their defaults. Default: one is created.
        api_name: Name of the created API, of at most 50 characters; with the stage's name it is the name
            of the node on the trace map. Default: derived from the stack's name and the construct's path.
        stage_name: Name of the created API's stage: letters, digits, hyphens and underscores, at most 128. Default:
            `prod`.
        throttling_rate_limit: Requests a second, averaged, that the stage lets through. Default: 100.
        throttling_burst_limit: Requests that may come at once. Default: 200.
        account_logging_role: API Gateway logs only where the account has a role for it, one per account
            and Region. `"existing"`: the account has one, and is left alone; `"create"`: the stack
            sets it (and leaves it when it goes, since other APIs come to rely on it); `"none"`: the API
            logs nothing. Default: `"existing"`.
            https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html
    """

    DEFAULT_TIMEOUT_SECONDS: ClassVar[int] = 10

    path: str = "/"
    method: str = "POST"
    schema: JsonSchema | None = None
    authorizer: Authorizer = "iam"
    api: apigateway.IRestApi | None = None
    api_name: str | None = None
    stage_name: str = "prod"
    throttling_rate_limit: float = 100
    throttling_burst_limit: int = 200
    account_logging_role: AccountLoggingRole = "existing"
