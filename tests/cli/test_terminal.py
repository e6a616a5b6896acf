"""The command line where standard output is not what it should be."""

from __future__ import annotations

import errno
import io
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from traced_pipeline_cli.commands.streams import is_output_error
from traced_pipeline_cli.commands.terminal import progress

from tests.support import samples

from .fake_aws import FakeAws, Posted

TRACE = ["trace", samples.bridged()["Id"]]


def command(*arguments: str, stdout: int = subprocess.PIPE, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command line as a process of its own, with the fake AWS of the environment."""
    return subprocess.run(
        [sys.executable, "-m", "traced_pipeline_cli", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )


def failed_request() -> samples.Document:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    worker = samples.bridged_worker(answer, delivery, fault=True)
    worker["cause"]["exceptions"][0]["message"] = "kein Kunde – ✓ 客户"
    return answer.json()


@pytest.mark.parametrize("encoding", ["ascii", "shift_jis", "latin-1", "utf-8"])
@pytest.mark.parametrize("arguments", [[], ["--json"], ["--details"]])
def test_every_encoding_can_be_written_to(aws: FakeAws, encoding: str, arguments: list[str]) -> None:
    answer = failed_request()
    aws.add(answer)
    done = command("trace", answer["Id"], *arguments, PYTHONIOENCODING=encoding, LC_ALL="C")
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert "OrdersWorkerFunction" in text
    assert "6 nodes" in text


def test_errors_too(aws: FakeAws) -> None:
    done = command("send", "Stapel-✓", PYTHONIOENCODING="ascii")
    assert done.returncode == 3
    assert b"There is no stack 'Stapel-+'" in done.stderr


@pytest.mark.parametrize("arguments", [TRACE, [*TRACE, "--json"], ["send", "TracedPipeline"]])
def test_a_full_disk_is_reported_in_a_line(aws: FakeAws, arguments: list[str]) -> None:
    aws.add(samples.bridged())
    with Path("/dev/full").open("wb") as full:
        done = command(*arguments, stdout=full.fileno())
    assert done.returncode == 5
    assert done.stderr == b"traced-pipeline: The output cannot be written: No space left on device.\n"


@pytest.mark.parametrize("arguments", [TRACE, [*TRACE, "--json"], ["send", "TracedPipeline"], ["--help"]])
def test_a_reader_that_has_gone_away_is_no_error(aws: FakeAws, arguments: list[str]) -> None:
    aws.add(samples.bridged())
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = command(*arguments, stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_output_is_no_error(aws: FakeAws) -> None:
    aws.add(samples.bridged())
    script = f"exec {sys.executable} -m traced_pipeline_cli {' '.join(TRACE)} >&-"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["sh", "-c", script], env=environment, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


def test_other_errors_are_not_taken_for_errors_of_the_output() -> None:
    assert is_output_error(OSError(errno.ENOSPC, "full"))
    assert not is_output_error(OSError(errno.ENOSPC, "full", "/tmp/file"))
    assert not is_output_error(OSError(errno.ECONNREFUSED, "refused"))
    assert not is_output_error(io.UnsupportedOperation("fileno"))


def test_progress_is_never_wider_than_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    controlling, terminal = pty.openpty()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(terminal, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with progress("short") as tell:
            tell("3 of 6 hops of the trace 1-6b0705f5-1cc26ffeeef789dabeb3d1bc after 12.3 s, waiting 60 s at most …")
        stream.write("END")
        stream.flush()
        written = b""
        while b"END" not in written:  # the terminal may hand it over in pieces
            written += os.read(controlling, 65_536)
    os.close(controlling)
    plain = _without_escapes(written.decode())
    [line] = {line.rstrip() for line in plain.replace("\r", "\n").split("\n") if "3 of 6 hops" in line}
    assert line.endswith("…"), "it is cut, and goes on in no second line"
    assert len(line) <= 80
    assert "at most" not in plain


def _without_escapes(text: str) -> str:
    """What stands on the screen, without what moves the cursor or colours."""
    found: list[str] = []
    rest = text
    while rest:
        before, escape, rest = rest.partition("\x1b[")
        found.append(before)
        if escape:
            rest = rest.lstrip("?0123456789;")[1:]
    return "".join(found)


def test_no_animation_stands_in_a_log_with_colours(aws: FakeAws) -> None:
    done = command("send", "TracedPipeline", FORCE_COLOR="1")
    assert (done.returncode, done.stderr) == (0, b"")


class Gate(list[Posted]):
    """Requests, the second of which is not answered before the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()

    def append(self, posted: Posted) -> None:
        if self:
            self.open.wait(30)
        super().append(posted)


def test_a_pipe_gets_each_line_of_send_at_once(aws: FakeAws) -> None:
    aws.posted = gate = Gate()
    with subprocess.Popen(
        [sys.executable, "-m", "traced_pipeline_cli", "send", "TracedPipeline", "--count", "2"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        answered = len(gate)
        gate.open.set()
        assert process.wait(60) == 0
    assert line.startswith(b"202 ")
    assert answered == 1
