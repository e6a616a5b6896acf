"""docs/command-line.md names every command, check and permission there is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import traced_pipeline_cli
from traced_pipeline_cli.aws import error_messages

DOCUMENT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
SOURCES = Path(str(traced_pipeline_cli.__file__)).parent


def test_every_check_is_explained() -> None:
    found = {name for source in SOURCES.rglob("*.py") for name in re.findall(r'check="([a-z-]+)"', source.read_text())}
    assert len(found) > 15
    assert {name for name in found if f"`{name}`" not in DOCUMENT} == set()
    told = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", DOCUMENT.partition("| check |")[2].partition("\n\n")[0]))
    assert told == found


def test_every_permission_is_listed() -> None:
    needed = {error_messages.permission(operation) for ones in error_messages.OPERATIONS.values() for operation in ones}
    assert {
        permission for permission in needed if f"`{permission}`" not in DOCUMENT.partition("## Permissions")[2]
    } == set()


@pytest.mark.parametrize("command", ["send", "trace", "verify", "failed", "redrive"])
def test_every_option_a_command_has_is_real_and_every_command_is_told(command: str) -> None:
    assert f"\n## {command}\n" in DOCUMENT
    shown = subprocess.run(
        [sys.executable, "-m", "traced_pipeline_cli", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path)},
    ).stdout
    section = DOCUMENT.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    told = set(re.findall(rf"traced-pipeline {command} [^\n]*?(--[a-z]+)", section))
    assert {option for option in told if option not in shown} == set()
