"""When uploads are withheld: after a failure of X-Ray's, half a minute, doubled each time up to five minutes."""

import logging
from collections.abc import Callable

_log = logging.getLogger("trace_bridge")

_FIRST_SECONDS = 30.0
_LONGEST_SECONDS = 300.0


class BackOff:
    """Whether uploads are withheld, and how long the next time.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until = 0.0
        self._seconds = _FIRST_SECONDS
        self._unreported: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether uploads are withheld now."""
        return self._clock() < self._until

    def begin(self, why: str) -> None:
        """Withholds uploads from now on for a while; `report` logs why."""
        self._until = self._clock() + self._seconds
        self._unreported = f"{why}; no further attempt for {self._seconds:.0f} s"
        self._seconds = min(2 * self._seconds, _LONGEST_SECONDS)

    def report(self) -> None:
        """Logs why uploads are withheld, once; not to be called with a lock held.

        A handler of the application's may make calls itself, and those are recorded and sent.
        """
        unreported, self._unreported = self._unreported, None
        if unreported is not None:
            _log.warning("%s", unreported)

    def reset(self) -> None:
        """Makes the next time a short one again, since X-Ray has answered."""
        self._seconds = _FIRST_SECONDS
