"""How long something takes, measured so that other work on the machine does not count."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

_TASKS = Path("/proc/self/task")


class Stopwatch:
    """Measures the time that passes, less the time for which threads of this process were ready and had no core.

    What is waited for counts in full, what is computed counts as on a machine that is idle. Where the system does not
    say how long threads stood in line (macOS), the time that passes is what counts.
    """

    def __init__(self) -> None:
        self._queued = _queued()
        self._began = time.monotonic()

    def seconds(self) -> float:
        """Returns the seconds since the stopwatch was made."""
        passed = time.monotonic() - self._began
        queued = sum(seconds - self._queued.get(task, 0.0) for task, seconds in _queued().items())
        return passed - queued


def _queued() -> dict[str, float]:
    """Returns the seconds for which each thread has waited for a core, by its id; see Linux's sched-stats.rst."""
    queued = {}
    for task in _TASKS.iterdir() if _TASKS.exists() else ():
        try:
            _, waited, _ = (task / "schedstat").read_text(encoding="ascii").split()
        except OSError:  # the thread has ended, or the kernel keeps no such statistics
            continue
        queued[task.name] = int(waited) / 1e9
    return queued


def cpu_seconds(process: int) -> float:
    """Returns the CPU time that another process has used so far, to the second.

    Args:
        process: Its id.
    """
    shown = subprocess.run(["ps", "-o", "time=", "-p", str(process)], capture_output=True, text=True, check=True)
    seconds = 0.0
    for part in shown.stdout.strip().split(":"):  # hours, unless there are none; minutes; seconds
        seconds = seconds * 60 + float(part)
    return seconds
