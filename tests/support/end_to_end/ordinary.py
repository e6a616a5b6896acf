"""A pipeline of the CDK's own constructs on a local AWS, which is adopted, upgraded, and taken back."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.cdk import Cdk
from harness.local_aws import ROOT, LocalAws
from tests.support.end_to_end.deployed import Deployed, deployed

_STACK = "Ordinary"
# What `cdk diff` prints of a resource: what becomes of it, its type, its path and its logical id.
_CHANGE = re.compile(r"^\[([-+~])\] (AWS::\S+) \S+ \S+", re.MULTILINE)
_REPLACED = re.compile(r"requires replacement|may cause replacement|may be replaced| replace$", re.MULTILINE)


def synthesize_ordinary(folder: Path) -> None:
    """Leaves the cloud assemblies `before`, `adopted` and `upgraded` in a folder."""
    module = "tests.support.end_to_end.ordinary_app"
    subprocess.run([sys.executable, "-m", module, str(folder)], cwd=ROOT, check=True, capture_output=True)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What `cdk diff` says that a deployment would do.

    Attributes:
        text: All that it prints.
    """

    text: str

    @property
    def removed(self) -> set[str]:
        """The types of resources that would be removed."""
        return {kind for sign, kind in _CHANGE.findall(self.text) if sign == "-"}

    @property
    def added(self) -> set[str]:
        """The types of resources that would be made."""
        return {kind for sign, kind in _CHANGE.findall(self.text) if sign == "+"}

    @property
    def replaces(self) -> bool:
        """Whether a resource would be replaced, or perhaps."""
        return bool(_REPLACED.search(self.text))


@dataclass(frozen=True, kw_only=True)
class Ordinary:
    """The pipeline in its account."""

    aws: LocalAws
    assemblies: Path

    def deploy(self, version: str) -> Deployed:
        """Deploys `before`, `adopted` or `upgraded`."""
        Cdk(self.aws).deploy(app=str(self.assemblies / version), name=f"ordinary-{version}")
        return deployed(self.aws, _STACK, assembly=self.assemblies / version)

    def diff(self, version: str) -> Difference:
        """Compares `before`, `adopted` or `upgraded` with what is deployed."""
        return Difference(text=Cdk(self.aws).diff(self.assemblies / version, name=f"ordinary-{version}"))
