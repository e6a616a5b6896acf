"""Running the snippets of documents and docstrings as a project's app."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import aws_cdk
import pytest
from aws_cdk import App, Stack

from scripts.pages import ROOT
from tests.support.snippets import Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a snippet in a project that holds the handler folders it may name, and return the stacks of its app."""
    for name in ("ingest", "worker", "orders", "audit", "ship", "report", "authorize", "repair"):
        folder = tmp_path / "handlers" / name
        folder.mkdir(parents=True)
        (folder / "app.py").write_text("def handler(event, context): ...\n")
    (tmp_path / "containers" / "audit").mkdir(parents=True)
    (tmp_path / "containers" / "audit" / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.chdir(tmp_path)
    # What the CDK CLI hands to an app: a folder for the assembly, and the feature flags of `cdk.json`.
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    monkeypatch.setattr(aws_cdk, "App", partial(App, outdir=str(tmp_path / "cdk.out"), context=flags))

    def stacks(code: str, name: str) -> list[Stack]:
        names: dict[str, object] = {"__name__": "snippet"}
        exec(compile(code, name, "exec"), names)
        stack = names["stack"]
        assert isinstance(stack, Stack)
        return [child for child in stack.node.root.node.children if isinstance(child, Stack)]

    return stacks
