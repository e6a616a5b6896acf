"""Runs unit and synth tests on every supported Python of this machine, each in an environment of its own.

Those that are marked `peers` are left out: their neighbours have environments of one Python.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from scripts.installer import ROOT, SetupError, install, install_uv, progress, run

TESTS = ("tests/unit", "tests/synth")
_EDITABLE = ("--editable", "runtime", "--editable", "cli", "--editable", ".")


def main(tests: Sequence[str]) -> int:
    """Runs the tests on one Python after the other; 0 when they pass on all that were found."""
    statuses = {}
    for version in supported():
        python = find(version)
        if python is None:
            print(f"Python {version}: not on this machine, not tried", flush=True)
            continue
        try:
            environment = _make_environment(version, python)
        except SetupError as error:
            print(f"Python {version}: {error}", file=sys.stderr)
            return 1
        print(f"Python {version}: {python}", flush=True)
        command = [environment, "-m", "pytest", "-q", "-m", "not peers", *(tests or TESTS)]
        statuses[version] = subprocess.run(command, cwd=ROOT).returncode
    failed = [version for version, status in statuses.items() if status]
    print(f"passed on: {', '.join(v for v in statuses if v not in failed) or 'none'}")
    if failed:
        print(f"failed on: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or not statuses else 0


def supported() -> list[str]:
    """Returns the versions that the package's classifiers name."""
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    matches = (re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", entry) for entry in classifiers)
    return [match.group(1) for match in matches if match]


def find(version: str) -> Path | None:
    """Returns a Python of a version, from the PATH or from pyenv's versions; None when there is none that runs."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [*([Path(on_path)] if on_path else []), *sorted(pyenv.glob(f"{version}.*/bin/python3"), reverse=True)]
    return next((python for python in candidates if _is_of(version, python)), None)


def _is_of(version: str, python: Path) -> bool:
    """Whether a Python runs, which a shim of pyenv's may not, and is of a version."""
    asked = subprocess.run(
        [python, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"],
        capture_output=True,
        text=True,
    )
    return asked.returncode == 0 and asked.stdout.strip() == version


def _make_environment(version: str, python: Path) -> str:
    """Returns the Python of an environment with what the tests need, made where it was not."""
    folder = f"build/python-{version}"
    inside = f"{folder}/bin/python"
    with progress(folder):
        if not (ROOT / inside).exists():
            run(folder, [str(python), "-m", "venv", "--clear", folder])
        install(folder, "requirements/dev.txt", install_uv())
        run(folder, [inside, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", *_EDITABLE])
    return str(ROOT / inside)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
