import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.local_aws.conftest import INTERPRETER, REPOSITORY, LocalAws, eventually, start, stop
from tests.local_aws.template import hops


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


def with_a_function(aws: LocalAws) -> list[int]:
    function = aws.deploy("hops", hops())["PassThrough"]
    aws.client("lambda").invoke(FunctionName=function, Payload=b"{}")
    return children(aws.process.pid)


@pytest.mark.parametrize("way", ["stdin", "SIGTERM"])
def test_it_ends_with_its_functions(tmp_path: Path, way: str) -> None:
    aws = start(tmp_path)
    functions = with_a_function(aws)
    assert functions
    if way == "stdin":
        stop(aws)
    else:
        aws.process.send_signal(signal.SIGTERM)
        stop(aws)
    assert aws.process.returncode == 0
    eventually(lambda: not any(alive(pid) for pid in functions))
    assert not aws.ready_file.exists()


def test_a_taken_port_is_said_in_one_line(aws: LocalAws, tmp_path: Path) -> None:
    port = aws.ready["endpoint"].rsplit(":", 1)[-1]
    command = ["-m", "local", "--ready-file", str(tmp_path / "r"), "--work-dir", str(tmp_path), "--port", port]
    run = subprocess.run([INTERPRETER, *command], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("local: ")
    assert len(run.stderr.splitlines()) == 1
