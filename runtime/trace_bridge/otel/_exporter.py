"""The exporter: spans as documents, sent the way the bridge sends its own."""

import logging
import os
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from .. import _state
from .._config import ConfigurationError
from .._counts import count
from .._emitter import get_emitter
from .._environment import LAMBDA_LOG_GROUP_NAME
from .._invocation import latest_invocation
from .._json import encode
from ._attributes import Annotations
from ._documents import Translation

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

_log = logging.getLogger("trace_bridge")


class XRaySpanExporter(SpanExporter):
    """Sends spans to X-Ray as segment documents, the way the bridge sends its own.

    ```python
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from trace_bridge.otel import XRaySpanExporter

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(XRaySpanExporter()))
    trace.set_tracer_provider(provider)
    ```

    Documents go to the daemon where AWS documents it to run, to `PutTraceSegments` otherwise. Inside `sqs_handler`,
    `poll` and `trace_batch` those of a batch leave together, in calls of at most 50, before the handler returns; what
    is lost is counted (`trace_bridge.counters`). The exporter's own calls are in no trace.

    Spans become documents by the rules of the OpenTelemetry collector's AWS X-Ray exporter, but for two: a span without
    a parent in this process is one segment named after the function, and what a function does outside of messages goes
    right below Lambda's own segment.

    Args:
        annotations: Names of span attributes to be annotations, by which X-Ray finds traces (50 a trace); a resource's
            attribute has `otel.resource.` in front. `all` for every attribute. Default: none, beside those that
            `TRACE_BRIDGE_OTEL_ANNOTATIONS` names, and those that a span lists in its attribute `aws.xray.annotations`.
            Whatever is no letter, digit or `_` in a name becomes `_`.

    Raises:
        ConfigurationError: `annotations` is neither names nor `all`.
    """

    def __init__(self, *, annotations: Annotations = ()) -> None:
        log_group = os.environ.get(LAMBDA_LOG_GROUP_NAME)
        self._translation = Translation(
            annotations=_both(_checked(annotations), _state.settings.otel_annotations),
            log_groups=(log_group,) if log_group else (),
        )
        self._is_shut_down = False

    def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
        """Sends spans; outside of a batch they have left when this returns, or are counted as lost.

        Args:
            spans: Spans that have ended.

        Returns:
            A failure only after `shutdown`.
        """
        if self._is_shut_down:
            return SpanExportResult.FAILURE
        invocation, emitter = latest_invocation(), get_emitter()
        emitter.hold()
        try:
            for span in spans:
                try:
                    for document in self._translation.documents_of(span, invocation):
                        emitter.emit_text(encode(document), invocation)
                except Exception:  # noqa: BLE001 - one span must not cost the others
                    count("failed")
                    _log.exception("the span %s could not be sent to X-Ray", span.name)
        finally:
            emitter.release(invocation)
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Sends what waits to go with others, and waits for the answers.

        Args:
            timeout_millis: Longest wait in milliseconds, never longer than the invocation has left.

        Returns:
            Whether nothing is left.
        """
        emitter = get_emitter()
        emitter.flush(latest_invocation(), longest=timeout_millis / 1000)
        return emitter.api.idle

    def shutdown(self) -> None:
        """Sends what is left; spans that come later are refused."""
        if not self._is_shut_down:
            self._is_shut_down = True
            self.force_flush()


def _both(annotations: Annotations, more: Annotations) -> Annotations:
    return "all" if "all" in (annotations, more) else (*annotations, *more)


def _checked(annotations: object) -> Annotations:
    if annotations == "all":
        return "all"
    if isinstance(annotations, Collection) and not isinstance(annotations, str | bytes):
        names = tuple(annotations)
        if all(isinstance(name, str) and name for name in names):
            return names
    raise ConfigurationError(f"annotations is {annotations!r}; expected names of attributes, or 'all'")
