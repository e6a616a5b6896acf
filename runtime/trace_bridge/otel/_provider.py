"""A tracer provider that sends to X-Ray, for applications that set up none: not a line of their own.

OpenTelemetry's API makes it when somebody first asks for a tracer, by the name of its entry point:
`OTEL_PYTHON_TRACER_PROVIDER=trace_bridge`. Whoever sets a provider up in code keeps that one.
"""

import os
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.environment_variables import OTEL_PROPAGATORS
from opentelemetry.propagate import get_global_textmap, set_global_textmap
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.sdk.environment_variables import OTEL_RESOURCE_ATTRIBUTES, OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import DEFAULT_OFF
from opentelemetry.trace import Link, Span, SpanKind, get_current_span
from opentelemetry.trace import Tracer as AnyTracer
from opentelemetry.util.types import Attributes

from .._environment import LAMBDA_FUNCTION_NAME, LAMBDA_TRACE_HEADER
from .._header import TraceHeader
from .._otel_place import in_context
from ._exporter import XRaySpanExporter
from ._propagator import XRayPropagator


def xray_tracer_provider() -> TracerProvider:
    """Returns a provider whose spans go to X-Ray, by `XRaySpanExporter`.

    It begins no trace of its own: what is recorded was decided by whoever began the trace, API Gateway or Lambda as a
    rule. `OTEL_TRACES_SAMPLER` chooses another sampler; resource attributes are read from the environment, as the SDK
    does. The global propagator then knows X-Ray's header too, unless `OTEL_PROPAGATORS` names others.
    """
    provider = _Provider(
        sampler=None if OTEL_TRACES_SAMPLER in os.environ else DEFAULT_OFF,
        resource=Resource.create(_service()),
        id_generator=_Ids(),
    )
    provider.add_span_processor(SimpleSpanProcessor(XRaySpanExporter()))
    if OTEL_PROPAGATORS not in os.environ:
        set_global_textmap(CompositePropagator([XRayPropagator(), get_global_textmap()]))
    return provider


def _service() -> dict[str, str]:
    """Returns the service's name in Lambda, the function's, where the environment gives it none."""
    function = os.environ.get(LAMBDA_FUNCTION_NAME)
    is_named = OTEL_SERVICE_NAME in os.environ or f"{SERVICE_NAME}=" in os.environ.get(OTEL_RESOURCE_ATTRIBUTES, "")
    return {} if function is None or is_named else {SERVICE_NAME: function}


class _Ids(IdGenerator):
    """Ids from the system's randomness, so that environments restored from one SnapStart snapshot do not share them."""

    def generate_span_id(self) -> int:
        """Returns the id of a span, which is never zero."""
        return int.from_bytes(os.urandom(8)) or 1

    def generate_trace_id(self) -> int:
        """Returns the id of a trace, which is never zero."""
        return int.from_bytes(os.urandom(16)) or 1


class _Provider(TracerProvider):
    """The SDK's provider, with tracers that know of Lambda's own segment."""

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes = None,
    ) -> AnyTracer:
        """Returns a tracer."""
        tracer = super().get_tracer(instrumenting_module_name, instrumenting_library_version, schema_url, attributes)
        if type(tracer) is Tracer:
            tracer.__class__ = _TracerInLambda
        return tracer


class _TracerInLambda(Tracer):
    """The SDK's tracer, but that a span without a parent is below Lambda's own segment, as X-Ray's SDKs record it."""

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes = None,
        links: Sequence[Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> Span:
        """Begins a span."""
        if context is None and not get_current_span().get_span_context().is_valid:
            header = TraceHeader.parse(os.environ.get(LAMBDA_TRACE_HEADER))
            context = None if header is None else in_context(header)
        return super().start_span(
            name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )
