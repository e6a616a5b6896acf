"""`make demo` as a user runs it: in a shell full of other accounts, and interrupted."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from harness.local_aws import ROOT


class Trap:
    """A listener that nobody must connect to; remembers who did."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.visits = 0
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                visitor, _ = self.listener.accept()
            except OSError:
                return
            if visitor.recv(4) == b"stop":
                visitor.close()
                return
            self.visits += 1
            visitor.close()

    def close(self) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as end:
            end.sendall(b"stop")
        self._thread.join()
        self.listener.close()


@pytest.fixture
def trap() -> Iterator[Trap]:
    trap = Trap()
    yield trap
    trap.close()


def _hostile_shell(trap: Trap) -> dict[str, str]:
    """What the shell of somebody with real accounts may hold, all of it leading to the trap."""
    elsewhere = f"http://127.0.0.1:{trap.port}"
    return {
        **os.environ,
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN": "a-token",
        "AWS_ENDPOINT_URL": elsewhere,
        "AWS_ENDPOINT_URL_DYNAMODB": elsewhere,
        "AWS_ENDPOINT_URL_CLOUDFORMATION": elsewhere,
        "AWS_ENDPOINT_URL_STS": elsewhere,
        "AWS_ENDPOINT_URL_XRAY": elsewhere,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": elsewhere,
        "HTTPS_PROXY": elsewhere,
        "https_proxy": elsewhere,
        "HTTP_PROXY": elsewhere,
        "ALL_PROXY": elsewhere,
        "AWS_REGION": "eu-central-1",
        "CDK_DEFAULT_ACCOUNT": "123456789012",
    }


def _demo(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "harness.demo", *arguments]


def test_the_demo_proves_one_trace_and_reaches_nothing_but_the_local_aws(trap: Trap) -> None:
    ran = subprocess.run(
        _demo("--requests", "3"), cwd=ROOT, env=_hostile_shell(trap), capture_output=True, text=True, timeout=240
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "3 requests, 3 traces, 1 cluster, 6 nodes, 3 items"
    assert "cdk deploy" in ran.stderr
    assert trap.visits == 0
    picture = (ROOT / "build" / "trace-map.svg").read_text(encoding="utf-8")
    assert picture.startswith("<svg")
    assert "OrdersWorkerQueue" in picture
    assert "page: build/trace.html" in ran.stderr
    page = (ROOT / "build" / "trace.html").read_text(encoding="utf-8")
    shown = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1))  # type: ignore[union-attr]
    assert shown["summary"] == "3 traces · 1 cluster · 6 nodes"
    assert all(trace["whole"] for trace in shown["traces"])
    assert [logs["problem"] for logs in shown["logs"] if logs is not None] == [None, None]
    assert not [path.name for path in (ROOT / "build").iterdir() if path.name.startswith(".trace")]


def test_an_interrupted_demo_stops_everything_it_started() -> None:
    running = subprocess.Popen(
        _demo(),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background with interrupts ignored, and children inherit that.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    printed = ""
    for line in running.stderr:
        printed += line
        if line.startswith("cdk bootstrap"):
            running.send_signal(signal.SIGINT)
            break
    printed += running.stderr.read()
    running.stderr.close()
    assert running.wait(60) == 130, printed
    assert "interrupted" in printed
    folder = printed.strip().rpartition("logs: ")[2]
    assert folder
    assert _processes_that_mention(folder) == []


def _processes_that_mention(folder: str) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return [line for line in listed.stdout.splitlines() if folder in line]


@pytest.mark.parametrize(
    ("arguments", "printed"),
    [
        (["--requests", "none"], "'none' is no whole number from 1"),
        (["--bridge", "maybe"], "invalid choice: 'maybe'"),
        (["--engine", "zipkin"], "invalid choice: 'zipkin' (choose from"),
    ],
)
def test_a_wrong_option_is_refused(arguments: list[str], printed: str) -> None:
    ran = subprocess.run(_demo(*arguments), cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 2
    assert printed in ran.stderr
