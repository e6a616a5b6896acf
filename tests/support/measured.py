"""Which tests count for the coverage of the packages that ship."""

from __future__ import annotations

import os

import coverage

_MEASURED = ("tests/unit/", "tests/synth/", "tests/cli/", "tests/docs/", "tests/end_to_end/")
_OF_CHILDREN = "COVERAGE_PROCESS_CONFIG"


class Measuring:
    """Has coverage.py, where this process runs under it, measure some tests and not the others.

    Those count that are about what ships: what the tests of the local AWS and of the project run too makes
    up for none of them, and to measure Python code takes as long again as to run it.
    """

    def __init__(self) -> None:
        self._coverage = coverage.Coverage.current()
        self._measures = True

    def before(self, nodeid: str) -> None:
        """Begins or ends measuring before a test.

        Args:
            nodeid: The test's id, with its file's path from the project's root.
        """
        wanted = is_measured(nodeid)
        if self._coverage is None or wanted == self._measures:
            return
        self._measures = wanted
        if wanted:
            self._coverage.start()
        else:
            self._coverage.stop()
            os.environ.pop(_OF_CHILDREN, None)  # the programs it starts would inherit it; a start sets it again


def is_measured(nodeid: str) -> bool:
    """Returns whether a test counts."""
    return nodeid.startswith(_MEASURED)
