"""The counters of this process, as its application reads them."""

from dataclasses import dataclass

from ._counts import current_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What became of the messages and documents of this process so far.

    Attributes:
        continued: Messages continued in their own trace and recorded.
        unsampled: Messages whose sender had decided against recording.
        undecided: Messages whose sender had left the decision open and that were not recorded here.
        without_header: Messages with no trace header, or one that is not valid.
        too_old: Messages whose trace began too long ago for X-Ray.
        sent_udp: Documents sent to the X-Ray daemon. A sender by UDP does not learn whether they arrived.
        sent_api: Documents X-Ray took through `PutTraceSegments`.
        unprocessed: Documents X-Ray refused (`UnprocessedTraceSegments`).
        failed: Documents lost because `PutTraceSegments`, the socket or OpenTelemetry's tracer provider failed,
            or did not answer in time.
        split: Subsegments sent as documents of their own because the segment was too large.
        trimmed: Documents that lost stack traces or metadata to fit X-Ray's limit.
        oversized: Documents dropped because nothing more could be trimmed.
    """

    continued: int = 0
    unsampled: int = 0
    undecided: int = 0
    without_header: int = 0
    too_old: int = 0
    sent_udp: int = 0
    sent_api: int = 0
    unprocessed: int = 0
    failed: int = 0
    split: int = 0
    trimmed: int = 0
    oversized: int = 0

    @property
    def lost(self) -> int:
        """Documents that are known not to have reached X-Ray."""
        return self.unprocessed + self.failed + self.oversized


def counters() -> Counters:
    """Returns the counters of this process, as they stand now."""
    return Counters(**current_counts())
