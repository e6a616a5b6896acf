"""X-Ray's trace header as OpenTelemetry's propagators read and write headers."""

from collections.abc import Iterable

from opentelemetry.context import Context, get_current
from opentelemetry.propagators.textmap import (
    CarrierT,
    Getter,
    Setter,
    TextMapPropagator,
    default_getter,
    default_setter,
)
from opentelemetry.trace import NonRecordingSpan, get_current_span, set_span_in_context

from .._header import TraceHeader
from .._invocation import latest_invocation
from .._otel_segment import header_of, sender_context

_HEADER = "X-Amzn-Trace-Id"


class XRayPropagator(TextMapPropagator):
    """Reads and writes `X-Amzn-Trace-Id`, with Lambda's `Lineage`, which OpenTelemetry's own propagator leaves out."""

    @property
    def fields(self) -> set[str]:
        """The names of the headers that are written."""
        return {_HEADER}

    def extract(
        self, carrier: CarrierT, context: Context | None = None, getter: Getter[CarrierT] = default_getter
    ) -> Context:
        """Returns the context with what sent the headers as its span; as it was where they name no span."""
        context = get_current() if context is None else context
        header = TraceHeader.parse(_first(getter.get(carrier, _HEADER)))
        if header is None or header.parent is None:
            return context
        sent = sender_context(header.root, header.parent, sampled=bool(header.sampled))
        return set_span_in_context(NonRecordingSpan(sent), context)

    def inject(
        self, carrier: CarrierT, context: Context | None = None, setter: Setter[CarrierT] = default_setter
    ) -> None:
        """Writes the header of the context's span, if there is one."""
        span = get_current_span(context).get_span_context()
        if span.is_valid:
            setter.set(carrier, _HEADER, header_of(span, latest_invocation().lineage))


def _first(values: Iterable[str] | None) -> str | None:
    return next(iter(values or ()), None)
