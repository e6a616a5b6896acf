"""How many documents went which way, and how many were lost: the one place to see a silent loss."""

import logging
import threading

from ._forks import in_every_child

_log = logging.getLogger("trace_bridge")

_lock = threading.RLock()
"""Re-entrant: a signal's handler may record something while the same thread counts."""

_counts: dict[str, int] = dict.fromkeys(
    (
        "continued",
        "unsampled",
        "undecided",
        "without_header",
        "too_old",
        "sent_udp",
        "sent_api",
        "unprocessed",
        "failed",
        "split",
        "trimmed",
        "oversized",
    ),
    0,
)
"""By the fields of `Counters`, which says what each is."""

_reported_lost = 0


def count(name: str, amount: int = 1) -> None:
    """Adds to a counter."""
    with _lock:
        _counts[name] += amount


def current_counts() -> dict[str, int]:
    """Returns the counters of this process, as they stand now."""
    with _lock:
        return dict(_counts)


def report_losses() -> None:
    """Logs one warning with all the counters when documents were lost since the last one."""
    global _reported_lost
    lost = _counts["unprocessed"] + _counts["failed"] + _counts["oversized"]
    if lost > _reported_lost:
        _reported_lost = lost
        counted = " ".join(f"{name}={value}" for name, value in current_counts().items() if value)
        _log.warning("trace_bridge lost trace documents: %s", counted)


def reset_counts() -> None:
    """Sets every counter back to 0."""
    global _reported_lost
    with _lock:
        _reported_lost = 0
        _counts.update(dict.fromkeys(_counts, 0))


def _begin_anew() -> None:
    """Begins the counters of a forked process; its parent may have held the lock at that moment."""
    global _lock
    _lock = threading.RLock()
    reset_counts()


in_every_child(_begin_anew)
