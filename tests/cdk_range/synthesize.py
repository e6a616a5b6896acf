"""Synthesizes with whatever CDK this Python has, and writes down what the constructs make, say and refuse.

Run by a Python of one end of the range: `python -m tests.cdk_range.synthesize FOLDER`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_sns as sns
from traced_pipeline import (
    AccountTracing,
    Instrumentation,
    PipelineError,
    QueueWorker,
    TracedPipeline,
    TracedTopic,
    TraceEverything,
    WorkerOptions,
)

from tests.support import every_option, rich
from tests.support.check_cases import CASES, Case
from tests.support.check_scenes import HERE, Scene
from tests.support.consumers import consumer, low_level_consumer
from tests.support.stacks import make_function

ROOT = Path(__file__).resolve().parents[2]


def existing(stack: Stack) -> None:
    """A topic of another stack, a function made otherwise, and tracing and the bridge for all the rest."""
    app = stack.node.root
    assert isinstance(app, App)
    platform = Stack(app, "Platform", env=Environment(account=HERE, region="eu-west-1"))
    topic = TracedTopic(platform, "Topic").topic
    function = make_function(stack, timeout=Duration.seconds(3))
    QueueWorker(stack, "Worker", topic=topic, options=WorkerOptions(handler=function))
    sns.Topic(stack, "Plain")
    make_function(stack, "Other")
    consumer(stack, "Alone")
    consumer(stack, "Called").add_function_url()
    low_level_consumer(stack, "Low")
    TraceEverything.below(stack, bridge=True)


def instrumented(stack: Stack) -> None:
    """Workers with layers that are brought, by their ARNs; OpenTelemetry is not installed at either end."""
    layer = f"arn:aws:lambda:eu-west-1:{HERE}:layer:Theirs:1"
    orders = TracedPipeline(stack, "Orders", instrumentation=Instrumentation.adot(layer))
    orders.add_worker("Audit", WorkerOptions(instrumentation=Instrumentation.adot(layer, export="otlp")))
    orders.add_worker("Ship", WorkerOptions(instrumentation=Instrumentation.vendor([layer], engine="auto")))


def account(stack: Stack) -> None:
    """A pipeline, and all that an account has once."""
    parts = {"transaction_search": "create", "application_signals": "create", "sampling_rule": "create"}
    AccountTracing(stack, "Tracing", **parts)  # type: ignore[arg-type]
    TracedPipeline(stack, "Orders")


STACKS: dict[str, Callable[[Stack], object]] = {
    "default": lambda stack: TracedPipeline(stack, "Orders"),
    "rich": rich.build,
    "options": every_option.build,
    "existing": existing,
    "account": account,
    "instrumented": instrumented,
}


def main(folder: Path) -> None:
    """Leaves `found.json` in a folder."""
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    found = {
        "cdk": version("aws-cdk-lib"),
        "stacks": {name: _template(name, folder / name, context) for name in STACKS},
        "checks": {check.value: _outcome(case, folder / check.name, context) for check, case in CASES.items()},
    }
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


def _template(name: str, out: Path, context: dict[str, object]) -> object:
    app = App(outdir=str(out), context=context)
    STACKS[name](Stack(app, "Shop", env=Environment(account=HERE, region="eu-west-1")))
    app.synth()
    return json.loads((out / "Shop.template.json").read_text(encoding="utf-8"))


def _outcome(case: Case, folder: Path, context: dict[str, object]) -> list[str]:
    """What is refused, or attached to constructs, where a check speaks."""
    handlers = folder / "handlers" / "orders"
    handlers.mkdir(parents=True)
    (handlers / "app.py").write_text("def handler(event, context): ...\n")
    os.chdir(folder)
    app = App(outdir=str(folder / "cdk.out"), context=context)
    stack = Stack(app, "Shop", env=Environment(account=HERE, region="eu-west-1"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        try:
            case.speaks(Scene(stack=stack, folder=handlers, monkeypatch=monkeypatch))
            app.synth()
        except PipelineError as refusal:
            return [str(refusal).replace(str(folder), "")]
    return sorted(text.replace(str(folder), "") for text in _said(app))


def _said(app: App) -> list[str]:
    entries = [entry for construct in app.node.find_all() for entry in construct.node.metadata]
    return [f"{entry.type} {entry.data}" for entry in entries if "traced-pipeline:" in str(entry.data)]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
