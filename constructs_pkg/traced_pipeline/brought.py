"""Resources that come from outside of a construct: what can be wired, and what must be said."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields

from aws_cdk import IResource, Stack, Token
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct, IConstruct

from .acknowledged import acknowledge_star
from .checks import Check, PipelineError, refuse_settings, warn
from .layer import trace_bridge_layer
from .options import FunctionOptions, Handler
from .resource import resource_of
from .topic import TracedTopic
from .tracing import lets_topics_trace, write_segments

_ACCOUNT_OF_AN_ARN = 4
_OF_ANY_FUNCTION = {"handler", "removal_policy"}
# https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html
_MOST_LAYERS = 5


def own_function(function: lambda_.IFunction) -> lambda_.Function | None:
    """Find the function that this app makes behind a function, version or alias; None if it is imported."""
    while isinstance(function, lambda_.Alias | lambda_.Version):
        function = function.lambda_
    return function if isinstance(function, lambda_.Function) else None


def finished_function(options: FunctionOptions, *, used_otherwise: Collection[str] = ()) -> lambda_.IFunction | None:
    """Return the function that the options bring along; None if there is one to make.

    Args:
        options: The hop's settings.
        used_otherwise: Fields that mean more to the hop than its function.

    Raises:
        PipelineError: Settings for a function to make are given beside a finished one.
    """
    if options.handler is None or isinstance(options.handler, Handler):
        return None
    settings = {field.name for field in fields(FunctionOptions)} - _OF_ANY_FUNCTION - set(used_otherwise)
    refuse_settings(options, sorted(settings), brought="a function", instead="give a Handler instead of the function")
    return options.handler


def adopt_function(
    scope: Construct,
    function: lambda_.IFunction,
    *,
    environment: Mapping[str, str],
    must_be_active: bool,
) -> None:
    """Give a function from outside what its hop needs, and warn of what it cannot be given.

    Args:
        scope: The hop; it gets the warnings.
        function: The function, version or alias.
        environment: Variables the hop's handler reads; they win over the function's own of the same name.
        must_be_active: Whether the trace breaks where Lambda does not record the function.
    """
    check_account(scope, function, function.function_arn, "function")
    own = own_function(function)
    if own is None:
        needs = [*(f"the variable {name}" for name in environment), "the bridge's layer", "permission to send segments"]
        if function.role is None:
            needs.append("permission for what the hop does with its queue, topic and table")
        warn(
            scope,
            Check.FUNCTION_NOT_MANAGED,
            f"function {function.node.path} is imported, so that its tracing mode cannot be checked, and it cannot "
            f"be given {', '.join(needs)}; see to these where it is made",
        )
        return
    resource = resource_of(own, lambda_.CfnFunction)
    mode = (Stack.of(own).resolve(resource.tracing_config) or {}).get("mode")
    if must_be_active and mode != "Active":
        warn(
            scope,
            Check.FUNCTION_NOT_TRACED,
            f"function {own.node.path} has tracing mode {mode or 'PassThrough'}, so that the trace of a "
            "request has no segment of it; make it with tracing=lambda_.Tracing.ACTIVE",
        )
    for name, value in environment.items():
        own.add_environment(name, value)
    _add_layer(scope, own)
    if own.role is not None:
        policy = iam.Policy(scope, "XRay", statements=[write_segments()], roles=[own.role])
        acknowledge_star(
            resource_of(policy, iam.CfnPolicy),
            "X-Ray's write actions know no resources; AWS documents them with Resource *",
        )


def _add_layer(scope: Construct, function: lambda_.Function) -> None:
    if function.runtime.family == lambda_.RuntimeFamily.PYTHON:
        layer = trace_bridge_layer(function)
        stack = Stack.of(function)
        present = stack.resolve(resource_of(function, lambda_.CfnFunction).layers) or []
        if stack.resolve(layer.layer_version_arn) in present:
            return
        fits = function.runtime.name in {runtime.name for runtime in layer.compatible_runtimes or []}
        if fits and len(present) < _MOST_LAYERS:
            function.add_layers(layer)
            return
    warn(
        scope,
        Check.FUNCTION_WITHOUT_BRIDGE,
        f"function {function.node.path} ({function.runtime.name}) cannot be given the bridge's layer, which is for "
        f"Python 3.11 or newer, code from an archive, and one of at most {_MOST_LAYERS} layers; without the bridge a "
        "message's trace ends at the queue: install trace-bridge into the function's code, and acknowledge this",
    )


def check_account(
    scope: Construct, resource: IResource, arn: str, what: str, *, warned: IConstruct | None = None
) -> None:
    """Warn where a resource is known to belong to another account.

    Args:
        scope: The hop that uses it.
        resource: The resource.
        arn: Its ARN.
        what: What it is, for the message.
        warned: The construct that gets the warning. Default: the hop.
    """
    ours = Stack.of(scope).account
    # An imported resource may claim its stack's account, whatever its ARN says.
    theirs = resource.env.account if Token.is_unresolved(arn) else arn.split(":")[_ACCOUNT_OF_AN_ARN]
    if theirs == ours or Token.is_unresolved(theirs) or Token.is_unresolved(ours):
        return
    warn(
        warned or scope,
        Check.OTHER_ACCOUNT,
        f"{what} {resource.node.path} belongs to account {theirs}, this stack to {ours}: its own policy must let "
        "this account in, and each account records its own part of a trace, under the same trace id",
    )


def check_topic(scope: Construct, topic: sns.ITopic) -> None:
    """Warn where a topic does not, or may not, record its part of a trace.

    The topic itself gets the warning, which is then one however many hops use it.
    """
    if isinstance(topic.node.scope, TracedTopic):
        # It is traced and has decided about the permission; and the CDK itself refuses a resource without a name of
        # its own from another account.
        return
    check_account(scope, topic, topic.topic_arn, "topic", warned=topic)
    if not isinstance(topic, sns.Topic):
        warn(
            topic,
            Check.TOPIC_NOT_MANAGED,
            f"topic {topic.node.path} is imported, so that its active tracing and its access policy cannot "
            "be set from here; where it is made, set TracingConfig to Active and let X-Ray take its segments",
        )
        return
    resource = resource_of(topic, sns.CfnTopic)
    mode = Stack.of(topic).resolve(resource.tracing_config)
    if mode != "Active":
        warn(
            topic,
            Check.TOPIC_NOT_TRACED,
            f"topic {topic.node.path} has tracing {mode or 'PassThrough'}, so that the topic and its queues "
            "are missing on the trace map; make it with tracing_config=sns.TracingConfig.ACTIVE, or use "
            "TracedTopic",
        )
    elif not lets_topics_trace(topic):
        warn(
            topic,
            Check.TOPIC_WITHOUT_PERMISSION,
            f"topic {topic.node.path} is traced, but nothing in this app lets SNS send its segments, so that the topic "
            "will be missing on the trace map; call SnsTracePermission.of(topic) before this construct, or acknowledge "
            "this if the account has such a resource policy of X-Ray",
        )


def check_api(scope: Construct, api: apigateway.IRestApi) -> None:
    """Warn where an API's stage does not, or may not, record its part of a trace.

    Raises:
        PipelineError: It is no REST API.
    """
    if not hasattr(api, "rest_api_id"):
        raise PipelineError(
            Check.HTTP_API,
            f"api is of type {type(api).__name__}, but X-Ray traces no other API of API Gateway than a REST API; "
            "give an apigateway.RestApi",
        )
    if not isinstance(api, apigateway.RestApiBase) or api.latest_deployment is None:
        warn(
            scope,
            Check.API_NOT_MANAGED,
            f"API {api.node.path} is imported, so that its stage's tracing cannot be set from here and no "
            "deployment publishes the new route; set TracingEnabled and deploy where it is made",
        )
        return
    stage = resource_of(api.deployment_stage, apigateway.CfnStage)
    if Stack.of(api).resolve(stage.tracing_enabled) is not True:
        warn(
            scope,
            Check.API_NOT_TRACED,
            f"stage {api.deployment_stage.node.path} is not traced, so that a request's trace starts at the "
            "function and X-Ray's sampling rules for the API do not apply; make it with "
            "deploy_options=StageOptions(tracing_enabled=True)",
        )
