"""`app.py` as the CDK CLI runs it, without credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from tests.support.templates import ROOT, Synthesized


def started(out: Path, flags: dict[str, object], **context: str) -> subprocess.CompletedProcess[str]:
    wanted = ("PATH", "JSII_NODE", "JSII_RUNTIME_PACKAGE_CACHE_ROOT", "PYTHONPATH")
    kept = {name: os.environ[name] for name in wanted if name in os.environ}
    environment = {
        **kept,
        "HOME": str(out.parent),
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps({**flags, **context}),
        "JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION": "1",
    }
    run = [sys.executable, "app.py"]
    return subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def run_app(out: Path, flags: dict[str, object], **context: str) -> Synthesized:
    done = started(out, flags, **context)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("", "")
    return Synthesized(json.loads((out / "TracedPipeline.template.json").read_text()))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Synthesized:
    return run_app(tmp_path_factory.mktemp("reference") / "cdk.out", context)


@pytest.fixture(scope="module")
def without_bridge(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Synthesized:
    out = tmp_path_factory.mktemp("without") / "cdk.out"
    return run_app(out, context, bridge="off", sampling="all")


@pytest.fixture(scope="module")
def of_otel(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Synthesized:
    return run_app(tmp_path_factory.mktemp("otel") / "cdk.out", context, engine="otel")


def test_outputs_are_what_people_need(reference: Synthesized) -> None:
    assert set(reference.template["Outputs"]) == {"ApiUrl", "QueueUrl", "DeadLetterQueueUrl", "TableName"}
    assert reference.template["Outputs"]["ApiUrl"]["Value"]["Fn::Join"][1][-1] == "/orders"


def test_by_default_the_bridge_works_and_sampling_is_awss_own(reference: Synthesized) -> None:
    assert reference.one("AWS::Lambda::Function", "Worker")["TracingConfig"] == {"Mode": "PassThrough"}
    assert "TRACE_BRIDGE_ENABLED" not in reference.variables("Worker")
    assert reference.all("AWS::XRay::SamplingRule") == {}


def test_with_the_engine_otel_all_functions_have_opentelemetry_instead_of_the_xray_sdk(
    reference: Synthesized, of_otel: Synthesized
) -> None:
    assert reference.one("AWS::Lambda::LayerVersion")["Description"] == "trace_bridge with the X-Ray SDK"
    assert of_otel.one("AWS::Lambda::LayerVersion")["Description"] == "trace_bridge with OpenTelemetry"
    for function in ("Ingest", "Worker"):
        assert of_otel.variables(function)["TRACE_BRIDGE_ENGINE"] == "otel"
        assert "TRACE_BRIDGE_ENGINE" not in reference.variables(function)
    assert set(of_otel.resources) - set(reference.resources) == {of_otel.name_of("AWS::Lambda::LayerVersion")}


def test_another_word_for_the_logging_role_is_refused(tmp_path: Path, context: dict[str, object]) -> None:
    done = started(tmp_path / "cdk.out", context, account_logging_role="exsting")
    assert done.returncode != 0
    assert "IngestOptions.account_logging_role is 'exsting', but must be 'existing', 'create' or 'none'" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("engine", "zipkin", "xray, otel"),
        ("bridge", "of", "on, off, linked"),
        ("sampling", "al", "default, all"),
    ],
)
def test_another_word_is_refused(tmp_path: Path, context: dict[str, object], name: str, value: str, words: str) -> None:
    done = started(tmp_path / "cdk.out", context, **{name: value})
    assert done.returncode != 0
    assert f"the context value {name} is {value!r}; expected one of {words}" in done.stderr


def test_bridge_off_shows_what_aws_does_by_itself(without_bridge: Synthesized) -> None:
    assert without_bridge.one("AWS::Lambda::Function", "Worker")["TracingConfig"] == {"Mode": "Active"}
    assert without_bridge.variables("Worker")["TRACE_BRIDGE_ENABLED"] == "false"


def test_sampling_all_records_every_request(without_bridge: Synthesized) -> None:
    rule = without_bridge.one("AWS::XRay::SamplingRule")["SamplingRule"]
    assert rule["FixedRate"] == 1
    assert rule["ServiceName"] == "TracedPipeline-Orders/prod"


@pytest.mark.parametrize(
    ("order", "valid"),
    [
        ({"customer": "a", "amount": 0}, True),
        ({"customer": "a", "amount": 9.5, "id": "o-1"}, True),
        ({"customer": "", "amount": 1}, False),
        ({"customer": "a" * 201, "amount": 1}, False),
        ({"customer": "a", "amount": -1}, False),
        ({"customer": "a", "amount": "1"}, False),
        ({"customer": "a"}, False),
        ({"amount": 1}, False),
        ({"customer": "a", "amount": 1, "colour": "red"}, False),
    ],
)
def test_orders(reference: Synthesized, order: object, valid: bool) -> None:
    assert Draft4Validator(reference.one("AWS::ApiGateway::Model")["Schema"]).is_valid(order) is valid


def test_functions_run_the_reference_handlers(reference: Synthesized) -> None:
    for function in reference.all("AWS::Lambda::Function").values():
        assert function["Handler"] == "app.handler"
        assert (ROOT / "runtime" / "handlers" / "ingest" / "app.py").is_file()
