"""Existing REST APIs: what is known about them, and the warnings where they are not traced."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct

from .authorization import is_made_here
from .checks import Check, PipelineError, warn
from .resource import resource_of


def own_api(api: apigateway.IRestApi) -> apigateway.RestApiBase | None:
    """Returns the API with the deployment and stage that it makes itself; None if it makes none, or is imported."""
    return api if isinstance(api, apigateway.RestApiBase) and api.latest_deployment is not None else None


def deployed_api(
    api: apigateway.IRestApi, what: str, *, hint: str = "in X-Ray: '<api name>/<stage name>'"
) -> apigateway.RestApiBase:
    """Returns an API that makes its stage itself.

    Args:
        api: The API.
        what: What is wanted of its stage, for the message.
        hint: What helps to find it elsewhere, for the message. Default: how X-Ray names a stage.

    Raises:
        PipelineError: The API is imported, or made without a stage.
    """
    own = own_api(api)
    if own is not None:
        return own
    if is_made_here(api):
        raise PipelineError(
            Check.API_NOT_DEPLOYED,
            f"the {what} of API {api.node.path} is not known here, since it is made with deploy=False; take it from "
            f"the stage that is made for it ({hint})",
        )
    raise PipelineError(
        Check.API_NOT_MANAGED,
        f"the {what} of the imported API {api.node.path} is not known here; ask where it is made ({hint})",
    )


def check_api(scope: Construct, api: apigateway.IRestApi) -> None:
    """Warns where an API's stage does not, or may not, record its part of a trace."""
    own = own_api(api)
    if own is None and is_made_here(api):
        warn(
            scope,
            Check.API_NOT_DEPLOYED,
            f"API {api.node.path} is made with deploy=False, so that its stage's tracing cannot be checked here and no "
            "deployment publishes the new route by itself; deploy it after this construct, to a stage with "
            "tracing_enabled=True",
        )
        return
    if own is None:
        warn(
            scope,
            Check.API_NOT_MANAGED,
            f"API {api.node.path} is imported, so that its stage's tracing cannot be set from here and no "
            "deployment publishes the new route; set TracingEnabled and deploy where it is made",
        )
        return
    stage = resource_of(own.deployment_stage, apigateway.CfnStage)
    if Stack.of(api).resolve(stage.tracing_enabled) is not True:
        warn(
            scope,
            Check.API_NOT_TRACED,
            f"stage {own.deployment_stage.node.path} is not traced, so that a request's trace starts at the "
            "function and X-Ray's sampling rules for the API do not apply; make it with "
            "deploy_options=StageOptions(tracing_enabled=True)",
        )
