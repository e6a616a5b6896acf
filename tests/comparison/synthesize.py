"""Synthesizes one of `bench.pipelines` and writes down what there is to know of it; run by a Python that has it."""

from __future__ import annotations

import importlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

from aws_cdk import App, Stack
from cdk_nag import AwsSolutionsChecks

ROOT = Path(__file__).resolve().parents[2]
HANDLERS = ROOT / "runtime" / "handlers"


def main(name: str, out: str, *more: str) -> None:
    """Leave `facts.json` in the cloud assembly.

    Args:
        name: Module in `bench.pipelines`.
        out: Folder for the cloud assembly.
        more: Further folders that the pipeline's `build` takes.
    """
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(outdir=out, context=context)
    stack = Stack(app, "Shop")
    importlib.import_module(f"bench.pipelines.{name}").build(
        stack, str(HANDLERS / "ingest"), str(HANDLERS / "worker"), *more
    )
    violations = AwsSolutionsChecks(stack).validate_scope(app).violations
    app.synth()
    facts = {
        "template": json.loads((Path(out) / "Shop.template.json").read_text()),
        "nag": sorted(v.rule_name for v in violations if v.severity == "error" for _ in v.violating_resources),
        "cdk": version("aws-cdk-lib"),
    }
    (Path(out) / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main(*sys.argv[1:])
