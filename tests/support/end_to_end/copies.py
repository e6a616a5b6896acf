"""Altered copies of the reference pipeline, deployed beside it, and the command line run on them."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from harness.local_aws import ROOT
from tests.support.end_to_end.deployed import Deployed

Resources = dict[str, Any]

# One of each serves the whole account, and the reference pipeline beside the copies brings them.
_OF_THE_ACCOUNT = ("AWS::XRay::ResourcePolicy", "AWS::XRay::SamplingRule", "AWS::ApiGateway::Account")


def find(resources: Resources, resource_type: str, part: str = "") -> Any:
    """The properties of the one resource of a type whose logical id has a part."""
    [resource] = [resource for key, resource in resources.items() if resource["Type"] == resource_type and part in key]
    return resource["Properties"]


def remove(resources: Resources, resource_type: str, part: str = "") -> None:
    """Removes a resource, and what others depend on it."""
    [removed] = [key for key, resource in resources.items() if resource["Type"] == resource_type and part in key]
    del resources[removed]
    for other in resources.values():
        waits = other.get("DependsOn", [])
        other["DependsOn"] = [key for key in ([waits] if isinstance(waits, str) else waits) if key != removed]


class Copies:
    """Copies of a deployed pipeline, deleted at the end of the block.

    Args:
        original: The pipeline.
    """

    def __init__(self, original: Deployed) -> None:
        self.original = original
        self._stacks: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stack in self._stacks:
            self.original.account.delete(stack)

    def deploy(self, name: str, alter: Callable[[Resources], None]) -> dict[str, str]:
        """Deploys a copy as the stack of a name; returns its outputs."""
        template = self.original.template()
        resources: Resources = template["Resources"]
        for resource_type in _OF_THE_ACCOUNT:
            remove(resources, resource_type)
        find(resources, "AWS::ApiGateway::RestApi")["Name"] = name
        alter(resources)
        self._stacks.append(name)
        return self.original.account.deploy(name, template)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What the command line printed, and its exit status."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """What it came to, out of the envelope of `--json`."""
        return json.loads(self.out)["result"]


def command(
    deployed: Deployed, *arguments: str, environment: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> Ran:
    """Runs `python -m traced_pipeline_cli` as a process of its own, against the local AWS."""
    done = subprocess.run(
        [sys.executable, "-m", "traced_pipeline_cli", *arguments],
        cwd=ROOT,
        env={**deployed.environment, "PYTHONIOENCODING": "utf-8", **(environment or {})},
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Ran(status=done.returncode, out=done.stdout, err=done.stderr)
