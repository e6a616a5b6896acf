"""The oldest CDK that the constructs take and the one they are developed with: the same templates, the same checks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.cdk_range.synthesize import STACKS
from tests.support.templates import ROOT

pytestmark = pytest.mark.peers
OLDEST = ROOT / ".venv-oldest" / "bin" / "python"


def synthesize(python: Path, out: Path) -> dict[str, Any]:
    """What `tests.cdk_range.synthesize` finds by a Python."""
    out.mkdir()
    sources = [ROOT, ROOT / "constructs_pkg", ROOT / "runtime"]
    # The CDK's own check of templates is no affair of the constructs', and takes longer than all of this.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources)), "CDK_VALIDATION": "false"}
    command = [str(python), "-m", "tests.cdk_range.synthesize", str(out)]
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = _alike(json.loads((out / "found.json").read_text(encoding="utf-8")))
    return found


def _alike(value: Any) -> Any:
    """What is found, with one spelling for what CDKs write in different ways."""
    match value:
        case str():
            return value.replace("[ack: annotation::", "[ack: Annotation::")
        case list():
            return [_alike(item) for item in value]
        # References to other stacks, which a flag that older CDKs do not know makes weak.
        case {"Fn::ImportValue": str(name)}:
            return _reference(name.partition(":")[2])
        case {"Fn::GetStackOutput": {"OutputName": str(name)}}:
            return _reference(name)
        case {"AccessLogSetting": {"DestinationArn": arn, **setting}, **others}:
            return _alike({"AccessLogSetting": {"LogGroup": _log_group(arn), **setting}, **others})
        case {"LoadBalancers": [], **others}:
            return _alike(others)
        case dict():
            return {key: _alike(item) for key, item in value.items()}
        case _:
            return value


def _reference(output: str) -> str:
    return f"other stack's {re.sub('^(Exports|Publish)Output|[0-9A-F]{8}$', '', output)}"


def _log_group(arn: Any) -> str:
    """Returns the log group of an ARN, made by GetAtt or of its parts."""
    match arn:
        case {"Fn::GetAtt": [str(name), "Arn"]} | {"Fn::Join": [_, [*_, {"Ref": str(name)}]]}:
            return name
        case _:
            raise AssertionError(f"not the ARN of a log group: {arn}")


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is found with the oldest CDK, and with that of `.venv`."""
    assert OLDEST.exists(), "the oldest CDK is not installed; run `make peers`"
    out = tmp_path_factory.mktemp("range")
    with ThreadPoolExecutor(max_workers=2) as pool:
        oldest = pool.submit(synthesize, OLDEST, out / "oldest")
        newest = pool.submit(synthesize, Path(sys.executable), out / "newest")
        return oldest.result(), newest.result()


def test_the_oldest_is_the_one_that_the_package_declares(ends: tuple[dict[str, Any], dict[str, Any]]) -> None:
    oldest, newest = ends
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (declared,) = [text for text in project["dependencies"] if text.startswith("aws-cdk-lib")]
    assert re.fullmatch(r"aws-cdk-lib>=(\d+\.\d+),<3", declared)
    assert oldest["cdk"] == f"{declared.removeprefix('aws-cdk-lib>=').removesuffix(',<3')}.0"
    assert oldest["cdk"] != newest["cdk"]


@pytest.mark.parametrize("stack", STACKS)
def test_templates_are_the_same(ends: tuple[dict[str, Any], dict[str, Any]], stack: str) -> None:
    oldest, newest = ends
    assert len(newest["stacks"][stack]["Resources"]) > 10
    assert oldest["stacks"][stack] == newest["stacks"][stack]


def test_checks_say_the_same(ends: tuple[dict[str, Any], dict[str, Any]]) -> None:
    oldest, newest = ends
    assert [check for check, said in newest["checks"].items() if check not in " ".join(said)] == []
    assert oldest["checks"] == newest["checks"]
