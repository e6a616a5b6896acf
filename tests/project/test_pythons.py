"""`make test-pythons`: which Pythons are supported, and which of them this machine has."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.pythons import find, supported


def test_the_versions_are_those_the_package_names() -> None:
    assert supported()[0] == "3.11"
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in supported()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where Pythons are looked for: a PATH, with `pyenv` beside it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path


def _python(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_a_python_on_the_path_is_found(folder: Path) -> None:
    assert find("3.12") is None
    python = _python(folder / "python3.12", "echo 3.12")
    assert find("3.12") == python


def test_behind_a_shim_that_does_not_run_the_one_of_pyenv_is_found(folder: Path) -> None:
    _python(folder / "python3.12", "exit 127")
    python = _python(folder / "pyenv/versions/3.12.1/bin/python3", "echo 3.12")
    assert find("3.12") == python


def test_a_python_of_another_version_is_not_taken(folder: Path) -> None:
    _python(folder / "python3.12", "echo 3.11")
    assert find("3.12") is None
