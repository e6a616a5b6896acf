"""Resources that come from outside of a construct: what can be wired, and what must be said."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_sns as sns
from constructs import Construct

from .authorization import is_made_here
from .checks import Check, PipelineError, warn
from .environments import check_environment
from .resource import resource_of
from .synthesis_checks import check_at_synthesis
from .topic import TracedTopic
from .xray_policies import lets_topics_trace


def check_topic(scope: Construct, topic: sns.ITopic) -> None:
    """Warn where a topic does not, or may not, record its part of a trace.

    The topic itself gets the warning, which is then one however many hops use it.
    """
    check_environment(scope, topic, topic.topic_arn, "topic", warned=topic)
    if isinstance(topic.node.scope, TracedTopic):
        # It is traced, and has decided about the permission.
        return
    if not isinstance(topic, sns.Topic):
        warn(
            topic,
            Check.TOPIC_NOT_MANAGED,
            f"topic {topic.node.path} is imported, so that its active tracing and its access policy cannot "
            "be set from here; where it is made, set TracingConfig to Active and let X-Ray take its segments",
        )
        return
    mode = _tracing_mode(topic)
    if mode != "Active":
        warn(
            topic,
            Check.TOPIC_NOT_TRACED,
            f"topic {topic.node.path} has tracing {mode or 'PassThrough'}, so that the topic and its queues "
            "are missing on the trace map; make it with tracing_config=sns.TracingConfig.ACTIVE, or use "
            "TracedTopic",
        )
    else:
        check_at_synthesis(topic, lambda: _check_permission(topic))


def _check_permission(topic: sns.Topic) -> None:
    if not lets_topics_trace(topic):
        warn(
            topic,
            Check.TOPIC_WITHOUT_PERMISSION,
            f"topic {topic.node.path} is traced, but nothing in this app lets SNS send its segments, so that the topic "
            "will be missing on the trace map; call SnsTracePermission.of(topic), or acknowledge this if the account "
            "has such a resource policy of X-Ray",
        )


def is_passive(topic: sns.ITopic) -> bool:
    """Tell whether a topic is known to record nothing, so that X-Ray infers no queue behind it."""
    return isinstance(topic, sns.Topic) and _tracing_mode(topic) != "Active"


def _tracing_mode(topic: sns.Topic) -> object:
    return Stack.of(topic).resolve(resource_of(topic, sns.CfnTopic).tracing_config)


def own_api(api: apigateway.IRestApi) -> apigateway.RestApiBase | None:
    """Returns the API with the deployment and stage that it makes itself; None if it makes none, or is imported."""
    return api if isinstance(api, apigateway.RestApiBase) and api.latest_deployment is not None else None


def deployed_api(api: apigateway.IRestApi, what: str) -> apigateway.RestApiBase:
    """Returns an API that makes its stage itself.

    Args:
        api: The API.
        what: What is wanted of its stage, for the message.

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
            "the stage that is made for it (in X-Ray: '<api name>/<stage name>')",
        )
    raise PipelineError(
        Check.API_NOT_MANAGED,
        f"the {what} of the imported API {api.node.path} is not known here; ask where it is made (in X-Ray: "
        "'<api name>/<stage name>')",
    )


def check_api(scope: Construct, api: apigateway.IRestApi) -> None:
    """Warn where an API's stage does not, or may not, record its part of a trace."""
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
