"""`make local` as a place to work: what it prints is typed into a new shell full of other accounts."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness import foreground
from harness.facts import LocalFacts
from harness.local_aws import ROOT
from harness.running import NotRunningError, RunningLocalAws, announced, find_running
from tests.support.waiting import wait_for

_SHELL = {
    "AWS_PROFILE": "production",
    "AWS_SESSION_TOKEN": "a-token",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_CLOUDFORMATION": "http://127.0.0.1:1",
    "CDK_DEFAULT_ACCOUNT": "123456789012",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "https_proxy": "http://127.0.0.1:1",
}
"""What the shell of somebody with real accounts may hold."""

_APP = """
from aws_cdk import App, CfnOutput, Stack
from traced_pipeline import Handler, IngestOptions, TracedPipeline, WorkerOptions

stack = Stack(App(), "Mine")
orders = TracedPipeline(
    stack,
    "Orders",
    ingest=IngestOptions(path="/orders", account_logging_role="create"),
    worker=WorkerOptions(handler=Handler("worker", "app.handler")),
)
CfnOutput(stack, "ApiUrl", value=orders.url)
stack.node.root.synth()
"""


@dataclass(frozen=True, kw_only=True)
class Local:
    """A `make local` that runs, and what it printed."""

    printed: str
    process: "subprocess.Popen[str]"

    @property
    def commands(self) -> list[str]:
        """The lines to type."""
        return [line.strip() for line in self.printed.splitlines() if line.startswith("  ")]

    def shell(self, *lines: str, folder: Path = Path("/")) -> str:
        """Types lines into a new shell, after the first two that were printed; gives what came out."""
        script = "\n".join(["set -e", *self.commands[:2], f"cd '{folder}'", *lines])
        environment = {"PATH": os.defpath, "HOME": str(folder), "COLUMNS": "120", **_SHELL}
        ran = subprocess.run(
            ["/bin/sh", "-c", script],
            env=environment,
            text=True,
            timeout=900,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    command = [sys.executable, "-m", "harness.foreground", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=dict(os.environ) | _SHELL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    printed = ""
    for line in process.stdout:
        printed += line
        if "--hotswap" in line:
            break
    assert "--hotswap" in printed, process.communicate()[1]
    yield Local(printed=printed, process=process)
    process.terminate()
    process.communicate(timeout=60)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, local: Local) -> Path:
    """An app with a handler of its own, deployed by `make deploy-local`."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "app.py").write_text(_APP)
    shutil.copytree(ROOT / "examples/handlers/pricing", folder / "worker")
    deployed = local.shell(
        f"cd '{folder}'", f"PYTHONPATH='{ROOT}' python3 -m harness.deploy_local --app 'python3 app.py'"
    )
    (folder / "deployed.txt").write_text(deployed)
    return folder


def test_the_project_and_its_tools_are_within_reach_of_the_new_shell(local: Local) -> None:
    out = local.shell(
        "command -v cdk",
        "command -v traced-pipeline",
        'python3 -c \'import boto3, traced_pipeline; print(boto3.client("sts").get_caller_identity()["Account"])\'',
        "cdk --version",
    ).split()
    assert out[:2] == [str(ROOT / "node_modules/.bin/cdk"), str(ROOT / ".venv/bin/traced-pipeline")]
    assert "000000000000" in out


def test_what_is_printed_after_a_deployment_sends_and_shows_a_request(local: Local, app: Path) -> None:
    deployed = (app / "deployed.txt").read_text()
    [url] = re.findall(r"https://\S+/_aws/execute-api/\S+", deployed)
    verify, trace = [line.strip() for line in deployed.splitlines() if line.startswith("  traced-pipeline")]
    assert local.shell(verify).startswith("202")
    assert "connected, 6 nodes" in local.shell(trace)
    # Not signed, so refused; but by the stack's own API.
    asked = f"import urllib3; print(urllib3.PoolManager().request('POST', '{url}').status)"
    assert local.shell(f'SSL_CERT_FILE="$AWS_CA_BUNDLE" python3 -c "{asked}"').strip() == "403"


def test_a_handler_that_was_edited_is_seen_in_the_next_trace(local: Local, app: Path) -> None:
    handler = app / "worker" / "app.py"
    text = handler.read_text()
    handler.write_text(text.replace("    prices.put_item", '    raise ValueError("not for sale")\n    prices.put_item'))
    assert handler.read_text() != text
    hotswap = local.commands[-1].replace("python3 examples/own_handler.py", "python3 app.py")
    assert "--hotswap" in hotswap
    local.shell(hotswap, folder=app)
    assert local.shell("traced-pipeline send Mine").startswith("202")

    def shown() -> bool:
        return "not for sale" in local.shell("traced-pipeline trace --latest Mine --details")

    wait_for(shown, seconds=120.0, what="the trace of what the handler does now")


def test_the_shell_says_when_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="start one with `make local` in another shell"):
        find_running({}, folder=tmp_path)


def _facts(port: int) -> LocalFacts:
    return LocalFacts(
        endpoint=f"https://127.0.0.1:{port}",
        ca_bundle="ca.pem",
        account="0",
        access_key_id="0",
        secret_access_key="s",
        region="us-east-1",
        daemon_address="127.0.0.1:1",
    )


def _environments() -> list[Mapping[str, str]]:
    return [{"AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}"} for port in (1, 2)]


def test_of_two_the_shell_chooses(tmp_path: Path) -> None:
    one, two = (RunningLocalAws(facts=_facts(port), folder=tmp_path / "run") for port in (1, 2))
    with announced(one, folder=tmp_path), announced(two, folder=tmp_path):
        with pytest.raises(NotRunningError, match=r"2 local AWS are running; choose one by `\. .*/1/env` or .*/2/env`"):
            find_running({}, folder=tmp_path)
        assert [find_running(chosen, folder=tmp_path) for chosen in _environments()] == [one, two]
    assert list(tmp_path.glob("*/env")) == []


def test_one_that_was_killed_is_not_taken_for_running(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    with announced(RunningLocalAws(facts=_facts(1), folder=tmp_path / "run"), folder=tmp_path):
        facts = tmp_path / "1" / "facts.json"
        facts.write_text(facts.read_text().replace(f'"pid": {os.getpid()}', f'"pid": {ended.pid}'))
        with pytest.raises(NotRunningError):
            find_running({}, folder=tmp_path)


def test_the_usual_port_is_taken_where_it_is_free(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setattr(foreground, "USUAL_PORT", port)
        assert foreground._free_port() == 0
        assert capsys.readouterr().err == f"port {port} is taken; another one is used\n"
    assert foreground._free_port() == port
