"""PutTraceSegments and PutTelemetryRecords: what clients send to X-Ray.

Source: X-Ray API Reference, "PutTraceSegments" and "PutTelemetryRecords". Telemetry is accepted and dropped: no
operation reads it.
"""

import logging
from collections.abc import Callable

from local.xray import documents
from local.xray.request import Body, strings
from local.xray.store import TraceStore

logger = logging.getLogger("local.xray")


class Segments:
    """The two operations, over the account's traces."""

    def __init__(self, traces: TraceStore) -> None:
        self._traces = traces

    def operations(self) -> dict[str, Callable[[Body], Body]]:
        """Returns the operations by their paths."""
        return {"TraceSegments": self._put, "TelemetryRecords": lambda _body: {}}

    def _put(self, body: Body) -> Body:
        unprocessed: list[Body] = []
        for text in strings(body, "TraceSegmentDocuments"):
            document = documents.parse(text)
            if isinstance(document, documents.Rejection):
                logger.warning("PutTraceSegments: document refused: %s", document.message)
                unprocessed.append(
                    {
                        **({"Id": document.entity_id} if document.entity_id else {}),
                        "ErrorCode": document.code,
                        "Message": document.message,
                    }
                )
            else:
                self._traces.put(document)
        return {"UnprocessedTraceSegments": unprocessed}
