"""What of AWS can be traced by X-Ray, how it is turned on, and why the rest cannot."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns

from .tracing import write_segments


class TraceState(StrEnum):
    """What became of a resource below `TraceEverything`."""

    ON = "on"
    TURNED_ON = "turned on"
    LEFT = "left as it is"
    IMPOSSIBLE = "cannot be traced"


Outcome = tuple[TraceState, str]

# https://docs.aws.amazon.com/xray/latest/devguide/xray-services.html
NOT_TRACEABLE = {
    "AWS::ApiGatewayV2::Api": "X-Ray traces REST APIs only, no HTTP and no WebSocket APIs",
    "AWS::SQS::Queue": "SQS hands the trace header on with a message and records nothing; a consumer continues the "
    "trace with trace_bridge",
    "AWS::DynamoDB::Table": "DynamoDB records nothing; the map draws a table from its caller's subsegment",
    "AWS::DynamoDB::GlobalTable": "DynamoDB records nothing; the map draws a table from its caller's subsegment",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "an Application Load Balancer adds a trace header to requests and "
    "records nothing",
    "AWS::Events::EventBus": "EventBridge hands the trace header on to targets and records nothing",
    "AWS::Events::Rule": "EventBridge hands the trace header on to targets and records nothing",
    "AWS::S3::Bucket": "S3 hands the trace header on with its notifications and records nothing",
}


def switch_for(kind: str) -> Callable[[CfnResource], Outcome] | None:
    """Find what turns tracing on for a CloudFormation type; None where there is nothing to turn on."""
    return _SWITCHES.get(kind)


def _stage(resource: CfnResource) -> Outcome:
    if not isinstance(resource, apigateway.CfnStage):
        return _unknown()
    if Stack.of(resource).resolve(resource.tracing_enabled) is True:
        return TraceState.ON, ""
    resource.tracing_enabled = True
    return TraceState.TURNED_ON, ""


def _topic(resource: CfnResource) -> Outcome:
    if not isinstance(resource, sns.CfnTopic):
        return _unknown()
    if Stack.of(resource).resolve(resource.tracing_config) == "Active":
        return TraceState.ON, ""
    resource.tracing_config = "Active"
    return TraceState.TURNED_ON, ""


def _function(resource: CfnResource) -> Outcome:
    if not isinstance(resource, lambda_.CfnFunction):
        return _unknown()
    mode = (Stack.of(resource).resolve(resource.tracing_config) or {}).get("mode")
    if mode == "Active":
        return TraceState.ON, ""
    if mode == "PassThrough":
        return TraceState.LEFT, "PassThrough is chosen: the function only hands the trace on, or continues its own"
    resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode="Active")
    function = resource.node.scope
    if not isinstance(function, lambda_.Function) or function.role is None:
        return TraceState.TURNED_ON, "its role is not known here and needs xray:PutTraceSegments"
    function.add_to_role_policy(write_segments())
    return TraceState.TURNED_ON, ""


def _graphql_api(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_appsync as appsync  # large, and seldom needed

    if not isinstance(resource, appsync.CfnGraphQLApi):
        return _unknown()
    if Stack.of(resource).resolve(resource.xray_enabled) is True:
        return TraceState.ON, ""
    resource.xray_enabled = True
    return TraceState.TURNED_ON, ""


def _state_machine(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_stepfunctions as stepfunctions  # large, and seldom needed

    if not isinstance(resource, stepfunctions.CfnStateMachine):
        return _unknown()
    if (Stack.of(resource).resolve(resource.tracing_configuration) or {}).get("enabled") is True:
        return TraceState.ON, ""
    resource.tracing_configuration = stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True)
    machine = resource.node.scope
    if not isinstance(machine, stepfunctions.StateMachine):
        return TraceState.TURNED_ON, "its role is not known here and needs X-Ray's write and sampling actions"
    machine.add_to_role_policy(
        iam.PolicyStatement(
            actions=[
                "xray:PutTraceSegments",
                "xray:PutTelemetryRecords",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
            ],
            resources=["*"],
        )
    )
    return TraceState.TURNED_ON, ""


def _unknown() -> Outcome:
    return TraceState.LEFT, "it is a plain CfnResource, whose properties are not known here"


_SWITCHES: dict[str, Callable[[CfnResource], Outcome]] = {
    "AWS::ApiGateway::Stage": _stage,
    "AWS::AppSync::GraphQLApi": _graphql_api,
    "AWS::Lambda::Function": _function,
    "AWS::SNS::Topic": _topic,
    "AWS::StepFunctions::StateMachine": _state_machine,
}
