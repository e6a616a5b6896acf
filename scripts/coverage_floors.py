"""Holds each package that ships to a floor of its own: the part of its lines and branches that the tests run.

Reads what `coverage combine` has left; the floors stand below what the whole test suite reaches.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {
    "runtime/trace_bridge": 96.5,
    "constructs_pkg/traced_pipeline": 97.5,
    "cli/traced_pipeline_cli": 96.5,
}
"""In per cent, by the folder of the package.

What the bridge does for aiobotocore runs in an environment of its own, where it is not counted.
"""


def main() -> int:
    """Prints what each package reaches; 0 when none is below its floor."""
    written = subprocess.run(["coverage", "json", "--quiet", "-o", "-"], cwd=ROOT, stdout=subprocess.PIPE, check=True)
    report = json.loads(written.stdout)
    reached = {folder: percent(report, folder) for folder in FLOORS}
    for folder, percentage in reached.items():
        print(f"coverage of {Path(folder).name}: {percentage:.1f} % (at least {FLOORS[folder]:g} %)")
    missed = too_low(reached, FLOORS)
    for folder in missed:
        print(f"{folder} is below its floor; test what is new in it", file=sys.stderr)
    return 1 if missed else 0


def percent(report: Mapping[str, Any], folder: str) -> float:
    """Returns how much of a package ran, its lines and branches taken together as coverage.py does; 0 if nothing did.

    Args:
        report: What `coverage json` writes.
        folder: The folder of the package, from the root of the project.
    """
    totals = [file["summary"] for path, file in report["files"].items() if path.startswith(f"{folder}/")]
    there = sum(total["num_statements"] + total["num_branches"] for total in totals)
    ran = sum(total["covered_lines"] + total["covered_branches"] for total in totals)
    return 100 * ran / there if there else 0.0


def too_low(reached: Mapping[str, float], floors: Mapping[str, float]) -> list[str]:
    """Returns the packages that do not reach their floor."""
    return [folder for folder, floor in floors.items() if reached[folder] < floor]


if __name__ == "__main__":
    sys.exit(main())
