"""The layer with the bridge, and the X-Ray SDK or OpenTelemetry where that is asked for: one a stack and content."""

from __future__ import annotations

from aws_cdk import FeatureFlags, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct, IConstruct

from .checks import Check, PipelineError
from .environments import refuse_other_region
from .layer_content import LayerContent, assemble
from .staging import check_assets, staging_folder

PYTHONS = ("PYTHON_3_11", "PYTHON_3_12", "PYTHON_3_13", "PYTHON_3_14", "PYTHON_3_15")
"""What the bridge is for, as the CDK names it; Lambda may know one before the CDK does."""

RUNTIMES: tuple[lambda_.Runtime, ...] = tuple(
    getattr(lambda_.Runtime, name) for name in PYTHONS if hasattr(lambda_.Runtime, name)
)
"""Those that this release of the CDK has."""

MOST_LAYERS = 5
"""How many layers a function takes: https://docs.aws.amazon.com/lambda/latest/dg/chapter-layers.html."""

AUTO_HANDLER = "trace_bridge.auto.handler"
"""The bridge's handler, which calls a function's own handler once for each message."""

_LAYER_ID = "TraceBridgeLayer"
BRIDGED = "traced-pipeline:bridged"
"""The metadata of a function that has the bridge's layer."""

_LAYER_MAKES_VERSION = "@aws-cdk/aws-lambda:recognizeLayerVersion"


def bridge_layer(
    scope: Construct, given: str | lambda_.ILayerVersion | None, content: LayerContent
) -> lambda_.ILayerVersion:
    """Returns the layer with the bridge for a function.

    Args:
        scope: The function's construct.
        given: The layer that the options name. Default: that of the stack.
        content: What the stack's layer is to hold beside the bridge. One that is given must hold OpenTelemetry itself.

    Raises:
        PipelineError: The layer cannot be made, or the one given is none or of another Region, or cannot be given the
            X-Ray SDK.
    """
    if given is None:
        return trace_bridge_layer(scope, content)
    if content.xray_sdk:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "xray_sdk is True and bridge_layer is given, but the X-Ray SDK goes into the stack's own layer; leave out "
            "bridge_layer, or leave out xray_sdk and give a layer that holds the SDK",
        )
    return brought_layer(scope, _LAYER_ID, given)


def brought_layer(scope: Construct, construct_id: str, given: str | lambda_.ILayerVersion) -> lambda_.ILayerVersion:
    """Returns a layer that was made elsewhere.

    Args:
        scope: The function's construct.
        construct_id: The id of what stands for an ARN; with a number behind it where it is taken.
        given: The layer or its ARN.

    Raises:
        PipelineError: It is of another Region.
    """
    if isinstance(given, str):
        taken = {child.node.id for child in scope.node.children}
        ids = (construct_id, *(f"{construct_id}{number}" for number in range(2, len(taken) + 2)))
        free = next(name for name in ids if name not in taken)
        given = lambda_.LayerVersion.from_layer_version_arn(scope, free, given)
    # https://docs.aws.amazon.com/lambda/latest/dg/adding-layers.html
    refuse_other_region(
        scope, given, given.layer_version_arn, "layer", why="a function takes layers of its own Region only"
    )
    return given


def mark_bridged(function: lambda_.CfnFunction) -> None:
    """Notes that a function has the bridge's layer, wherever that comes from."""
    if not has_bridge(function):
        function.node.add_metadata(BRIDGED, True)


def has_bridge(function: lambda_.CfnFunction) -> bool:
    """Returns whether a function was given the bridge's layer."""
    return any(entry.type == BRIDGED for entry in function.node.metadata)


class TraceBridgeLayer:
    """The layer with the bridge: one per stack, shared by all the functions that these constructs make in it.

    It is for functions made in other ways: `function.add_layers(TraceBridgeLayer.of(function))`. Their handlers then
    import `trace_bridge`, and their roles need `xray:PutTraceSegments` and `xray:PutTelemetryRecords`. A function
    outside of the app needs `TraceBridgeLayer.of(stack).layer_version_arn`.
    """

    @staticmethod
    def of(scope: IConstruct, *, xray_sdk: bool = False, open_telemetry: bool = False) -> lambda_.ILayerVersion:
        """Returns the layer of a construct's stack, made on first use.

        Args:
            scope: Any construct of the stack, or the stack itself.
            xray_sdk: Whether the layer is to hold the X-Ray SDK too; a stack's layer with it is another one than that
                without. Default: no.
            open_telemetry: Whether it is to hold OpenTelemetry's SDK too, likewise. A function that has it and
                `OTEL_PYTHON_TRACER_PROVIDER=trace_bridge` sends its spans to X-Ray. Default: no.

        Raises:
            PipelineError: A package that belongs in the layer is not installed.
        """
        content = LayerContent(xray_sdk=xray_sdk, open_telemetry="sdk" if open_telemetry else "none")
        return trace_bridge_layer(scope, content)


def trace_bridge_layer(scope: IConstruct, content: LayerContent) -> lambda_.LayerVersion:
    """Returns the layer of a construct's stack, made on first use.

    Args:
        scope: Any construct of the stack, or the stack itself.
        content: What it holds beside the bridge.

    Raises:
        PipelineError: A package that belongs in the layer is not installed, or the stack takes no assets.
    """
    stack = Stack.of(scope)
    check_assets(stack, "the bridge's layer", instead="give bridge_layer the ARN of a layer version that holds it")
    layer_id = f"{_LAYER_ID}{content.suffix}"
    existing = stack.node.try_find_child(layer_id)
    if isinstance(existing, lambda_.LayerVersion):
        return existing
    with staging_folder(stack) as folder:
        assemble(folder, content)
        return lambda_.LayerVersion(
            stack,
            layer_id,
            code=lambda_.Code.from_asset(str(folder)),
            description=content.description,
            compatible_runtimes=list(RUNTIMES),
            compatible_architectures=[lambda_.Architecture.ARM_64, lambda_.Architecture.X86_64],
        )


def publish_with_layer(function: lambda_.Function, layer: lambda_.ILayerVersion) -> None:
    """Lets a layer that changed publish a new version of a function, which an alias then moves to.

    The CDK does so by itself only with the feature flag `@aws-cdk/aws-lambda:recognizeLayerVersion`.
    """
    content = layer.node.try_find_child("Code")
    if isinstance(content, s3_assets.Asset) and not FeatureFlags.of(function).is_enabled(_LAYER_MAKES_VERSION):
        function.invalidate_version_based_on(content.asset_hash)
