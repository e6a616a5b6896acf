"""docs/command-line.md names every command, check and permission there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from traced_pipeline_cli.aws import error_messages
from traced_pipeline_cli.diagnosis.checks import Check
from traced_pipeline_cli.exit_status import ExitStatus

DOCUMENT = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_every_check_is_explained() -> None:
    found = {check.value for check in Check}
    documented = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", DOCUMENT.partition("| check |")[2].partition("\n\n")[0]))
    assert documented == found


def test_every_exit_status_is_in_the_documentation_and_in_the_help() -> None:
    table = DOCUMENT.partition("| status | meaning |")[2].partition("\n\n")[0]
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == list(ExitStatus)
    help_text = _help()
    listed = help_text.partition("exit status:")[2].partition("\n\n")[0]
    assert [int(number) for number in re.findall(r"^  (\d+) ", listed, re.MULTILINE)] == list(ExitStatus)


def test_every_key_of_a_result_is_documented() -> None:
    contract = json.loads(Path(__file__).with_name("contract.json").read_text(encoding="utf-8"))
    table = DOCUMENT.partition("| command | keys of `result` |")[2].partition("\n\n")[0]
    for command, keys in contract["results"].items():
        [row] = [line for line in table.splitlines() if line.startswith(f"| `{command}` |")]
        assert {key for key in keys if not re.search(r"[.\[]", key)} <= set(re.findall(r"`(\w+)`", row))


def test_every_permission_is_listed() -> None:
    needed = {error_messages.permission(operation) for ones in error_messages.OPERATIONS.values() for operation in ones}
    assert {
        permission for permission in needed if f"`{permission}`" not in DOCUMENT.partition("## Permissions")[2]
    } == set()


@pytest.mark.parametrize("command", ["send", "trace", "verify", "failed", "redrive"])
def test_every_option_a_command_has_is_real_and_every_command_is_documented(command: str) -> None:
    assert f"\n## {command}\n" in DOCUMENT
    shown = _help(command)
    section = DOCUMENT.partition(f"\n## {command}\n")[2].partition("\n## ")[0]
    documented = set(re.findall(rf"traced-pipeline {command} [^\n]*?(--[a-z]+)", section))
    assert {option for option in documented if option not in shown} == set()
    options = set(re.findall(r"--[a-z-]+", shown.partition("\noptions:\n")[2]))
    assert {option for option in options - {"--help"} if option not in DOCUMENT} == set()


def _help(*command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", "traced_pipeline_cli", *command, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "", "PYTHONPATH": ":".join(sys.path)},
    ).stdout
