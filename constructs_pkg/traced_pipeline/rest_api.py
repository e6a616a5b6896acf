"""The REST API that an ingest hop creates: its stage, its throttling and its logs."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Token
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from constructs import Construct

from .account_logging import account_logging, rely_on_account_logging
from .api_definition import access_log_format, add_gateway_responses
from .checks import Check, PipelineError
from .ingest_options import IngestOptions
from .limits import API_NAME, check_limit
from .log_group import make_log_group
from .names import account_wide_name
from .sampling_rule import check_service_name

_API_NAME_LENGTH = 50


@dataclass(frozen=True, kw_only=True)
class CreatedApi:
    """A REST API, and its access log, if it writes one."""

    api: apigateway.RestApi
    access_log_group: logs.LogGroup | None


def make_rest_api(scope: Construct, options: IngestOptions) -> CreatedApi:
    """Creates a REST API with tracing.

    Args:
        scope: Where to create it.
        options: The ingest hop's settings.

    Raises:
        PipelineError: A name is too long for X-Ray, or not known at synthesis.
    """
    if Token.is_unresolved(options.stage_name):
        raise PipelineError(
            Check.OPTION_VALUE,
            "IngestOptions.stage_name is known at deployment only, but the CDK derives ids from it; give a text",
        )
    if options.api_name is not None:
        check_service_name(f"{options.api_name}/{options.stage_name}")
        check_limit("IngestOptions.api_name", options.api_name, API_NAME)
    access_log_group = None
    if options.account_logging_role != "none":
        access_log_group = make_log_group(
            scope,
            "AccessLogs",
            retention=options.log_retention,
            key=options.log_key,
            removal_policy=options.removal_policy,
        )
    api = apigateway.RestApi(
        scope,
        "Api",
        rest_api_name=options.api_name or account_wide_name(scope, max_length=_API_NAME_LENGTH),
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        cloud_watch_role=False,
        deploy_options=apigateway.StageOptions(
            stage_name=options.stage_name,
            tracing_enabled=True,
            throttling_rate_limit=options.throttling_rate_limit,
            throttling_burst_limit=options.throttling_burst_limit,
            logging_level=apigateway.MethodLoggingLevel.ERROR if access_log_group else None,
            access_log_destination=apigateway.LogGroupLogDestination(access_log_group) if access_log_group else None,
            access_log_format=access_log_format() if access_log_group else None,
        ),
    )
    # The CDK gives every REST API a stack output that nobody asked for.
    api.node.try_remove_child("Endpoint")
    add_gateway_responses(api)
    if options.account_logging_role == "create":
        api.deployment_stage.node.add_dependency(account_logging(scope))
    elif options.account_logging_role == "existing":
        rely_on_account_logging(scope, api.deployment_stage)
    return CreatedApi(api=api, access_log_group=access_log_group)
