"""A handler's third-party packages, installed for the function's platform without Docker."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from .checks import Check, PipelineError
from .dependencies import Dependencies

# What Lambda's Python runtimes from 3.12 on can load: Amazon Linux 2023 has glibc 2.34.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_MANYLINUX = ("manylinux_2_34", "manylinux_2_28", "manylinux2014")
# Amazon Linux 2, with glibc 2.26.
_MANYLINUX_OLD = ("manylinux2014",)
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_LINES_OF_TOOL = 5
_UV_EXPORT = ("export", "--frozen", "--no-dev", "--no-emit-project", "--no-editable", "--format=requirements-txt")
# Where a package came from, which for a folder is a path.
_OF_THIS_MACHINE = ("direct_url.json", "uv_build.json", "uv_cache.json")
_NAMES_FOLDER = re.compile(r"^(?:(?:-e|--editable)\s*)?(?:[^#]*@\s*)?(?:\.{1,2}/|/|file:)", re.MULTILINE)
_LEAVE_OUT = "or install the packages into the folder yourself and give Handler(..., install_requirements=False)"


def install(dependencies: Dependencies, target: Path, *, python: str, architecture: str) -> None:
    """Installs what a handler needs into a folder, from wheels for a Lambda function.

    It is done by pip, or by uv where the environment has no pip or only uv can read what is needed. Both read their
    settings as for whoever runs the CDK; paths are relative to the handler's folder.

    Args:
        dependencies: What the handler needs.
        target: Where to install.
        python: The function's Python, for example `3.14`.
        architecture: The function's architecture as Lambda names it: `arm64` or `x86_64`.

    Raises:
        PipelineError: The tool is missing or fails, for instance because a package has no wheel for the platform.
    """
    tool = _tool_for(dependencies)
    folder = dependencies.source.parent
    with tempfile.TemporaryDirectory(prefix="traced-pipeline-requirements-") as scratch:
        requirements = dependencies.source
        if dependencies.needs_uv:
            requirements = Path(scratch) / "requirements.txt"
            _run(
                [*tool, *_UV_EXPORT, f"--output-file={requirements}"], folder, f"{dependencies.source} was not exported"
            )
        elif dependencies.lines is not None:
            requirements = Path(scratch) / "requirements.txt"
            requirements.write_text("".join(f"{line}\n" for line in dependencies.lines), encoding="utf-8")
        arguments = (
            _with_pip(python, architecture) if tool[-1] == "pip" else _with_uv(python, architecture, requirements)
        )
        _run(
            [*tool, *arguments, f"--target={target}", f"--requirement={requirements}"],
            folder,
            f"the packages of {dependencies.source} could not be installed as wheels for Python {python} on "
            f"{architecture}; pin versions that have such wheels",
        )
    _remove_traces(target)


def _remove_traces(target: Path) -> None:
    """Removes what names this machine or this run: the same packages are to make the same asset everywhere."""
    # Scripts name the interpreter of this machine, and Lambda runs none of them.
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)
    for record in target.glob("*.dist-info/RECORD"):
        removed = [record.with_name(name) for name in _OF_THIS_MACHINE if record.with_name(name).exists()]
        for file in removed:
            file.unlink()
        names = tuple(f"{file.relative_to(target).as_posix()}," for file in removed)
        lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
        record.write_text("".join(line for line in lines if not (names and line.startswith(names))), encoding="utf-8")


def _tool_for(dependencies: Dependencies) -> list[str]:
    if not dependencies.needs_uv and find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv]
    if dependencies.needs_uv:
        raise PipelineError(
            Check.REQUIREMENTS,
            f"the handler's dependencies are in {dependencies.source}, which only uv reads, but uv is not on PATH; "
            f"install uv, run 'uv {' '.join(_UV_EXPORT)} --output-file=requirements.txt' in the folder, {_LEAVE_OUT}",
        )
    raise PipelineError(
        Check.REQUIREMENTS,
        f"the packages of {dependencies.source} cannot be installed: the CDK app's environment has no pip, and uv is "
        f"not on PATH; add pip to the environment ('uv add --dev pip' in a project of uv), {_LEAVE_OUT}",
    )


def _with_pip(python: str, architecture: str) -> list[str]:
    kinds = _MANYLINUX_OLD if python == "3.11" else _MANYLINUX
    return [
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--no-compile",
        "--only-binary=:all:",
        "--implementation=cp",
        f"--python-version={python}",
        *(f"--platform={kind}_{_MACHINES[architecture]}" for kind in kinds),
    ]


def _with_uv(python: str, architecture: str, requirements: Path) -> list[str]:
    kind = (_MANYLINUX_OLD if python == "3.11" else _MANYLINUX)[0]
    # Unlike pip, uv counts a folder as something to build; it refuses what it built for this machine alone.
    folders = _NAMES_FOLDER.search(requirements.read_text(encoding="utf-8"))
    return [
        "pip",
        "install",
        "--quiet",
        *([] if folders else ["--only-binary=:all:"]),
        f"--python={sys.executable}",
        f"--python-version={python}",
        f"--python-platform={_MACHINES[architecture]}-{kind}",
    ]


def _run(command: Sequence[str], folder: Path, failed: str) -> None:
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if process.returncode != 0:
        message = "\n".join(process.stderr.strip().splitlines()[-_LINES_OF_TOOL:])
        tool = "pip" if "pip" in command[:3] and command[0] == sys.executable else "uv"
        raise PipelineError(Check.REQUIREMENTS, f"{failed}, {_LEAVE_OUT}; {tool} said:\n{message}\n")
