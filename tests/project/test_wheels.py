"""Both distributions, built as wheels and used away from the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from harness.local_aws import ROOT


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of both wheels, as site-packages holds them."""
    wheels = tmp_path_factory.mktemp("wheels")
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(wheels), str(ROOT), str(ROOT / "runtime")], check=True)
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    return site


def _run(site: Path, program: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONWARNINGS": "error"}
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_wheels_hold_what_they_should_and_nothing_else(unpacked: Path) -> None:
    assert sorted(path.name for path in unpacked.iterdir() if not path.name.endswith(".dist-info")) == [
        "trace_bridge",
        "traced_pipeline",
        "traced_pipeline_ops",
    ]
    assert not list(unpacked.rglob("*.pyc"))
    for package in ("trace_bridge", "traced_pipeline", "traced_pipeline_ops"):
        assert (unpacked / package / "py.typed").exists()


def test_a_stack_of_a_foreign_project_synthesizes(unpacked: Path, tmp_path: Path) -> None:
    program = """
import aws_cdk, traced_pipeline
from aws_cdk.assertions import Template
from traced_pipeline import *
stack = aws_cdk.Stack(aws_cdk.App(), "Shop")
TracedPipeline(stack, "Orders")
Template.from_stack(stack).resource_count_is("AWS::Lambda::Function", 2)
print(traced_pipeline.__file__)
"""
    assert _run(unpacked, program, tmp_path).strip().startswith(str(unpacked))


def test_the_page_is_made_of_files_in_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    program = """
import sys
sys.modules["aws_cdk"] = sys.modules["constructs"] = None
from traced_pipeline_ops.map_building import build_map
from traced_pipeline_ops.page_html import page_html
html = page_html(build_map([]), [])
print(page_html.__code__.co_filename, "Chris Pettitt" in html, html.startswith("<!doctype html>"))
"""
    told = _run(unpacked, program, tmp_path).split()
    assert told[0].startswith(str(unpacked))
    assert told[1:] == ["True", "True"]


def test_the_bridge_works_without_the_cdk(unpacked: Path, tmp_path: Path) -> None:
    program = """
import sys
sys.modules["aws_cdk"] = sys.modules["constructs"] = sys.modules["boto3"] = None
import trace_bridge
with trace_bridge.continue_trace({"messageId": "m", "body": "{}"}) as segment:
    assert not segment.sampled
print(trace_bridge.__file__, "aws_xray_sdk" in sys.modules)
"""
    told = _run(unpacked, program, tmp_path).split()
    assert told[0].startswith(str(unpacked))
    assert told[1] == "False"
