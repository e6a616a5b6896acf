"""OpenTelemetry into X-Ray without a collector, a layer or Transaction Search; needs the extra `[otel-sdk]`."""

try:
    import opentelemetry.sdk.trace.export  # noqa: F401
except ImportError as error:
    raise ImportError(f"{error}; trace_bridge.otel needs `pip install 'trace-bridge[otel-sdk]'`") from error

from ._exporter import XRaySpanExporter

__all__ = ["XRaySpanExporter"]
