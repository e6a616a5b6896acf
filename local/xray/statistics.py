"""The figures of a node or an edge of the service graph.

Source: X-Ray API Reference, "Service", "Edge", "ServiceStatistics" and "HistogramEntry"; the values of a histogram
are those of the published example, seconds to the millisecond (X-Ray Developer Guide, "Getting data from X-Ray").
"""

from dataclasses import dataclass, field
from typing import Any

from local.xray.document_tree import Document


@dataclass(kw_only=True)
class Figures:
    """Counts and times of the requests seen.

    Attributes:
        start: Seconds since 1970 of the first start; infinite without a request.
        end: Seconds since 1970 of the last end.
    """

    start: float = float("inf")
    end: float = 0.0
    _ok: int = 0
    _throttled: int = 0
    _errors: int = 0
    _faults: int = 0
    _seconds: float = 0.0
    _histogram: dict[float, int] = field(default_factory=dict)

    def span(self, entity: Document) -> None:
        """Takes in only when a segment or subsegment began and ended."""
        start = float(entity["start_time"])
        self.start, self.end = min(self.start, start), max(self.end, float(entity.get("end_time", start)))

    def count(self, entity: Document) -> None:
        """Takes in a segment or subsegment as one request; one in progress has no time yet."""
        self.span(entity)
        if entity.get("fault"):
            self._faults += 1
        elif entity.get("throttle"):
            self._throttled += 1
        elif entity.get("error"):
            self._errors += 1
        else:
            self._ok += 1
        if "end_time" in entity:
            taken = max(0.0, float(entity["end_time"]) - float(entity["start_time"]))
            self._seconds += taken
            self.observe(taken)

    def observe(self, seconds: float) -> None:
        """Takes in one time for the histogram alone."""
        value = round(seconds, 3)
        self._histogram[value] = self._histogram.get(value, 0) + 1

    def statistics(self) -> dict[str, Any]:
        """Writes `ServiceStatistics`, which is `EdgeStatistics` as well."""
        errors = self._throttled + self._errors
        total = self._ok + errors + self._faults
        if not total:
            return {}
        return {
            "OkCount": self._ok,
            "ErrorStatistics": {
                "ThrottleCount": self._throttled,
                "OtherCount": self._errors,
                "TotalCount": errors,
            },
            "FaultStatistics": {"OtherCount": self._faults, "TotalCount": self._faults},
            "TotalCount": total,
            "TotalResponseTime": round(self._seconds, 3),
        }

    def histogram(self) -> list[dict[str, Any]]:
        """Writes a `Histogram`."""
        return [{"Value": value, "Count": count} for value, count in sorted(self._histogram.items())]
