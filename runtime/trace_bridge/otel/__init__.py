"""OpenTelemetry into X-Ray without a collector or Transaction Search; needs the extra `[otel-sdk]`."""

try:
    import opentelemetry.sdk.trace.export  # noqa: F401
except ImportError as error:
    raise ImportError(f"{error}; trace_bridge.otel needs `pip install 'trace-bridge[otel-sdk]'`") from error

from ._exporter import XRaySpanExporter
from ._provider import xray_tracer_provider

__all__ = ["XRaySpanExporter", "xray_tracer_provider"]
