"""Synthesizes pipelines beside Datadog's construct, and prints what comes of it; run by a Python that has both."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template
from datadog_cdk_constructs_v2 import DatadogLambda
from traced_pipeline import DatadogForwarding, Handler, TracedPipeline, WorkerOptions

ROOT = Path(__file__).resolve().parents[2]
FORWARDER = "arn:aws:lambda:eu-west-1:111111111111:function:datadog-forwarder"
TAGS = {"env": "prod", "service": "orders", "version": "1.4.2"}


def main(out: str) -> None:
    """Prints resources by stack.

    Args:
        out: Folder for the cloud assembly.
    """
    app = App(outdir=out, context=json.loads((ROOT / "cdk.json").read_text())["context"])
    stacks = [_plain(app), _traced(app), _forwarded_by_theirs(app), _forwarded_by_ours(app)]
    found = {stack.node.id: Template.from_stack(stack).to_json()["Resources"] for stack in stacks}
    print(json.dumps(found))  # noqa: T201 - for the test


def _pipeline(app: App, name: str) -> tuple[Stack, TracedPipeline]:
    stack = Stack(app, name, env=Environment(account="111111111111", region="eu-west-1"))
    worker = WorkerOptions(handler=Handler(ROOT / "runtime" / "handlers" / "worker", "app.handler"), zero_code=True)
    return stack, TracedPipeline(stack, "Orders", worker=worker)


def _plain(app: App) -> Stack:
    return _pipeline(app, "Plain")[0]


def _traced(app: App) -> Stack:
    """Datadog's layers and handler on both functions."""
    stack, orders = _pipeline(app, "Traced")
    secret = "arn:aws:secretsmanager:eu-west-1:111111111111:secret:datadog-key-AbCdEf"
    _apply(stack, orders, python_layer_version=110, extension_layer_version=80, api_key_secret_arn=secret)
    return stack


def _forwarded_by_theirs(app: App) -> Stack:
    stack, orders = _pipeline(app, "Theirs")
    _apply(stack, orders, forwarder_arn=FORWARDER, add_layers=False, redirect_handler=False)
    return stack


def _forwarded_by_ours(app: App) -> Stack:
    stack, orders = _pipeline(app, "Ours")
    forwarder = lambda_.Function.from_function_arn(stack, "Forwarder", FORWARDER)
    more: Any = TAGS
    DatadogForwarding(stack, "Datadog", pipeline=orders, forwarder=forwarder, **more)
    return stack


def _apply(stack: Stack, orders: TracedPipeline, **more: Any) -> None:
    made = DatadogLambda(stack, "Tracer", site="datadoghq.eu", source_code_integration=False, **TAGS, **more)
    made.add_lambda_functions([orders.ingest.traced_function.function, orders.worker.traced_function.function])


if __name__ == "__main__":
    main(*sys.argv[1:])
