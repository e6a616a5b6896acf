"""What of AWS can be traced by X-Ray, and how it is turned on."""

from __future__ import annotations

from collections.abc import Callable, Collection

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns

from .function_settings import PROPAGATING_MODE
from .roles import is_immutable
from .trace_state import Outcome, TraceState, unknown_properties
from .traceable_functions import trace_function

_CHOSEN_IN_SAM = (PROPAGATING_MODE, "Disabled")
_NEEDS = "needs X-Ray's write and sampling actions"


def switch_for(resource_type: str) -> Callable[[CfnResource], Outcome] | None:
    """Returns what turns tracing on for a CloudFormation type; None where there is nothing to turn on."""
    return _SWITCHES.get(resource_type)


def switchable_types() -> Collection[str]:
    """Returns the CloudFormation types whose tracing can be turned on."""
    return _SWITCHES.keys()


def _stage(resource: CfnResource) -> Outcome:
    if not isinstance(resource, apigateway.CfnStage):
        return unknown_properties()
    if Stack.of(resource).resolve(resource.tracing_enabled) is True:
        return TraceState.ALREADY_ENABLED, ""
    resource.tracing_enabled = True
    return TraceState.ENABLED, ""


def _topic(resource: CfnResource) -> Outcome:
    if not isinstance(resource, sns.CfnTopic):
        return unknown_properties()
    if Stack.of(resource).resolve(resource.tracing_config) == "Active":
        return TraceState.ALREADY_ENABLED, ""
    resource.tracing_config = "Active"
    return TraceState.ENABLED, ""


def _graphql_api(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_appsync as appsync  # large, and seldom needed

    if not isinstance(resource, appsync.CfnGraphQLApi):
        return unknown_properties()
    if Stack.of(resource).resolve(resource.xray_enabled) is True:
        return TraceState.ALREADY_ENABLED, ""
    resource.xray_enabled = True
    return TraceState.ENABLED, ""


def _state_machine(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_stepfunctions as stepfunctions  # large, and seldom needed

    if not isinstance(resource, stepfunctions.CfnStateMachine):
        return unknown_properties()
    if (Stack.of(resource).resolve(resource.tracing_configuration) or {}).get("enabled") is True:
        return TraceState.ALREADY_ENABLED, ""
    resource.tracing_configuration = stepfunctions.CfnStateMachine.TracingConfigurationProperty(enabled=True)
    machine = resource.node.scope
    if not isinstance(machine, stepfunctions.StateMachine):
        return TraceState.ENABLED, f"its role is not known here and {_NEEDS}"
    if is_immutable(machine.role):
        return TraceState.ENABLED, f"its role {machine.role.node.path} is immutable here and {_NEEDS}"
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
    return TraceState.ENABLED, ""


def _canary(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_synthetics as synthetics  # large, and seldom needed

    if not isinstance(resource, synthetics.CfnCanary):
        return unknown_properties()
    if (Stack.of(resource).resolve(resource.run_config) or {}).get("activeTracing") is True:
        return TraceState.ALREADY_ENABLED, ""
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Synthetics_Canaries_tracing.html
    return (
        TraceState.SKIPPED,
        "not every runtime of canaries can be traced; set active_tracing where the canary is made",
    )


def _sam_function(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_sam as sam  # seldom needed

    if not isinstance(resource, sam.CfnFunction):
        return unknown_properties()
    mode = Stack.of(resource).resolve(resource.tracing)
    if mode == "Active":
        return TraceState.ALREADY_ENABLED, ""
    if mode in _CHOSEN_IN_SAM:
        return TraceState.SKIPPED, f"{mode} is chosen"
    # SAM gives a role of its own what it needs:
    # https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
    resource.tracing = "Active"
    if resource.role is not None:
        return TraceState.ENABLED, "its role is not known here and needs xray:PutTraceSegments"
    return TraceState.ENABLED, ""


def _sam_api(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_sam as sam  # seldom needed

    if not isinstance(resource, sam.CfnApi):
        return unknown_properties()
    if Stack.of(resource).resolve(resource.tracing_enabled) is True:
        return TraceState.ALREADY_ENABLED, ""
    resource.tracing_enabled = True
    return TraceState.ENABLED, ""


def _sam_state_machine(resource: CfnResource) -> Outcome:
    from aws_cdk import aws_sam as sam  # seldom needed

    if not isinstance(resource, sam.CfnStateMachine):
        return unknown_properties()
    if (Stack.of(resource).resolve(resource.tracing) or {}).get("enabled") is True:
        return TraceState.ALREADY_ENABLED, ""
    resource.tracing = sam.CfnStateMachine.TracingConfigurationProperty(enabled=True)
    if resource.role is not None:
        return TraceState.ENABLED, f"its role is not known here and {_NEEDS}"
    return TraceState.ENABLED, ""


_SWITCHES: dict[str, Callable[[CfnResource], Outcome]] = {
    "AWS::ApiGateway::Stage": _stage,
    "AWS::AppSync::GraphQLApi": _graphql_api,
    "AWS::Lambda::Function": trace_function,
    "AWS::SNS::Topic": _topic,
    "AWS::Serverless::Api": _sam_api,
    "AWS::Serverless::Function": _sam_function,
    "AWS::Serverless::StateMachine": _sam_state_machine,
    "AWS::StepFunctions::StateMachine": _state_machine,
    "AWS::Synthetics::Canary": _canary,
}
