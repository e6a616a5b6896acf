"""Fills virtual environments with what a requirements file locks: by uv, or by pip where uv cannot."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from scripts.pip_settings import read_pip_settings, uv_environment

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".setup"

_NOT_COMPILED = "/(aws_cdk|aws_solutions_constructs|sympy|networkx)/"
"""Large packages of which little is ever imported."""

_LAST = "aws-cdk-lib"
"""Shares a folder with another distribution; its own files have to be the ones that stay."""


class SetupError(Exception):
    """A step failed; the message says which, and where its output is."""


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Says on standard error what is under way, and how long it took."""
    print(f"setting up {what} …", end="", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        yield
    except BaseException:
        print(file=sys.stderr)
        raise
    print(f" {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)


@cache
def install_uv() -> Path | None:
    """Returns the pinned uv, installed where it was not; None where there is no wheel of it for this machine."""
    uv = STATE / "uv" / "bin" / "uv"
    command = [".venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--require-hashes", "--upgrade", "--target", str(STATE / "uv"), "-r", "requirements/uv.txt"]
    try:
        run("uv", command)
    except SetupError:
        return None
    return uv if uv.exists() else None


def make_venv(folder: str) -> None:
    """Makes an environment with pip anew."""
    run(folder, [sys.executable, "-m", "venv", "--clear", folder])


def install(folder: str, requirements: str, uv: Path | None) -> None:
    """Installs what a file locks, hashes checked.

    Args:
        folder: The environment, from the project's root.
        requirements: The lock file, from the project's root.
        uv: The uv to use. None: pip does it.

    Raises:
        SetupError: Neither uv nor pip could.
    """
    python = f"{folder}/bin/python"
    if uv is not None:
        environment = os.environ | uv_environment(read_pip_settings(str(ROOT / python)), os.environ)
        command = [str(uv), "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", requirements]
        try:
            run(folder, command, environment)
            if f"\n{_LAST}==" in f"\n{(ROOT / requirements).read_text(encoding='utf-8')}":
                run(folder, [*command, "--no-deps", "--reinstall-package", _LAST], environment)
        except SetupError as error:
            print(f"\nuv could not install {requirements}, pip tries: {error}", file=sys.stderr)
        else:
            compile_bytecode(folder)
            return
    run(folder, [python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements])


def install_apart(folder: str, requirements: str, target: str, uv: Path | None) -> None:
    """Installs what a file locks into a folder of its own, which the environment's Python does not look into.

    Args:
        folder: The environment, from the project's root, whose Python it is for.
        requirements: The lock file, from the project's root.
        target: The folder, from the environment.
        uv: The uv to use. None: pip does it.

    Raises:
        SetupError: It could not be installed.
    """
    python, apart = f"{folder}/bin/python", f"{folder}/{target}"
    options = ["--quiet", "--require-hashes", "--no-deps", "--target", apart, "-r", requirements]
    if uv is None:
        run(apart, [python, "-m", "pip", "install", *options])
        return
    environment = os.environ | uv_environment(read_pip_settings(str(ROOT / python)), os.environ)
    run(apart, [str(uv), "pip", "install", "--python", python, *options], environment)
    compile_bytecode(folder, target)


def compile_bytecode(folder: str, part: str = "lib") -> None:
    """Compiles what was installed, as pip does and uv does not; many who use the environment write no bytecode."""
    compile_all = ["-m", "compileall", "-q", "-j", "0", "-x", _NOT_COMPILED, f"{folder}/{part}"]
    run(folder, [f"{folder}/bin/python", *compile_all])


def run(name: str, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Runs a step of the set-up, its output kept in a log of that name.

    Raises:
        SetupError: The step failed.
    """
    log = STATE / f"{name.lstrip('.').replace('/', '-')}.log"
    with log.open("wb") as output:
        finished = subprocess.run(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    if finished.returncode:
        lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        last = [line for line in lines if "error" in line.lower()][-1:] or lines[-1:] or ["no output"]
        shown = " ".join(command[:5])
        raise SetupError(f"`{shown} …` ended with {finished.returncode}: {last[0][:300]} (all of it: {log})")
