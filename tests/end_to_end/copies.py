"""Altered copies of the reference pipeline, deployed beside it, and the command line run on them."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.local_aws import ROOT
from tests.end_to_end.conftest import Deployed
from tests.waiting import wait_for

Resources = dict[str, Any]

# One of each serves the whole account, and the reference pipeline beside the copies brings them.
_OF_THE_ACCOUNT = ("AWS::XRay::ResourcePolicy", "AWS::XRay::SamplingRule", "AWS::ApiGateway::Account")


def find(resources: Resources, resource_type: str, part: str = "") -> Any:
    """The properties of the one resource of a type whose logical id has a part."""
    [found] = [one for key, one in resources.items() if one["Type"] == resource_type and part in key]
    return found["Properties"]


def remove(resources: Resources, resource_type: str, part: str = "") -> None:
    """Take a resource away, and whatever waits for it."""
    [gone] = [key for key, one in resources.items() if one["Type"] == resource_type and part in key]
    del resources[gone]
    for other in resources.values():
        waits = other.get("DependsOn", [])
        other["DependsOn"] = [key for key in ([waits] if isinstance(waits, str) else waits) if key != gone]


def deploy(deployed: Deployed, name: str, alter: Callable[[Resources], None]) -> str:
    """Deploy a copy; gives its stack's name."""
    template = deployed.template()
    resources: Resources = template["Resources"]
    for resource_type in _OF_THE_ACCOUNT:
        remove(resources, resource_type)
    find(resources, "AWS::ApiGateway::RestApi")["Name"] = name
    alter(resources)
    stacks = deployed.client("cloudformation")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    stack = wait_for(lambda: _settled(stacks, name), what=f"the stack {name}")
    assert stack["StackStatus"] == "CREATE_COMPLETE", _failures(stacks, name)
    return name


def _settled(stacks: Any, name: str) -> Any:
    stack = stacks.describe_stacks(StackName=name)["Stacks"][0]
    return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack


def _failures(stacks: Any, name: str) -> list[str]:
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    return [event.get("ResourceStatusReason", "") for event in events if "FAILED" in event["ResourceStatus"]]


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What the command line answered."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """What it came to, out of the envelope of `--json`."""
        return json.loads(self.out)["result"]


def command(
    deployed: Deployed, *arguments: str, environment: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> Ran:
    """Run `python -m traced_pipeline_cli` as a process of its own, against the local AWS."""
    done = subprocess.run(
        [sys.executable, "-m", "traced_pipeline_cli", *arguments],
        cwd=ROOT,
        env={**deployed.environment, "PYTHONIOENCODING": "utf-8", **(environment or {})},
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(status=done.returncode, out=done.stdout, err=done.stderr)
