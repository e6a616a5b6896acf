import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.facts import LocalFacts
from harness.local_aws import PYTHON, ROOT
from tests.support.account import Account
from tests.support.local_aws.template import hops
from tests.support.waiting import wait_for


def children(pid: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [child for child, parent in pairs if parent == pid]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextmanager
def started(folder: Path) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """The process, which follows its standard input, and its ready file."""
    ready_file = folder / "ready.json"
    command = [str(PYTHON), "-m", "local", "--follow-stdin"]
    command += ["--ready-file", str(ready_file), "--work-dir", str(folder / "work")]
    with (
        (folder / "log.txt").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for(lambda: ready_file.exists() or process.poll() is not None, what="the ready file", seconds=120)
            assert process.poll() is None, (folder / "log.txt").read_text()
            yield process, ready_file
        finally:
            process.kill()


def with_a_function(account: Account, pid: int) -> list[int]:
    function = account.deploy("hops", hops())["PassThrough"]
    account.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    return children(pid)


@pytest.mark.parametrize("way", ["stdin", "SIGTERM"])
def test_it_ends_with_its_functions(tmp_path: Path, way: str) -> None:
    with started(tmp_path) as (process, ready_file):
        functions = with_a_function(Account(facts=LocalFacts.read(ready_file)), process.pid)
        assert functions
        assert process.stdin is not None
        if way == "stdin":
            process.stdin.close()
        else:
            process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
        wait_for(lambda: not any(alive(pid) for pid in functions))
        assert not ready_file.exists()


def test_a_taken_port_is_said_in_one_line(aws: Account, tmp_path: Path) -> None:
    port = aws.facts.endpoint.rsplit(":", 1)[-1]
    command = ["-m", "local", "--ready-file", str(tmp_path / "r"), "--work-dir", str(tmp_path), "--port", port]
    run = subprocess.run([PYTHON, *command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("local: ")
    assert len(run.stderr.splitlines()) == 1
