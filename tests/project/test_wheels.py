"""The distributions, built as `make dist` does and used away from the checkout."""

import configparser
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from harness.local_aws import ROOT
from scripts import dist
from scripts.followed_types import followed

OURS = {
    "trace-bridge": "trace_bridge",
    "traced-pipeline": "traced_pipeline",
    "traced-pipeline-cli": "traced_pipeline_cli",
}
"""Our distributions, each with its package."""

_APP = """
import sys

from aws_cdk import App, Stack
from traced_pipeline import *

stack = Stack(App(outdir=sys.argv[1]), "Shop")
orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(path="/orders"))
orders.add_worker("Audit", WorkerOptions(batch_size=5))
assert isinstance(orders.worker, QueueWorker)
app = stack.node.root
assert isinstance(app, App)
app.synth()
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheels."""
    folder = tmp_path_factory.mktemp("wheels")
    for distribution in dist.DISTRIBUTIONS:
        dist.build(distribution, folder)
    return folder


def _empty(environment: Path) -> Path:
    """Makes an environment without anything in it, and gives its site-packages."""
    venv.create(environment, symlinks=True)
    place = {"base": str(environment), "platbase": str(environment)}
    return Path(sysconfig.get_path("purelib", "venv", place))


@pytest.fixture(scope="module")
def unpacked(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site-packages of a venv with all wheels, and with what they depend on, but without the checkout."""
    site = _empty(tmp_path_factory.mktemp("venv"))
    for wheel in wheels.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(site)
    # Dependencies come from the project's environment; Python does not read the links to the checkout that lie there.
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return site


@pytest.fixture(scope="module")
def installed(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the site-packages of an environment with one of ours, and with what its metadata say it needs alone."""

    def install(name: str) -> Path:
        site = _empty(tmp_path_factory.mktemp(name))
        for wheel in wheels.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(site)
        needed = _needed(name, [site])
        for path in site.iterdir():
            if not _belongs(path, needed):
                shutil.rmtree(path)
        for distribution in needed - {name, *OURS}:
            for file in metadata.distribution(distribution).files or ():
                top = file.parts[0]
                if top not in ("..", "__pycache__") and not (site / top).exists():
                    (site / top).symlink_to(Path(str(metadata.distribution(distribution).locate_file(top))))
        return site

    return install


def _needed(name: str, places: Sequence[Path]) -> set[str]:
    """The distributions that one needs, itself included, without extras."""
    needed: set[str] = set()
    open_ends = [name]
    while open_ends:
        current = canonicalize_name(open_ends.pop())
        if current in needed:
            continue
        needed.add(current)
        found = next(iter(metadata.distributions(name=current, path=[str(p) for p in places])), None)
        requires = (found or metadata.distribution(current)).requires or ()
        wanted = (Requirement(text) for text in requires)
        open_ends += [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    return needed


def _belongs(path: Path, needed: set[str]) -> bool:
    """Whether a folder of one of our wheels is of a distribution that is needed."""
    own = path.name.partition("-")[0]
    return canonicalize_name(own) in {canonicalize_name(OURS[name]) for name in needed & OURS.keys()}


def _python(site: Path) -> str:
    return str(site.parents[2] / "bin" / "python")


def _run(site: Path, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    ran = subprocess.run(
        [_python(site), *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    return ran.stdout


def test_the_wheels_hold_what_they_should_and_nothing_else(unpacked: Path) -> None:
    packages = ["trace_bridge", "traced_pipeline", "traced_pipeline_cli"]
    assert sorted(path.name for path in unpacked.iterdir() if path.is_dir() and path.suffix != ".dist-info") == packages
    assert not list(unpacked.rglob("*.pyc"))
    for package in packages:
        assert (unpacked / package / "py.typed").exists()


def test_a_stack_of_a_foreign_project_synthesizes_to_what_it_does_here(unpacked: Path, tmp_path: Path) -> None:
    printed = _run(
        unpacked, tmp_path, "-c", "import traced_pipeline as p, trace_bridge as b; print(p.__file__, b.__file__)"
    )
    assert all(path.startswith(str(unpacked)) for path in printed.split())
    (tmp_path / "app.py").write_text(_APP)
    assert _run(unpacked, tmp_path, "app.py", "cdk.out") == ""
    unvalidated = {**os.environ, "CDK_VALIDATION": "false"}  # the other one is validated
    subprocess.run([sys.executable, "app.py", "here.out"], cwd=tmp_path, env=unvalidated, check=True)
    # Down to the hashes of the layer and of the reference handlers.
    foreign, here = (json.loads((tmp_path / out / "Shop.template.json").read_text()) for out in ("cdk.out", "here.out"))
    assert len([r for r in foreign["Resources"].values() if r["Type"] == "AWS::Lambda::Function"]) == 3
    assert foreign == here


def test_a_caller_is_typed_strictly(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(_APP)
    (tmp_path / "wrong.py").write_text("from traced_pipeline import WorkerOptions\nWorkerOptions(batch_size='5')\n")
    # Of the CDK what `make check` reads and has mostly kept: all of it takes a minute.
    read = ",".join(f"mypy-{module}" for module in sorted(followed((ROOT / "pyproject.toml").read_text())))
    config = configparser.ConfigParser()
    config.read_dict(
        {
            "mypy": {
                "strict": "true",
                "python_version": "3.11",
                "warn_unreachable": "true",
                "enable_error_code": "ignore-without-code, redundant-expr, truthy-bool",
            },
            "mypy-aws_cdk.*": {"follow_imports": "skip"},
            read: {"follow_imports": "normal"},
        }
    )
    with (tmp_path / "mypy.ini").open("w") as file:
        config.write(file)
    cache = ROOT / "build" / "mypy-of-a-caller"
    if not cache.exists() and (ROOT / ".mypy_cache").exists():
        shutil.copytree(ROOT / ".mypy_cache", cache)
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(cache), "--python-executable", _python(unpacked)]
    ran = subprocess.run([*command, "app.py", "wrong.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    found = [line for line in ran.stdout.splitlines() if ": error: " in line]
    assert len(found) == 1, ran.stdout + ran.stderr
    assert found[0].startswith('wrong.py:2: error: Argument "batch_size"')


def test_the_page_is_made_of_files_in_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    program = """
import sys
sys.modules["aws_cdk"] = sys.modules["constructs"] = None
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.render.html.page import page_html
html = page_html(build_map([]), [])
print(page_html.__code__.co_filename, "Chris Pettitt" in html, html.startswith("<!doctype html>"))
"""
    printed = _run(unpacked, tmp_path, "-c", program).split()
    assert printed[0].startswith(str(unpacked))
    assert printed[1:] == ["True", "True"]


def test_the_bridge_needs_botocore_alone(installed: Callable[[str], Path], tmp_path: Path) -> None:
    site = installed("trace-bridge")
    program = """
import importlib.util
for name in ("aws_xray_sdk", "wrapt", "aws_cdk", "boto3", "opentelemetry", "traced_pipeline"):
    assert importlib.util.find_spec(name) is None, name
import trace_bridge
trace_bridge.instrument()
record = {"messageId": "m", "body": "{}", "attributes": {}}
@trace_bridge.sqs_handler
def handler(message):
    assert message.json() == {}
class Context:
    aws_request_id = "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"
    def get_remaining_time_in_millis(self): return 30000
assert handler({"Records": [record]}, Context()) == {"batchItemFailures": []}
print(trace_bridge.__file__)
"""
    assert _run(site, tmp_path, "-c", program).startswith(str(site))


def test_the_command_line_needs_no_cdk(installed: Callable[[str], Path], tmp_path: Path) -> None:
    site = installed("traced-pipeline-cli")
    program = """
import importlib.util
for name in ("aws_cdk", "constructs", "jsii", "aws_xray_sdk", "trace_bridge", "traced_pipeline"):
    assert importlib.util.find_spec(name) is None, name
"""
    _run(site, tmp_path, "-c", program)
    assert "verify" in _run(site, tmp_path, "-m", "traced_pipeline_cli", "--help")


def test_a_foreign_app_synthesizes_without_the_xray_sdk(installed: Callable[[str], Path], tmp_path: Path) -> None:
    site = installed("traced-pipeline")
    (tmp_path / "app.py").write_text(_APP + "import importlib.util\nassert importlib.util.find_spec('boto3') is None\n")
    _run(site, tmp_path, "app.py", "cdk.out")
    template = json.loads((tmp_path / "cdk.out" / "Shop.template.json").read_text())
    assert len([r for r in template["Resources"].values() if r["Type"] == "AWS::Lambda::LayerVersion"]) == 1
    (tmp_path / "with_sdk.py").write_text(_APP.replace("batch_size=5", "xray_sdk=True"))
    command = [_python(site), "with_sdk.py", "sdk.out"]
    refused = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "install trace-bridge[xray-sdk] beside traced-pipeline" in refused.stderr


def test_the_bridge_works_without_the_cdk(unpacked: Path, tmp_path: Path) -> None:
    program = """
import sys
sys.modules["aws_cdk"] = sys.modules["constructs"] = sys.modules["boto3"] = None
import trace_bridge
with trace_bridge.continue_trace({"messageId": "m", "body": "{}"}) as segment:
    assert not segment.sampled
print(trace_bridge.__file__, "aws_xray_sdk" in sys.modules)
"""
    printed = _run(unpacked, tmp_path, "-c", program).split()
    assert printed[0].startswith(str(unpacked))
    assert printed[1] == "False"
