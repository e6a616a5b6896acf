"""`make check`: every step runs, and one that fails is named and fails it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from scripts.check import main


def _step(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


def test_a_step_that_fails_is_named_and_the_others_run_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    wrong, right, beside = _step("exit('wrong')"), _step("print('right')"), _step("print('beside')")
    assert main(((wrong, right), (beside,))) == 1
    printed = capsys.readouterr()
    assert {"wrong", "right", "beside"} <= set(printed.out.splitlines())
    assert printed.err == f"check failed: {' '.join(wrong)}\n"


def test_what_takes_long_runs_beside_the_rest(tmp_path: Path) -> None:
    meeting = str(tmp_path / "meeting")
    os.mkfifo(meeting)
    # Each end waits until the other is there.
    reads, writes = _step(f"open({meeting!r}).close()"), _step(f"open({meeting!r}, 'w').close()")
    assert main(((reads,), (writes,))) == 0
