"""What records the work of a function: the bridge itself, OpenTelemetry, or another vendor's layers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, Self, TypeAlias, get_type_hints

from aws_cdk import Token
from aws_cdk import aws_lambda as lambda_

from .checks import Check, PipelineError
from .layer import MOST_LAYERS
from .option_types import words_of
from .words import check_word

Relation: TypeAlias = Literal["parent", "link"]
AdotExport: TypeAlias = Literal["daemon", "otlp", "segments"]
Engine: TypeAlias = Literal["xray", "otel", "auto"]

# https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionByArn.html
_LAYER_VERSION = re.compile(r"arn:[\w-]+:lambda:[\w-]+:\d{12}:layer:[\w-]+:\d+")


class Instrumentation:
    """What records a function's work, and what a message is recorded as. Its four methods make the values.

    Example:
        ```python
        from aws_cdk import App, Stack
        from traced_pipeline import Instrumentation, TracedPipeline

        stack = Stack(App(), "Shop")
        TracedPipeline(stack, "Orders", instrumentation=Instrumentation.open_telemetry())
        ```
    """

    def __new__(cls, *_: object, **__: object) -> Self:
        """Refuses the class itself, which says nothing of what records."""
        if cls is Instrumentation:
            raise PipelineError(
                Check.OPTION_VALUE,
                "Instrumentation() makes nothing; give Instrumentation.xray(), .open_telemetry(), .adot(layer) or "
                ".vendor(layers)",
            )
        return super().__new__(cls)

    @staticmethod
    def xray() -> Instrumentation:
        """The bridge itself: a message is a segment document, sent to X-Ray. Nothing else is needed."""
        return XRay()

    @staticmethod
    def open_telemetry(*, relation: Relation = "parent", annotations: Sequence[str] = ()) -> Instrumentation:
        """OpenTelemetry in the bridge's layer, set up so that its spans go to X-Ray without a line in the handler.

        The environment of the CDK app needs OpenTelemetry's SDK, which the layer is made of: the extra `otel` of
        traced-pipeline.

        Args:
            relation: What the sender is to a message's span. `"parent"`: one request is one trace; `"link"`: the span
                is in the invocation's own trace and links to the sender's. Default: `"parent"`.
            annotations: Attributes of spans that X-Ray indexes as annotations, beside those that `put_annotation` sets.
                Default: none.

        Raises:
            PipelineError: A value is not one of these.
        """
        return OpenTelemetry(
            relation=relation, annotations=tuple(annotations) if isinstance(annotations, list) else annotations
        )

    @staticmethod
    def adot(
        layer: str | lambda_.ILayerVersion, *, relation: Relation = "parent", export: AdotExport = "daemon"
    ) -> Instrumentation:
        """AWS's distribution of OpenTelemetry (ADOT), whose layer you bring.

        The function is started by the layer's wrapper, `/opt/otel-instrument`. Application Signals is off.
        https://aws-otel.github.io/docs/getting-started/lambda

        Args:
            layer: The layer `AWSOpenTelemetryDistroPython` of the function's Region: a layer version or its ARN.
            relation: What the sender is to a message's span, as for `open_telemetry`. Default: `"parent"`.
            export: How ADOT's spans leave. `"daemon"`: as ADOT itself sends them, to Lambda's X-Ray daemon, which
                needs `Active` tracing; `"otlp"`: to X-Ray's OTLP endpoint, which needs Transaction Search;
                `"segments"`: as segment documents, by the bridge's `XRaySpanExporter`. Default: `"daemon"`.

        Raises:
            PipelineError: A value is not one of these.
        """
        return Adot(layer=layer, relation=relation, export=export)

    @staticmethod
    def vendor(layers: Sequence[str | lambda_.ILayerVersion], *, engine: Engine = "xray") -> Instrumentation:
        """Layers of another vendor beside the bridge's: Datadog, New Relic, Lumigo and others.

        The function's environment and handler stay as they are: set what the vendor asks for by `environment` and
        `Handler`.

        Args:
            layers: One to four layer versions, or their ARNs.
            engine: What the bridge records a message as. `"xray"`: a segment document; `"otel"`: a span of the tracer
                provider of OpenTelemetry that a layer sets up; `"auto"`: a span if one has by the first message.
                Default: `"xray"`.

        Raises:
            PipelineError: A value is not one of these.
        """
        return Vendor(layers=tuple(layers) if isinstance(layers, list) else layers, engine=engine)


@dataclass(frozen=True, kw_only=True)
class _Value(Instrumentation):
    """Base of the values: checks each field when one is made, words before types.

    Attributes:
        MADE_BY: The method that makes it, for messages.
    """

    MADE_BY: ClassVar[str]

    def __post_init__(self) -> None:
        """Refuses a value that a field does not take.

        Raises:
            PipelineError: It is of another type, or a word outside the set.
        """
        hints = get_type_hints(type(self))
        for name in sorted((field.name for field in fields(self)), key=lambda name: not words_of(hints[name])):
            check_word(self.argument(name), getattr(self, name), hints[name])

    @classmethod
    def argument(cls, name: str) -> str:
        """Returns an argument as messages name it."""
        return f"Instrumentation.{cls.MADE_BY}({name}=)"


@dataclass(frozen=True, kw_only=True)
class XRay(_Value):
    """The bridge itself."""

    MADE_BY = "xray"


@dataclass(frozen=True, kw_only=True)
class OpenTelemetry(_Value):
    """OpenTelemetry in the bridge's layer."""

    MADE_BY = "open_telemetry"

    relation: Relation
    annotations: Sequence[str]

    def __post_init__(self) -> None:
        """Refuses a value that a field does not take."""
        super().__post_init__()
        for name in self.annotations:
            if not name.strip() or "," in name:
                raise PipelineError(
                    Check.OPTION_VALUE,
                    f"{self.argument('annotations')} names {name!r}, but must name attributes of spans, without commas",
                )


