"""What a function is, read from its resource: CloudFormation's or SAM's, typed or a plain `CfnResource`."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import CfnResource

from .intrinsics import part_of
from .resource import properties_of

SAM_FUNCTION = "AWS::Serverless::Function"
FUNCTION_TYPES = ("AWS::Lambda::Function", SAM_FUNCTION)
PROPAGATING_MODE = "PassThrough"
"""The tracing mode in which Lambda only propagates the trace."""
DEFAULT_TIMEOUT_SECONDS = 3
"""A function's timeout where none is set: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html."""
EXEC_WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
"""The variable that names a script around a function: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-modify.html."""

_IMAGE = "Image"
# What a durable function has to be allowed: https://docs.aws.amazon.com/lambda/latest/dg/durable-security.html
_OF_DURABLE = ("CheckpointDurableExecution", "BasicDurableExecutionRolePolicy")


@dataclass(frozen=True, kw_only=True)
class FunctionSettings:
    """The settings of a function. What is not stated is None; what only a deployment knows is an intrinsic function.

    Attributes:
        handler: Its handler.
        runtime: The name of its runtime.
        is_image: Whether it is a container image.
        is_inline: Whether its code stands in the template.
        layers: Its layers.
        variables: Its environment variables.
        is_signed: Whether a code signing configuration checks its code.
        is_durable: Whether it is a durable function.
        on_managed_instances: Whether it runs on Lambda Managed Instances.
        mode: Its tracing mode.
        timeout: Its timeout, in seconds.
        events: For a SAM function, what calls it.
        has_url: For a SAM function, whether it has a URL.
    """

    handler: object
    runtime: object
    is_image: bool
    is_inline: bool
    layers: object
    variables: object
    is_signed: bool
    is_durable: bool
    on_managed_instances: bool
    mode: object
    timeout: object
    events: object
    has_url: bool


def settings_of(function: CfnResource) -> FunctionSettings:
    """Returns the settings of a function."""
    properties = properties_of(function)
    code = properties.get("code")
    of_sam = function.cfn_resource_type == SAM_FUNCTION
    tracing = properties.get("tracing") if of_sam else part_of(properties.get("tracingConfig"), "mode")
    return FunctionSettings(
        handler=properties.get("handler"),
        runtime=properties.get("runtime"),
        is_image=properties.get("packageType") == _IMAGE
        or "imageUri" in properties
        or part_of(code, "imageUri") is not None,
        is_inline="inlineCode" in properties or part_of(code, "zipFile") is not None,
        layers=properties.get("layers"),
        variables=part_of(properties.get("environment"), "variables"),
        is_signed="codeSigningConfigArn" in properties,
        # SAM's property is not one that the CDK knows, and what it does not know it shows to nobody.
        is_durable="durableConfig" in properties or _names(properties.get("policies"), *_OF_DURABLE),
        on_managed_instances="capacityProviderConfig" in properties,
        mode=tracing,
        timeout=properties.get("timeout"),
        events=properties.get("events"),
        has_url="functionUrlConfig" in properties,
    )


def _names(value: object, *words: str) -> bool:
    """Returns whether one of some words stands in a value, however deep."""
    text = str(value)
    return any(word in text for word in words)
