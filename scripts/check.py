"""`make check`: format, lint, types, rooms, dependencies, pages and the synthesized template.

What mypy does takes longer than all the rest, and runs beside it.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Step = tuple[str, ...]

_SYNTH = ("cdk", "synth", "--quiet", "--no-notices", "--no-version-reporting", "--output", "build/check.out")
# W3005: the CDK states dependencies that references state already.
_LINT = ("cfn-lint", "--ignore-checks", "W3005", "--", "build/check.out/*.template.json")
LANES: tuple[tuple[Step, ...], ...] = (
    # The code on pages is typed with what mypy has kept of the CDK.
    (("mypy",), ("python", "scripts/pages.py")),
    (
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("python", "scripts/check_tree.py"),
        ("python", "-m", "pip", "check"),
        _SYNTH,
        _LINT,
    ),
)
"""The steps, in the lanes that run side by side."""

_printing = threading.Lock()


def main(lanes: Sequence[Sequence[Step]] = LANES) -> int:
    """Runs all the steps, whatever comes of each; 0 when none failed."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        failed = [step for in_lane in pool.map(_run_lane, lanes) for step in in_lane]
    for step in failed:
        print(f"check failed: {' '.join(step)}", file=sys.stderr)
    return 1 if failed else 0


def _run_lane(steps: Sequence[Step]) -> list[Step]:
    """Runs steps one after the other; returns those that failed."""
    return [step for step in steps if not _passes(step)]


def _passes(step: Step) -> bool:
    began = time.monotonic()
    done = subprocess.run(step, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    with _printing:
        print(f"{' '.join(step)} … {time.monotonic() - began:.1f} s\n{done.stdout}", end="", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
