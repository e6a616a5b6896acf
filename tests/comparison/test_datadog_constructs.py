"""Datadog's construct beside a pipeline: both have what they need; used for its Forwarder, it does what ours does."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.support.templates import ROOT, Synthesized

pytestmark = pytest.mark.peers
PEERS = ROOT / ".venv-peers" / "bin" / "python"
OF_BOTH = ("env", "service", "version")


@pytest.fixture(scope="module")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Synthesized]:
    """The pipeline by itself, below Datadog's tracer, and forwarded by either construct."""
    node = (ROOT / ".setup" / "node-path").read_text().strip()
    ran = subprocess.run(
        [PEERS, "-m", "tests.comparison.datadog_beside", str(tmp_path_factory.mktemp("beside"))],
        cwd=ROOT,
        env={
            "PATH": f"{node}{os.pathsep}{os.environ['PATH']}",
            "HOME": os.environ["HOME"],
            "PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("constructs_pkg", "runtime", "")),
        },
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    return {name: Synthesized({"Resources": resources}) for name, resources in found.items()}


def functions(template: Synthesized) -> dict[str, dict[str, Any]]:
    """The two functions."""
    return {name: template.one("AWS::Lambda::Function", f"{name}Function") for name in ("Ingest", "Worker")}


def tags(resource: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", []) if tag["Key"] in OF_BOTH}


def filters(template: Synthesized, *, but: str = "-") -> dict[str, tuple[str, str]]:
    """Pattern and destination of the subscription filters, by log group."""
    found = template.all("AWS::Logs::SubscriptionFilter").values()
    by_group = {f["LogGroupName"]["Ref"]: (f["FilterPattern"], f["DestinationArn"]) for f in found}
    return {group: made for group, made in by_group.items() if but not in group}


class TestTracer:
    def test_its_layers_come_beside_the_bridges(self, stacks: dict[str, Synthesized]) -> None:
        for name, function in functions(stacks["Traced"]).items():
            (own,) = functions(stacks["Plain"])[name]["Layers"]
            assert own in function["Layers"]
            layers = {str(layer).split(":layer:")[1].split(":")[0] for layer in function["Layers"] if layer != own}
            assert layers == {"Datadog-Python314-ARM", "Datadog-Extension-ARM"}

    def test_its_handler_calls_ours(self, stacks: dict[str, Synthesized]) -> None:
        for name, function in functions(stacks["Traced"]).items():
            own = functions(stacks["Plain"])[name]["Handler"]
            assert function["Handler"] == "datadog_lambda.handler.handler"
            assert function["Environment"]["Variables"]["DD_LAMBDA_HANDLER"] == own
        assert functions(stacks["Plain"])["Worker"]["Handler"] == "trace_bridge.auto.handler"

    def test_nothing_of_ours_is_lost(self, stacks: dict[str, Synthesized]) -> None:
        for name, function in functions(stacks["Traced"]).items():
            own = functions(stacks["Plain"])[name]
            variables = function["Environment"]["Variables"]
            assert {k: v for k, v in variables.items() if not k.startswith("DD_")} == own["Environment"]["Variables"]
            assert {k: function[k] for k in ("TracingConfig", "LoggingConfig")} == {
                k: own[k] for k in ("TracingConfig", "LoggingConfig")
            }
        kinds = [sorted(r["Type"] for r in stacks[name].resources.values()) for name in ("Plain", "Traced")]
        assert kinds[0] == kinds[1]


class TestForwarder:
    def test_both_subscribe_the_functions_alike(self, stacks: dict[str, Synthesized]) -> None:
        theirs = filters(stacks["Theirs"])
        assert len(theirs) == 2
        assert filters(stacks["Ours"], but="AccessLogs") == theirs

    def test_both_tag_the_functions_alike(self, stacks: dict[str, Synthesized]) -> None:
        theirs = {name: tags(function) for name, function in functions(stacks["Theirs"]).items()}
        assert theirs["Worker"] == {"env": "prod", "service": "orders", "version": "1.4.2"}
        assert {name: tags(function) for name, function in functions(stacks["Ours"]).items()} == theirs

    def test_only_ours_is_about_the_whole_pipeline(self, stacks: dict[str, Synthesized]) -> None:
        for kind in ("AWS::SQS::Queue", "AWS::SNS::Topic", "AWS::ApiGateway::Stage", "AWS::Logs::LogGroup"):
            assert not any(tags(resource) for resource in stacks["Theirs"].all(kind).values())
            assert all(tags(resource) for resource in stacks["Ours"].all(kind).values())
