"""The layer with OpenTelemetry: what is in it, and that it records a function's work from where Lambda puts it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from traced_pipeline import Check, PipelineError, layer_content
from traced_pipeline.layer_content import LayerContent, assemble

DISTRIBUTIONS = ("opentelemetry-api", "opentelemetry-sdk", "opentelemetry-semantic-conventions", "typing_extensions")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    assembled = tmp_path_factory.mktemp("layer_with_otel")
    assemble(assembled, LayerContent(open_telemetry="sdk"))
    return assembled


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_holds_api_sdk_and_conventions_with_their_licences_and_no_exporter_but_the_bridges(folder: Path) -> None:
    held = files(folder)
    assert {
        "python/opentelemetry/trace/__init__.py",
        "python/opentelemetry/sdk/trace/__init__.py",
        "python/opentelemetry/semconv/attributes/http_attributes.py",
        "python/typing_extensions.py",
        "python/trace_bridge/otel/_exporter.py",
    } <= held
    top = {path.name for path in (folder / "python").iterdir() if path.suffix != ".dist-info"}
    assert top == {"opentelemetry", "trace_bridge", "typing_extensions.py"}
    assert not [name for name in held if "exporter/otlp" in name or "opentelemetry/instrumentation" in name]
    assert {path.name for path in (folder / "licenses").iterdir()} == {"trace-bridge", *DISTRIBUTIONS}
    assert all(list(path.iterdir()) for path in (folder / "licenses").iterdir())


def test_fits_every_python_and_architecture(folder: Path) -> None:
    modules = {name for name in files(folder / "python") if ".dist-info/" not in name}
    assert {Path(name).suffix for name in modules} == {".py", ".typed"}
    assert not list(folder.rglob("__pycache__"))


def test_holds_the_bridges_exporter_alone_for_a_layer_that_brings_opentelemetry(tmp_path: Path) -> None:
    assemble(tmp_path, LayerContent(open_telemetry="exporter"))
    version = importlib.metadata.version("trace-bridge")
    assert {path.name for path in (tmp_path / "python").iterdir()} == {
        "trace_bridge",
        f"trace_bridge-{version}.dist-info",
    }
    assert (tmp_path / "python" / "trace_bridge" / "otel" / "_exporter.py").is_file()


_HANDLER = """
import json, sys
sys.path.insert(0, sys.argv[1])
sys.path.append(sys.argv[2])
import trace_bridge
from opentelemetry import trace
sent = []
@trace_bridge.sqs_handler
def handler(message):
    with trace.get_tracer("orders").start_as_current_span("price"):
        pass
class Context:
    aws_request_id, invoked_function_arn = "1", "arn:aws:lambda:us-east-1:111111111111:function:worker"
    def get_remaining_time_in_millis(self): return 3000
header = "Root=1-6b04d6c2-0123456789abcdef01234567;Parent=53995c3f42cd8ad8;Sampled=1"
handler({"Records": [{"messageId": "1", "body": "{}", "attributes": {"AWSTraceHeader": header},
    "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:111111111111:orders"}]}, Context())
import opentelemetry.sdk
counted = trace_bridge.counters()
places = [opentelemetry.sdk.__path__[0], trace_bridge.__file__]
print(json.dumps([counted.continued, counted.sent_udp, counted.failed, *places]))
"""


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Lambda's Python has beside the standard library."""
    packages = tmp_path_factory.mktemp("runtime")
    for name in ("botocore", "jmespath", "dateutil", "urllib3", "six"):
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        source = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
        (packages / source.name).symlink_to(source)
    return packages


def test_records_a_messages_work_from_where_lambda_puts_it(folder: Path, runtime: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "TRACE_BRIDGE_ENGINE": "otel",
        "OTEL_PYTHON_TRACER_PROVIDER": "trace_bridge",
        "TRACE_BRIDGE_EMITTER": "udp",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9",
        "AWS_LAMBDA_FUNCTION_NAME": "worker",
    }
    layer = folder / "python"
    run = [sys.executable, "-I", "-S", "-B", "-c", _HANDLER, str(layer), str(runtime)]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    continued, sent, failed, sdk, bridge = json.loads(done.stdout)
    assert (continued, sent, failed) == (1, 2, 0)
    assert sdk.startswith(str(layer))
    assert bridge.startswith(str(layer))


_START = """
import sys, time
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import botocore.session, trace_bridge
began = time.process_time()
{}
print(time.process_time() - began)
"""
_OPENTELEMETRY = "from opentelemetry import trace; trace.get_tracer('orders').start_span('price').end()"
_XRAY_SDK = "from aws_xray_sdk.core import xray_recorder"


def test_starts_in_no_more_time_than_the_xray_sdk(folder: Path, runtime: Path, tmp_path: Path) -> None:
    assemble(tmp_path, LayerContent(xray_sdk=True))
    for layer in (folder, tmp_path):
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(layer)], check=True)
    environment = {**os.environ, "OTEL_PYTHON_TRACER_PROVIDER": "trace_bridge", "AWS_LAMBDA_FUNCTION_NAME": "worker"}

    def seconds(layer: Path, code: str) -> float:
        run = [sys.executable, "-I", "-S", "-B", "-c", _START.format(code), str(layer / "python"), str(runtime)]
        return float(subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout)

    ours, theirs = zip(
        *((seconds(folder, _OPENTELEMETRY), seconds(tmp_path, _XRAY_SDK)) for _ in range(3)), strict=True
    )
    assert min(ours) <= min(theirs)
    for layer in (folder, tmp_path):
        for cached in layer.rglob("__pycache__"):
            shutil.rmtree(cached)


@pytest.mark.parametrize("version", [None, "1.44.9"])
def test_a_missing_or_old_sdk_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    real = importlib.metadata.distribution

    class Old(importlib.metadata.PathDistribution):
        @property
        def version(self) -> str:
            return str(version)

    def installed(name: str) -> importlib.metadata.Distribution:
        if name != "opentelemetry-sdk":
            return real(name)
        if version is None:
            raise PackageNotFoundError(name)
        return Old(Path(str(real(name)._path)))  # type: ignore[attr-defined]

    monkeypatch.setattr(layer_content, "distribution", installed)
    with pytest.raises(PipelineError, match=r"opentelemetry-sdk is .*; install traced-pipeline\[otel\]") as caught:
        assemble(tmp_path, LayerContent(open_telemetry="sdk"))
    assert caught.value.check is Check.LAYER_PACKAGE


def test_a_bridge_that_is_not_installed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> importlib.metadata.Distribution:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(layer_content, "distribution", missing)
    with pytest.raises(PipelineError, match="trace-bridge lies on the path without having been installed"):
        assemble(tmp_path, LayerContent(open_telemetry="exporter"))
