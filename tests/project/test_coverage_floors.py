"""What `make test` asks of the coverage of each package that ships."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.environment import bare_environment
from harness.local_aws import ROOT
from scripts.coverage_floors import FLOORS, percent, too_low


def _file(statements: int, covered: int, *, branches: int = 0, taken: int = 0) -> dict[str, dict[str, int]]:
    return {
        "summary": {
            "num_statements": statements,
            "covered_lines": covered,
            "num_branches": branches,
            "covered_branches": taken,
        }
    }


def test_a_package_is_all_of_its_files_with_lines_and_branches() -> None:
    report = {
        "files": {
            "cli/shop/__init__.py": _file(10, 10),
            "cli/shop/render/page.py": _file(20, 10, branches=10, taken=4),
            "cli/shop_window/page.py": _file(100, 0),
        }
    }
    assert percent(report, "cli/shop") == 60.0


def test_a_package_of_which_nothing_ran_covers_nothing() -> None:
    assert percent({"files": {}}, "cli/shop") == 0.0


@pytest.mark.parametrize(("reached", "names"), [(89.9, ["cli/shop"]), (90.0, []), (95.0, [])])
def test_a_package_below_its_floor_is_named(reached: float, names: list[str]) -> None:
    assert too_low({"cli/shop": reached, "cli/other": 50.0}, {"cli/shop": 90.0, "cli/other": 50.0}) == names


def test_every_package_that_ships_is_measured_and_has_a_floor() -> None:
    shipped = [
        f"{root}/{path}".removeprefix("./")
        for root in (".", "runtime", "cli")
        for path in tomllib.loads((ROOT / root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
            "wheel"
        ]["packages"]
    ]
    measured = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["source_pkgs"]
    assert sorted(FLOORS) == sorted(shipped)
    assert sorted(measured) == sorted(Path(folder).name for folder in shipped)


_TEST = """
import subprocess, sys
import shop
def test_it():
    shop.{name}()
    subprocess.run([sys.executable, "-c", "import shop; shop.{name}_by_a_program()"], check=True)
"""


def test_only_tests_of_the_packages_count_and_so_do_the_programs_they_start(tmp_path: Path) -> None:
    names = {"browser": "first", "unit": "second", "project": "third", "cli": "fourth"}
    called = [f"{name}{by}" for name in names.values() for by in ("", "_by_a_program")]
    (tmp_path / "shop.py").write_text("".join(f"def {name}():\n    return 1\n" for name in called))
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]
    settings |= {"source_pkgs": ["shop"], "disable_warnings": ", ".join(settings["disable_warnings"])}
    lines = [f"{name} = {', '.join(value) if isinstance(value, list) else value}" for name, value in settings.items()]
    (tmp_path / ".coveragerc").write_text("\n".join(["[run]", *lines]))
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    hook = "from tests.conftest import pytest_runtest_protocol\n"
    (tmp_path / "conftest.py").write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{hook}")
    for folder, name in names.items():
        (tmp_path / "tests" / folder).mkdir(parents=True)
        (tmp_path / "tests" / folder / f"test_{folder}.py").write_text(_TEST.format(name=name))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    environment |= {"PYTHONPATH": str(tmp_path)}
    for command in (["run", "-m", "pytest", "-q", "-p", "no:cacheprovider"], ["combine", "--quiet"], ["json", "-q"]):
        ran = subprocess.run(
            [sys.executable, "-m", "coverage", *command], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    functions = json.loads((tmp_path / "coverage.json").read_text())["files"]["shop.py"]["functions"]
    counted = {name for name in called if functions[name]["summary"]["covered_lines"]}
    assert counted == {"second", "second_by_a_program", "fourth", "fourth_by_a_program"}


def test_commands_that_run_as_processes_of_their_own_are_measured_too(tmp_path: Path) -> None:
    assert bare_environment(tmp_path, {"COVERAGE_PROCESS_CONFIG": "{}"})["COVERAGE_PROCESS_CONFIG"] == "{}"
