"""Transaction Search: where documents go, which traces X-Ray indexes, and the retrieval of the others.

Sources: X-Ray API Reference, "UpdateTraceSegmentDestination", "GetIndexingRules", "UpdateIndexingRule"; CloudWatch
User Guide, "Transaction Search": with the destination CloudWatchLogs every span goes to the log group `aws/spans`,
and a fraction of the traces, 1 percent by default, is indexed. BatchGetTraces: "You cannot find traces through this API
if Transaction Search is enabled since trace is not indexed in X-Ray."
"""

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

Destination = Literal["XRay", "CloudWatchLogs"]


class SpansRefusedError(Exception):
    """X-Ray may not write to the spans' log group."""

    def __init__(self) -> None:
        # The service's own words, as users have reported them.
        super().__init__(
            "XRay does not have permission to call PutLogEvents on the aws/spans Log Group. "
            "Please verify that your CloudWatch Logs Resource Policies are configured correctly"
        )


RULE_NAME = "Default"
"""The one indexing rule there is."""

# "Enable transaction search": switching over takes a while ("PENDING"); how long is assumed, and short here.
_PENDING_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Switch:
    """The destination and the indexing rule, as they were set.

    Attributes:
        destination: Where documents go.
        since: Seconds since 1970 of the last change of the destination; 0 where it never changed.
        percentage: Percentage of the traces that is indexed, 0 to 100.
        rule_changed_at: Seconds since 1970 of the last change of the percentage.
    """

    destination: Destination = "XRay"
    since: float = 0.0
    percentage: float = 1.0
    rule_changed_at: float = 0.0


class TransactionSearch:
    """Whether Transaction Search is on, and which traces are indexed then.

    A trace is indexed, or not, by the settings of the moment its first document comes in.

    Args:
        may_write_spans: Says whether a resource policy of CloudWatch Logs lets X-Ray write to `aws/spans`.
        clock: Seconds since 1970.
    """

    def __init__(self, may_write_spans: Callable[[], bool], *, clock: Callable[[], float] = time.time) -> None:
        self._may_write_spans = may_write_spans
        self._clock = clock
        self._lock = threading.Lock()
        self._switch = Switch()
        self._spans: set[str] = set()
        self._unindexed: set[str] = set()

    @property
    def switch(self) -> Switch:
        """The settings."""
        with self._lock:
            return self._switch

    @property
    def status(self) -> Literal["PENDING", "ACTIVE"]:
        """`PENDING` while a change of the destination is under way."""
        return "PENDING" if self._clock() - self.switch.since < _PENDING_SECONDS else "ACTIVE"

    def send_to(self, destination: Destination) -> None:
        """Sets where documents go from now on.

        Raises:
            SpansRefusedError: They are to go to CloudWatch Logs, and X-Ray may not write there.
        """
        if destination == "CloudWatchLogs" and not self._may_write_spans():
            raise SpansRefusedError
        with self._lock:
            if destination != self._switch.destination:
                self._switch = replace(self._switch, destination=destination, since=self._clock())

    def index(self, percentage: float) -> None:
        """Sets the percentage of the traces that is indexed from now on, 0 to 100."""
        with self._lock:
            self._switch = replace(self._switch, percentage=percentage, rule_changed_at=self._clock())

    def leave_unindexed(self, trace_id: str) -> None:
        """Keeps a trace out of the index whose first span is to come: its sender did not sample it."""
        with self._lock:
            if trace_id not in self._spans:
                self._spans.add(trace_id)
                self._unindexed.add(trace_id)

    def begin(self, trace_id: str) -> None:
        """Decides about a trace whose first document has come in."""
        with self._lock:
            if self._switch.destination == "CloudWatchLogs" and trace_id not in self._spans:
                self._spans.add(trace_id)
                if _percentile(trace_id) >= self._switch.percentage:
                    self._unindexed.add(trace_id)

    @property
    def keeps_spans(self) -> bool:
        """Whether what comes in now goes to the spans' log group."""
        return self.switch.destination == "CloudWatchLogs"

    @property
    def has_spans(self) -> bool:
        """Whether documents go to the spans' log group, or once went."""
        with self._lock:
            return self._switch.destination == "CloudWatchLogs" or bool(self._spans)

    def in_spans(self, trace_id: str) -> bool:
        """Tells whether a trace is in the spans' log group."""
        with self._lock:
            return trace_id in self._spans

    def indexed(self, trace_id: str) -> bool:
        """Tells whether the operations on indexed traces find a trace."""
        with self._lock:
            return trace_id not in self._unindexed


def _percentile(trace_id: str) -> float:
    """Returns a number from 0 to 100, by the trace's id alone, so that all of a trace is indexed or nothing of it."""
    digits = hashlib.sha256(trace_id.encode()).hexdigest()[:8]
    return int(digits, 16) / 2**32 * 100
