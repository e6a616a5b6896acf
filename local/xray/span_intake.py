"""Where spans of OpenTelemetry go: to the traces as segment documents, and to the log group `aws/spans`."""

import json
from collections.abc import Iterable

from local.xray import documents
from local.xray.document_tree import Document
from local.xray.otlp.limits import span_problem
from local.xray.otlp.records import record_of
from local.xray.otlp.segments import documents_of
from local.xray.otlp.span import Span, xray_trace_id
from local.xray.state import XRay


class SpanIntake:
    """Takes in spans, each by itself: one that is refused costs no other.

    Args:
        xray: The state.
    """

    def __init__(self, xray: XRay) -> None:
        self._xray = xray

    def take(self, spans: Iterable[Span], *, sampled: bool = True) -> list[str]:
        """Takes in spans.

        Args:
            spans: The spans.
            sampled: Whether their sender sampled them. Those that it did not are kept for Transaction Search alone.

        Returns:
            Why a span was refused, for each that was.
        """
        if not sampled and not self._xray.search.keeps_spans:
            return []
        return [reason for span in spans if (reason := self._take(span, sampled=sampled))]

    def _take(self, span: Span, *, sampled: bool) -> str | None:
        reason = span_problem(span)
        if reason:
            return reason
        converted: list[Document] = []
        for document in documents_of(span):
            parsed = documents.parse(json.dumps(document))
            if isinstance(parsed, documents.Rejection):
                return f"span {span.span_id}: {parsed.message}"
            converted.append(parsed)
        if not sampled:
            self._xray.search.leave_unindexed(xray_trace_id(span.trace_id))
        for document in converted:
            self._xray.traces.put_converted(document)
        self._xray.spans.put([record_of(span)])
        return None
