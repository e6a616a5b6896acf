"""Where spans of OpenTelemetry go: to the traces as segment documents, and to the log group `aws/spans`."""

import json
from collections.abc import Iterable

from local.xray import documents
from local.xray.document_tree import Document
from local.xray.otlp.limits import span_problem
from local.xray.otlp.records import record_of
from local.xray.otlp.segments import documents_of
from local.xray.otlp.span import Span, xray_trace_id
from local.xray.span_log import SpanLog
from local.xray.store import TraceStore
from local.xray.transaction_search import TransactionSearch


class SpanIntake:
    """Takes in spans, each by itself: one that is refused costs no other.

    Args:
        search: Says whether Transaction Search is on.
        traces: Where the documents go that spans become.
        log: Where their records go.
    """

    def __init__(self, *, search: TransactionSearch, traces: TraceStore, log: SpanLog) -> None:
        self._search = search
        self._traces = traces
        self._log = log

    def take(self, spans: Iterable[Span], *, sampled: bool = True) -> list[str]:
        """Takes in spans.

        Args:
            spans: The spans.
            sampled: Whether their sender sampled them. Those that it did not are kept for Transaction Search alone.

        Returns:
            Why a span was refused, for each that was.
        """
        if not sampled and not self._search.keeps_spans:
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
            self._search.leave_unindexed(xray_trace_id(span.trace_id))
        for document in converted:
            self._traces.put_converted(document)
        self._log.put([record_of(span)])
        return None
