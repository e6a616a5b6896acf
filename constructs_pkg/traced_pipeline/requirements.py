"""A handler's third-party packages, installed for the function's platform without Docker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from .checks import Check, PipelineError

REQUIREMENTS = "requirements.txt"
# What Lambda's Python runtimes from 3.12 on can load: Amazon Linux 2023 has glibc 2.34.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
_MANYLINUX = ("manylinux_2_34", "manylinux_2_28", "manylinux2014")
# Amazon Linux 2, with glibc 2.26.
_MANYLINUX_OLD = ("manylinux2014",)
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_LINES_OF_PIP = 5


def install(requirements: Path, target: Path, *, python: str, architecture: str) -> None:
    """Install a requirements file's packages into a folder, from wheels for a Lambda function.

    Args:
        requirements: The file; pip reads it with the settings of whoever runs the CDK.
        target: Where to install.
        python: The function's Python, for example `3.14`.
        architecture: The function's architecture as Lambda names it: `arm64` or `x86_64`.

    Raises:
        PipelineError: pip is missing or fails, for instance because a package has no wheel for the platform.
    """
    kinds = _MANYLINUX_OLD if python == "3.11" else _MANYLINUX
    platforms = [f"--platform={kind}_{_MACHINES[architecture]}" for kind in kinds]
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    command += ["--no-compile", "--only-binary=:all:", "--implementation=cp", f"--python-version={python}"]
    command += [*platforms, f"--target={target}", f"--requirement={requirements}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = "\n".join(done.stderr.strip().splitlines()[-_LINES_OF_PIP:])
        raise PipelineError(
            Check.REQUIREMENTS,
            f"the packages of {requirements} could not be installed as wheels for Python {python} on {architecture}; "
            "pin versions that have such wheels, or install them into the folder yourself and give "
            f"Handler(..., install_requirements=False); pip said:\n{said}\n",
        )
    # Scripts name the interpreter of this machine, and Lambda runs none of them.
    shutil.rmtree(target / "bin", ignore_errors=True)