@dataclass(frozen=True, kw_only=True)
class Adot(_Value):
    """AWS's distribution of OpenTelemetry."""

    MADE_BY = "adot"

    layer: str | lambda_.ILayerVersion
    relation: Relation
    export: AdotExport

    def __post_init__(self) -> None:
        """Refuses a value that a field does not take."""
        super().__post_init__()
        _check_layer(self.argument("layer"), self.layer)


@dataclass(frozen=True, kw_only=True)
class Vendor(_Value):
    """Another vendor's layers."""

    MADE_BY = "vendor"

    layers: Sequence[str | lambda_.ILayerVersion]
    engine: Engine

    def __post_init__(self) -> None:
        """Refuses a value that a field does not take."""
        super().__post_init__()
        if not 1 <= len(self.layers) < MOST_LAYERS:
            raise PipelineError(
                Check.OPTION_VALUE,
                f"{self.argument('layers')} has {len(self.layers)}, but must have 1 to {MOST_LAYERS - 1}: a function "
                f"takes {MOST_LAYERS} layers, and one is the bridge's",
            )
        for layer in self.layers:
            _check_layer(self.argument("layers"), layer)


def layers_of(instrumentation: Instrumentation | None) -> Sequence[str | lambda_.ILayerVersion]:
    """Returns the layers that an instrumentation brings beside the bridge's."""
    if isinstance(instrumentation, Adot):
        return (instrumentation.layer,)
    return instrumentation.layers if isinstance(instrumentation, Vendor) else ()


def why_active(instrumentation: Instrumentation | None) -> str:
    """Returns why Lambda's own tracing has to be `Active` with an instrumentation; empty where it need not."""
    if isinstance(instrumentation, OpenTelemetry | Adot) and instrumentation.relation == "link":
        return "relation='link' records a message in the invocation's own trace, which Lambda leaves out otherwise"
    if isinstance(instrumentation, Adot) and instrumentation.export == "daemon":
        return "ADOT sends its spans to Lambda's X-Ray daemon, which AWS documents for Active tracing alone"
    return ""


def _check_layer(name: str, layer: str | lambda_.ILayerVersion) -> None:
    if isinstance(layer, str) and not Token.is_unresolved(layer) and not _LAYER_VERSION.fullmatch(layer):
        raise PipelineError(
            Check.OPTION_VALUE,
            f"{name} is {layer!r}, but must be the ARN of a layer version, "
            "arn:aws:lambda:<region>:<account>:layer:<name>:<version>",
        )
