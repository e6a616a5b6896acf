"""How many documents went which way, and how many were lost: the one place to see a silent loss."""

import logging
import threading
from dataclasses import asdict, dataclass

from ._forks import in_every_child

_log = logging.getLogger("trace_bridge")


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
        failed: Documents lost because `PutTraceSegments` or the socket failed or did not answer in time.
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


_lock = threading.Lock()
_counts: dict[str, int] = dict.fromkeys(Counters.__dataclass_fields__, 0)
_reported_lost = 0


def count(name: str, amount: int = 1) -> None:
    """Adds to a counter."""
    with _lock:
        _counts[name] += amount


def counters() -> Counters:
    """Returns the counters of this process, as they stand now."""
    with _lock:
        return Counters(**_counts)


def report_losses() -> None:
    """Logs one warning with all the counters when documents were lost since the last one."""
    global _reported_lost
    # Every batch asks, so the cheap look comes first.
    if _counts["unprocessed"] + _counts["failed"] + _counts["oversized"] > _reported_lost:
        current = counters()
        _reported_lost = current.lost
        counts = " ".join(f"{name}={value}" for name, value in asdict(current).items() if value)
        _log.warning("trace_bridge lost trace documents: %s", counts)


def reset_counters() -> None:
    """Sets every counter back to 0."""
    global _reported_lost
    with _lock:
        _reported_lost = 0
        _counts.update(dict.fromkeys(_counts, 0))


def _begin_anew() -> None:
    """Begins the counters of a forked process; its parent may have held the lock at that moment."""
    global _lock
    _lock = threading.Lock()
    reset_counters()


in_every_child(_begin_anew)
