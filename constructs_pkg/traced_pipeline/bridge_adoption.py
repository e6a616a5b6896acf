"""The bridge given to a consumer that exists: layer, handler, permission, tracing mode, partial batch failures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aws_cdk import Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sam as sam

from . import bridge_environment
from .function_settings import PROPAGATING_MODE, FunctionSettings
from .layer import AUTO_HANDLER, BRIDGED, publish_with_layer, trace_bridge_layer
from .layer_content import LayerContent
from .sqs_consumers import REPORTS_FAILURES, QueueMapping
from .traceable_functions import let_send_segments


def give_bridge(
    function: lambda_.CfnFunction | sam.CfnFunction, settings: FunctionSettings, mappings: Sequence[QueueMapping]
) -> list[str]:
    """Gives a function the layer and the handler, and has its queues' mappings report failures.

    Args:
        function: The function's resource.
        settings: Its settings before.
        mappings: The mappings by which queues call it.

    Returns:
        What was done, a text each.
    """
    layer = trace_bridge_layer(function, LayerContent())
    _add_layer(function, layer)
    function.handler = AUTO_HANDLER
    # Beside the variables that are there, wherever they were set.
    function.add_property_override(f"Environment.Variables.{bridge_environment.HANDLER}", settings.handler)
    if isinstance(function, lambda_.CfnFunction):
        function.node.add_metadata(BRIDGED, True)
    return [
        f"layer {layer.node.path}",
        f"handler {AUTO_HANDLER}, which calls {settings.handler} once for each message",
        *report_failures(mappings),
    ]


def report_failures(mappings: Sequence[QueueMapping]) -> Iterator[str]:
    """Has mappings take failed messages from the function's answer, and says which did not before."""
    for mapping in mappings:
        if mapping.reports_failures:
            continue
        if mapping.event:
            name = f"Events.{mapping.event}.Properties.FunctionResponseTypes"
            mapping.resource.add_property_override(name, [REPORTS_FAILURES])
            yield f"{REPORTS_FAILURES} on event {mapping.event}"
        else:
            if isinstance(mapping.resource, lambda_.CfnEventSourceMapping):
                mapping.resource.function_response_types = [REPORTS_FAILURES]
            else:
                mapping.resource.add_property_override("FunctionResponseTypes", [REPORTS_FAILURES])
            yield f"{REPORTS_FAILURES} on {mapping.path}"


def pass_through(function: lambda_.CfnFunction | sam.CfnFunction) -> str:
    """Has Lambda record no segments of a function's own, whose messages have theirs.

    Returns:
        What the function's role still needs; otherwise an empty text.
    """
    if isinstance(function, lambda_.CfnFunction):
        function.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode=PROPAGATING_MODE)
        return let_send_segments(function)
    # SAM gives a role of its own what it needs, in this mode as well.
    # https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-resource-function.html
    function.tracing = PROPAGATING_MODE
    return "" if function.role is None else "its role is not known here and needs xray:PutTraceSegments"


def _add_layer(function: lambda_.CfnFunction | sam.CfnFunction, layer: lambda_.LayerVersion) -> None:
    own = function.node.scope
    if isinstance(own, lambda_.Function):
        own.add_layers(layer)
        publish_with_layer(own, layer)
        arn = layer.layer_version_arn
        if Stack.of(function).resolve(arn) in (Stack.of(function).resolve(function.layers) or ()):
            return
    # An L1, or an L2 whose resource was given other layers.
    function.layers = [*(function.layers or ()), layer.layer_version_arn]
