"""The local AWS as a process of its own, by the contract of its ready file, and a small stack on it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
import urllib3
from botocore.config import Config

REPOSITORY = Path(__file__).parents[2]
INTERPRETER = REPOSITORY / ".venv-local" / "bin" / "python"
T = TypeVar("T")


def eventually(read: Callable[[], T | None], *, seconds: float = 15.0) -> T:
    """Wait until `read` answers something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := read():
            return found
        time.sleep(0.05)
    pytest.fail(f"nothing after {seconds} s")


@dataclass(frozen=True, kw_only=True)
class LocalAws:
    process: "subprocess.Popen[bytes]"
    ready: dict[str, Any]
    ready_file: Path
    log: Path

    def client(self, service: str, *, header: str | None = None, **credentials: str) -> Any:
        client = boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.ready["endpoint"],
            verify=self.ready["ca_bundle"],
            region_name=self.ready["region"],
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
            **{
                "aws_access_key_id": self.ready["access_key_id"],
                "aws_secret_access_key": self.ready["secret_access_key"],
                **credentials,
            },
        )
        if header:
            client.meta.events.register("before-call", lambda params, **_: _set_header(params, header))
        return client

    def post(self, path: str, body: str = "{}", **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        pool = urllib3.PoolManager(ca_certs=self.ready["ca_bundle"])
        url = f"{self.ready['endpoint']}/_aws/execute-api/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = pool.request("POST", url, body=body, headers={"content-type": "application/json", **named})
        pool.clear()
        return answer.status, json.loads(answer.data or b"null"), dict(answer.headers)

    def documents(self, trace_id: str) -> list[dict[str, Any]]:
        traces = self.client("xray").batch_get_traces(TraceIds=[trace_id])["Traces"]
        return [json.loads(segment["Document"]) for trace in traces for segment in trace["Segments"]]

    def deploy(self, name: str, template: dict[str, Any]) -> dict[str, str]:
        stacks = self.client("cloudformation")
        body = json.dumps(template)
        stacks.create_stack(StackName=name, TemplateBody=body, Capabilities=["CAPABILITY_NAMED_IAM"])
        stack = eventually(lambda: _settled(stacks, name))
        if stack["StackStatus"] != "CREATE_COMPLETE":
            events = stacks.describe_stack_events(StackName=name)["StackEvents"]
            failed = [event["ResourceStatusReason"] for event in events if event["ResourceStatus"] == "CREATE_FAILED"]
            raise RuntimeError("; ".join(failed))
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _set_header(params: dict[str, Any], header: str) -> None:
    params["headers"]["X-Amzn-Trace-Id"] = header


def _settled(stacks: Any, name: str) -> Any:
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack


def start(directory: Path) -> LocalAws:
    ready_file, log = directory / "ready.json", directory / "log.txt"
    command = ["-m", "local", "--ready-file", str(ready_file), "--work-dir", str(directory / "work"), "--follow-stdin"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [INTERPRETER, *command], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=output, stderr=output
        )
    eventually(lambda: ready_file.exists() or process.poll() is not None, seconds=120)
    if process.poll() is not None:
        sys.stderr.write(log.read_text())
        pytest.fail("the local AWS did not start")
    return LocalAws(process=process, ready=json.loads(ready_file.read_text()), ready_file=ready_file, log=log)


def stop(aws: LocalAws) -> None:
    assert aws.process.stdin
    aws.process.stdin.close()
    aws.process.wait(timeout=20)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    local = start(tmp_path_factory.mktemp("local-aws"))
    yield local
    stop(local)


@pytest.fixture(scope="session")
def stack(aws: LocalAws) -> dict[str, str]:
    from tests.local_aws import template

    return aws.deploy("hops", template.hops())


@pytest.fixture
def policies(aws: LocalAws) -> Iterator[Any]:
    """X-Ray's client, with no resource policy before and after."""
    xray = aws.client("xray")
    _delete_policies(xray)
    yield xray
    _delete_policies(xray)


def _delete_policies(xray: Any) -> None:
    for policy in xray.list_resource_policies()["ResourcePolicies"]:
        xray.delete_resource_policy(PolicyName=policy["PolicyName"])
