"""What an instrumentation asks of a function: layers, variables and permissions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from . import bridge_environment
from .checks import Check, PipelineError
from .function_settings import EXEC_WRAPPER
from .instrumentation import Adot, AdotExport, Instrumentation, OpenTelemetry, Vendor, why_active
from .layer import brought_layer
from .layer_content import OpenTelemetryParts

_TRACER_PROVIDER = "OTEL_PYTHON_TRACER_PROVIDER"
_TRACES_EXPORTER = "OTEL_TRACES_EXPORTER"
_OURS = "trace_bridge"
"""The name under which OpenTelemetry finds the bridge's tracer provider and its exporter."""

# https://aws-otel.github.io/docs/getting-started/lambda
_OF_ADOT: Mapping[str, str] = {
    "OTEL_PROPAGATORS": "baggage,xray,tracecontext",
    "OTEL_AWS_APPLICATION_SIGNALS_ENABLED": "false",
    # What the layer's wrapper names with Application Signals alone.
    "OTEL_PYTHON_DISTRO": "aws_distro",
    "OTEL_PYTHON_CONFIGURATOR": "aws_configurator",
}
_SAMPLER = {"OTEL_TRACES_SAMPLER": "parentbased_always_off"}
"""So that an invocation that Lambda does not record begins no trace; a message's span follows its sender's decision."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a function needs.

    Attributes:
        fixed: Variables that must have these values.
        defaults: Variables that the function's own go before.
        layers: Layers beside the bridge's.
        statements: What the function's role must be allowed, beside sending segments.
        open_telemetry: What the bridge's layer has to hold for OpenTelemetry.
    """

    fixed: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    layers: Sequence[lambda_.ILayerVersion] = ()
    statements: Sequence[iam.PolicyStatement] = ()
    open_telemetry: OpenTelemetryParts = "none"


def needs_of(scope: Construct, instrumentation: Instrumentation, *, active: bool) -> Needs:
    """Returns what a function needs to be instrumented.

    Args:
        scope: The function's construct.
        instrumentation: What records its work.
        active: Whether Lambda's own tracing is `Active`.

    Raises:
        PipelineError: It needs `Active` tracing, or a layer is of another Region.
    """
    why = why_active(instrumentation)
    if why and not active:
        raise PipelineError(
            Check.INSTRUMENTATION_NEEDS_ACTIVE,
            f"the function has tracing mode PassThrough, but {why}; make it Active (a worker by tracing='linked', a "
            "TracedFunction by active=True, a function of your own by tracing=lambda_.Tracing.ACTIVE), or choose "
            "relation='parent', with ADOT export='otlp' or export='segments' as well",
        )
    match instrumentation:
        case OpenTelemetry():
            return _open_telemetry(instrumentation)
        case Adot():
            return _adot(scope, instrumentation, active=active)
        case Vendor():
            fixed = {} if instrumentation.engine == "xray" else {bridge_environment.ENGINE: instrumentation.engine}
            return Needs(fixed=fixed, layers=[brought_layer(scope, "Layer", layer) for layer in instrumentation.layers])
        case _:
            return Needs()


def with_needs(needs: Needs, own: Mapping[str, str]) -> dict[str, str]:
    """Returns a function's variables, its own and those it needs.

    Args:
        needs: What its instrumentation asks for.
        own: Its own variables.

    Raises:
        PipelineError: One of its own contradicts what it needs.
    """
    for name, value in needs.fixed.items():
        if own.get(name, value) != value:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                f"environment has {name}={own[name]!r}, but the function's instrumentation sets {value!r}; leave it "
                "out, or choose another instrumentation",
            )
    return {**needs.defaults, **own, **needs.fixed}


def _open_telemetry(chosen: OpenTelemetry) -> Needs:
    fixed = _engine(chosen.relation)
    if chosen.annotations:
        fixed[bridge_environment.OTEL_ANNOTATIONS] = ",".join(chosen.annotations)
    return Needs(fixed=fixed, defaults={_TRACER_PROVIDER: _OURS}, open_telemetry="sdk")


def _adot(scope: Construct, chosen: Adot, *, active: bool) -> Needs:
    export = _export(scope, chosen.export)
    return Needs(
        fixed={**_engine(chosen.relation), EXEC_WRAPPER: "/opt/otel-instrument"},
        defaults={**_OF_ADOT, **export, **({} if active else _SAMPLER)},
        layers=[brought_layer(scope, "Layer", chosen.layer)],
        statements=[_send_spans()] if chosen.export == "otlp" else [],
        open_telemetry="exporter" if chosen.export == "segments" else "none",
    )


def _engine(relation: str) -> dict[str, str]:
    link = {bridge_environment.OTEL_RELATION: "link"} if relation == "link" else {}
    return {bridge_environment.ENGINE: "otel", **link}


def _export(scope: Construct, export: AdotExport) -> dict[str, str]:
    if export == "segments":
        return {_TRACES_EXPORTER: _OURS}
    if export == "daemon":
        return {}
    stack = Stack.of(scope)
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLP-UsingADOT.html
    return {
        _TRACES_EXPORTER: "otlp",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"https://xray.{stack.region}.{stack.url_suffix}/v1/traces",
    }


def _send_spans() -> iam.PolicyStatement:
    """Allows what X-Ray's OTLP endpoint asks for; these actions do not support resource-level permissions.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    """
    return iam.PolicyStatement(actions=["xray:PutSpans", "xray:PutSpansForIndexing"], resources=["*"])
