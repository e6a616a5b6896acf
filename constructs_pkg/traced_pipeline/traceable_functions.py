"""Which functions can be traced, and how that is turned on."""

from __future__ import annotations

import json

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from .function_settings import PROPAGATING_MODE
from .resource import referenced_resource
from .roles import is_immutable
from .segment_permission import write_segments
from .trace_state import Outcome, TraceState, unknown_properties

_EDGE = "edgelambda.amazonaws.com"
_PROVIDER_METADATA = "aws:cdk:is-custom-resource-handler"
# The CDK marks all its providers but these, whose ids are the same in every stack.
_UNMARKED_PROVIDERS = {
    "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a",
    "BucketNotificationsHandler050a0587b7544547bf325f094a3db834",
}
_FRAMEWORK = "framework-"
_POLICY_ID = "TraceBridgeXRay"
_NEEDS = "needs xray:PutTraceSegments and xray:PutTelemetryRecords"


def trace_function(resource: CfnResource) -> Outcome:
    """Turns tracing on for a function, with its permission, where that is possible and was not decided."""
    if _is_provider(resource):
        return (
            TraceState.SKIPPED,
            "it is the CDK's own provider of a custom resource: it serves deployments, no requests",
        )
    if not isinstance(resource, lambda_.CfnFunction):
        return unknown_properties()
    if runs_at_the_edge(resource):
        return TraceState.UNSUPPORTED, "it runs as Lambda@Edge, which does not support X-Ray"
    mode = (Stack.of(resource).resolve(resource.tracing_config) or {}).get("mode")
    if mode == "Active":
        return TraceState.ALREADY_ENABLED, ""
    if mode == PROPAGATING_MODE:
        return TraceState.SKIPPED, "PassThrough is chosen: the function only propagates the trace, or continues its own"
    resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
    return TraceState.ENABLED, let_send_segments(resource)


def let_send_segments(resource: lambda_.CfnFunction) -> str:
    """Gives a function's role the permission to send segments.

    Returns:
        What is missing where the role cannot be changed from here; otherwise an empty text.
    """
    function = resource.node.scope
    if isinstance(function, lambda_.Function) and function.role is not None:
        if is_immutable(function.role):
            return f"its role {function.role.node.path} is immutable here and {_NEEDS}"
        function.add_to_role_policy(write_segments())
        return ""
    role = _role_of(resource)
    if not isinstance(role, iam.CfnRole) or role.stack != resource.stack:
        return f"its role is not known here and {_NEEDS}"
    if resource.node.try_find_child(_POLICY_ID) is None:
        document = iam.PolicyDocument(statements=[write_segments()])
        iam.CfnPolicy(resource, _POLICY_ID, policy_name=_POLICY_ID, policy_document=document, roles=[role.ref])
    return ""


def _is_provider(resource: CfnResource) -> bool:
    function = resource.node.scope
    if function is None or function.node.scope is None:
        return False
    if function.node.id in _UNMARKED_PROVIDERS:
        return True
    if function.node.id.startswith(_FRAMEWORK):
        from aws_cdk import custom_resources  # large, and seldom needed

        return isinstance(function.node.scope, custom_resources.Provider)
    return any(entry.type.startswith(_PROVIDER_METADATA) for entry in function.node.metadata)


def runs_at_the_edge(resource: lambda_.CfnFunction) -> bool:
    """Returns whether CloudFront may run a function: it needs a role that Lambda@Edge can assume.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/lambda-at-edge-function-restrictions.html
    """
    role = _role_of(resource)
    if not isinstance(role, iam.CfnRole):
        return False
    return _EDGE in json.dumps(Stack.of(role).resolve(role.assume_role_policy_document))


def _role_of(resource: lambda_.CfnFunction) -> IConstruct | None:
    function = resource.node.scope
    if isinstance(function, lambda_.Function):
        return None if function.role is None else function.role.node.default_child
    # From a template, or made as an L1: the role is named by a reference.
    return referenced_resource(resource.role)
