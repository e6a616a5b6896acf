"""Which functions can be traced, and how that is turned on."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import IConstruct

from .roles import is_immutable
from .segment_permission import write_segments
from .synthesis_checks import resources_in_app
from .trace_state import Outcome, TraceState, unknown_properties

_EDGE = "edgelambda.amazonaws.com"
_PROVIDER_METADATA = "aws:cdk:is-custom-resource-handler"
# The CDK marks all its providers but these, whose ids are the same in every stack.
_UNMARKED_PROVIDERS = {
    "LogRetentionaae0aa3c5b4d4f87b02d85b201efdd8a",
    "BucketNotificationsHandler050a0587b7544547bf325f094a3db834",
}
_FRAMEWORK = "framework-"
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
    if _runs_at_the_edge(resource):
        return TraceState.UNSUPPORTED, "it runs as Lambda@Edge, which does not support X-Ray"
    mode = (Stack.of(resource).resolve(resource.tracing_config) or {}).get("mode")
    if mode == "Active":
        return TraceState.ALREADY_ENABLED, ""
    if mode == "PassThrough":
        return TraceState.SKIPPED, "PassThrough is chosen: the function only propagates the trace, or continues its own"
    resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
    function = resource.node.scope
    if not isinstance(function, lambda_.Function) or function.role is None:
        return TraceState.ENABLED, f"its role is not known here and {_NEEDS}"
    if is_immutable(function.role):
        return TraceState.ENABLED, f"its role {function.role.node.path} is immutable here and {_NEEDS}"
    function.add_to_role_policy(write_segments())
    return TraceState.ENABLED, ""


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


def _runs_at_the_edge(resource: lambda_.CfnFunction) -> bool:
    """Tells whether CloudFront may run a function: it needs a role that Lambda@Edge can assume.

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
    stack = Stack.of(resource)
    reference = stack.resolve(resource.role)
    if not isinstance(reference, Mapping) or "Fn::GetAtt" not in reference:
        return None
    name = reference["Fn::GetAtt"][0]
    roles = resources_in_app(resource, "AWS::IAM::Role")
    return next((r for r in roles if r.stack == stack and stack.resolve(r.logical_id) == name), None)
