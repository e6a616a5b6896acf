"""Tests that share a deployment run in one process, all others by file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.local_aws import ROOT
from tests.support.scheduling import scope_of


def test_a_file_runs_in_one_process() -> None:
    assert scope_of("tests/unit/test_message.py::TestBody::test_text[a::b]") == "tests/unit/test_message.py"


@pytest.mark.parametrize("file", sorted((ROOT / "tests" / "end_to_end").glob("test_*.py")), ids=lambda path: path.name)
def test_all_that_share_an_account_run_in_one_process(file: Path) -> None:
    modes = "modes|unbridged|linked|spans|watched|with_options"
    fixtures = {
        "tests/end_to_end/": rf"\b(local_aws|bridged|ordinary|copies|{modes}): ",
        "tests/end_to_end/examples": r"\bexamples: ",
    }
    text, scope = file.read_text(encoding="utf-8"), scope_of(f"tests/end_to_end/{file.name}::test_any")
    for shared, used in fixtures.items():
        assert (scope == shared) is bool(re.search(used, text))


def test_the_processes_of_make_test_get_them_so(tmp_path: Path) -> None:
    (tmp_path / "tests" / "end_to_end").mkdir(parents=True)
    (tmp_path / "pytest.ini").touch()
    conftest = "from tests.conftest import pytest_xdist_make_scheduler\n"
    (tmp_path / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{conftest}")
    for number in range(4):
        text = "import os\n\ndef test_process() -> None:\n    print(os.environ['PYTEST_XDIST_WORKER'])\n" * 2
        (tmp_path / "tests" / "end_to_end" / f"test_{number}.py").write_text(text)
    options = ["-n", "2", "--dist", "loadfile", "-rP", "-p", "no:cacheprovider"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    processes = {line for line in ran.stdout.splitlines() if line.startswith("gw")}
    assert len(processes) == 1, ran.stdout


def test_snapshots_are_written_by_one_process(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "conftest.py").write_text(
        f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nfrom tests.conftest import pytest_configure\n"
    )
    run = [sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider"]
    environment = {**os.environ, "UPDATE_SNAPSHOTS": "1"}
    ran = subprocess.run(run, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == pytest.ExitCode.USAGE_ERROR
    assert "UPDATE_SNAPSHOTS is set: run pytest without -n" in ran.stderr
