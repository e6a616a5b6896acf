"""The spans of Transaction Search: all that came while it was on, as records of the log group `aws/spans`.

A segment document becomes records once it is complete; whether X-Ray writes one in progress is in no document.
"""

import threading
from collections.abc import Callable, Sequence

from local.xray.document_tree import Document
from local.xray.otlp.records import Record
from local.xray.otlp.segment_records import records_of
from local.xray.otlp.span import xray_trace_id

LOG_GROUP = "aws/spans"
"""The name of the log group."""

MAX_RECORD_BYTES = 200 * 1024
"""How large a record may be: `SpanDocument` in the API's model. A larger one is left out."""


class SpanLog:
    """Keeps the records by trace, and writes them to the log group. Safe for use from several threads.

    Args:
        write: Writes records to the log group.
        is_on: Says whether Transaction Search is on.
    """

    def __init__(self, write: Callable[[Sequence[Record]], None], *, is_on: Callable[[], bool]) -> None:
        self._write = write
        self._is_on = is_on
        self._lock = threading.Lock()
        self._traces: dict[str, dict[str, Record]] = {}

    def put(self, records: Sequence[Record]) -> None:
        """Takes in records, if Transaction Search is on. A span that comes twice is kept once and written twice."""
        if not records or not self._is_on():
            return
        with self._lock:
            for record in records:
                kept = self._traces.setdefault(xray_trace_id(str(record["traceId"])), {})
                kept[str(record["spanId"])] = record
        self._write(records)

    def put_document(self, document: Document) -> None:
        """Takes in a segment document, if Transaction Search is on and the document complete."""
        if self._is_on() and not document.get("in_progress"):
            self.put(list(records_of(document)))

    def records(self, trace_id: str) -> list[Record]:
        """Returns the records of a trace, by their start; empty for an unknown one.

        Args:
            trace_id: The trace's id, as X-Ray writes it.
        """
        with self._lock:
            records = list(self._traces.get(trace_id, {}).values())
        return sorted(records, key=lambda record: int(record["startTimeUnixNano"]))
