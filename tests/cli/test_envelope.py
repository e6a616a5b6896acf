"""What every command has in common: the JSON envelope, options before and after the command, and the exit status."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.commands import main as commands
from traced_pipeline_cli.commands.arguments import parse

from tests.support import samples

from .fake_aws import FakeAws

Output = pytest.CaptureFixture[str]
TRACE_ID = "1-5759e988-bd862e3fe1be46a994272793"


def envelope(capsys: Output) -> Any:
    """Standard output as JSON, all of it."""
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("status", "command", "arguments", "message"),
    [
        (3, "trace", ["trace", TRACE_ID], "X-Ray knows nothing of the trace"),
        (3, "send", ["send", "Nope"], "There is no stack 'Nope'"),
        (3, "verify", ["verify", "Nope"], "There is no stack 'Nope'"),
        (3, "failed", ["failed", "Nope"], "There is no stack 'Nope'"),
        (3, "redrive", ["redrive", "Nope"], "There is no stack 'Nope'"),
        (4, "trace", ["--profile", "nobody", "trace", TRACE_ID], "profile (nobody) could not be found"),
        (2, "trace", ["trace", "no id"], "'no id' is no trace id"),
        (2, "send", ["send", "S", "--count", "0"], "'0' is not a whole number of at least 1"),
        (2, None, ["sned", "S"], "invalid choice: 'sned'"),
        (5, "send", ["send", "TracedPipeline", "--file", "/nowhere/body"], "The file /nowhere/body cannot be read"),
    ],
)
def test_an_error_is_an_envelope_too(
    aws: FakeAws, capsys: Output, status: int, command: str | None, arguments: list[str], message: str
) -> None:
    assert main([*arguments, "--json"]) == status
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found == {
        "version": 1,
        "command": command,
        "error": {"status": status, "message": found["error"]["message"]},
    }
    assert message in found["error"]["message"]
    assert printed.err.splitlines()[-1] == f"traced-pipeline: {found['error']['message']}"


def test_a_result_is_an_envelope_whatever_the_status(aws: FakeAws, capsys: Output) -> None:
    aws.add(samples.bridged())
    assert main(["trace", samples.bridged()["Id"], "--json"]) == 0
    assert {key: value for key, value in envelope(capsys).items() if key != "result"} == {
        "version": 1,
        "command": "trace",
    }
    aws.status = 400
    assert main(["send", "TracedPipeline", "--json"]) == 1
    found = envelope(capsys)
    assert (found["command"], found["result"]["answers"][0]["status"]) == ("send", 400)


def test_a_file_that_cannot_be_written_has_a_status_of_its_own(aws: FakeAws, capsys: Output, tmp_path: Path) -> None:
    aws.add(samples.bridged())
    (tmp_path / "file").write_text("")
    for option in ("--svg", "--html"):
        assert main(["trace", samples.bridged()["Id"], option, str(tmp_path / "file" / "below")]) == 5
        assert "cannot be written" in capsys.readouterr().err


def test_a_missing_package_is_reported_in_the_envelope() -> None:
    script = (
        "import sys; sys.modules['rich'] = None\n"
        "from traced_pipeline_cli.__main__ import main\n"
        "sys.exit(main(['send', 'S', '--json']))"
    )
    environment = {"PATH": "", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["status"] == 2


def test_a_fault_of_the_command_line_is_no_answer(
    aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: object) -> None:
        raise RuntimeError("unexpected")

    monkeypatch.setattr(commands, "connect", broken)
    assert main(["trace", TRACE_ID, "--json"]) == 70
    printed = capsys.readouterr()
    assert "Traceback" in printed.err
    assert json.loads(printed.out)["error"]["message"].startswith("This is a fault of traced-pipeline itself")


def test_an_interrupt_is_130(aws: FakeAws, capsys: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "connect", interrupted)
    assert main(["trace", TRACE_ID, "--json"]) == 130
    assert envelope(capsys)["error"] == {"status": 130, "message": "Interrupted."}


def test_the_version_is_that_of_the_distribution(capsys: Output) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"traced-pipeline {version('traced-pipeline-cli')}\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--profile", "p", "--region", "r", "--debug", "send", "S"],
        ["send", "--profile", "p", "--region", "r", "--debug", "S"],
        ["--profile", "p", "send", "S", "--region", "r", "--debug"],
        ["--profile", "other", "--region", "r", "send", "S", "--profile", "p", "--debug"],
    ],
)
def test_profile_region_and_debug_stand_before_or_after_the_command(words: list[str]) -> None:
    arguments = parse(words, commands.COMMANDS)
    assert (arguments.profile, arguments.region, arguments.debug) == ("p", "r", True)


def test_what_is_not_said_is_left_to_boto3() -> None:
    arguments = parse(["send", "S"], commands.COMMANDS)
    assert (arguments.profile, arguments.region, arguments.debug) == (None, None, False)


@pytest.fixture
def botocore_log() -> Iterator[logging.Logger]:
    """botocore's logger, left as it was found."""
    logger = logging.getLogger("botocore")
    level, handlers = logger.level, list(logger.handlers)
    yield logger
    logger.setLevel(level)
    logger.handlers = handlers


def test_debug_shows_botocores_log_and_the_traceback(
    aws: FakeAws, capsys: Output, botocore_log: logging.Logger
) -> None:
    assert main(["trace", TRACE_ID]) == 3
    assert "Traceback" not in capsys.readouterr().err
    assert main(["--debug", "trace", TRACE_ID, "--json"]) == 3
    printed = capsys.readouterr()
    assert "Traceback" in printed.err
    assert "botocore" in printed.err
    assert json.loads(printed.out)["error"]["status"] == 3, "standard output has the envelope alone"
    assert botocore_log.level == logging.DEBUG


@pytest.mark.parametrize(
    "arguments",
    [
        ["send", "S", "--count"],
        ["trace", "--latest", "S", "--count"],
        ["trace", "--latest", "S", "--within"],
        ["trace", TRACE_ID, "--wait"],
        ["verify", "S", "--timeout"],
        ["failed", "S", "--count"],
        ["redrive", "S", "--timeout"],
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", "", "1_000", "٣"])
def test_every_number_is_a_whole_one_of_at_least_1(arguments: list[str], value: str, capsys: Output) -> None:
    assert main([*arguments[:-1], f"{arguments[-1]}={value}"]) == 2
    assert f"{value!r} is not a whole number of at least 1" in capsys.readouterr().err
