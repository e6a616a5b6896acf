"""The comparison in the docs is what the four pipelines synthesize to today."""

from __future__ import annotations

import json
import os
import subprocess
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from traced_pipeline.layer_content import assemble

from scripts.pages import between, put_between
from tests.support.lint import lint_findings
from tests.support.templates import ROOT, Synthesized

from . import facts
from .facts import Pipeline
from .table import table

pytestmark = pytest.mark.peers
PAGE = ROOT / "docs" / "comparison.md"
PEERS = ROOT / ".venv-peers" / "bin" / "python"


def synthesize(name: str, out: Path, *more: str) -> Pipeline:
    """Synthesizes one of `bench.pipelines` where the neighbours are installed, and these constructs beside them."""
    sources = [ROOT, ROOT / "constructs_pkg", ROOT / "runtime"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources))}
    command = [str(PEERS), "-m", "tests.comparison.synthesize", name, str(out), *more]
    # stdout and stderr of the run are what a user would see.
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    found = json.loads((out / "facts.json").read_text())
    return Pipeline(
        source=ROOT / "bench" / "pipelines" / f"{name}.py",
        template=Synthesized(found["template"]),
        nag=found["nag"],
        lint=lint_findings(found["template"]),
        printed=[line for line in done.stdout.splitlines() if line.strip()],
        cdk=found["cdk"],
    )


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Pipeline]:
    assert PEERS.exists(), "the neighbours are not installed; run `make peers`"
    out = tmp_path_factory.mktemp("comparison")
    layer = out / "layer"
    assemble(layer)
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = {
            "`TracedPipeline`": pool.submit(synthesize, "traced", out / "traced"),
            "five AWS Solutions Constructs": pool.submit(synthesize, "solutions_constructs", out / "peers"),
            "plain L2, the shortest": pool.submit(synthesize, "plain", out / "plain"),
            "plain L2, the same resources": pool.submit(synthesize, "by_hand", out / "by_hand", str(layer)),
        }
        return {name: run.result() for name, run in runs.items()}


def test_table_in_the_docs_is_of_today(pipelines: dict[str, Pipeline]) -> None:
    """To take over a change, set UPDATE_SNAPSHOTS=1."""
    if os.environ.get("UPDATE_SNAPSHOTS"):
        put_between(PAGE, "comparison", table(pipelines))
    assert between(PAGE, "comparison") == table(pipelines)


def test_ours_takes_the_cdk_that_the_solutions_constructs_take(pipelines: dict[str, Pipeline]) -> None:
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    (wanted,) = [Requirement(text) for text in dependencies if text.startswith("aws-cdk-lib")]
    (cdk,) = {pipeline.cdk for pipeline in pipelines.values()}
    assert wanted.specifier.contains(cdk)


def test_ours_is_traced_on_every_hop_and_needs_the_fewest_lines(pipelines: dict[str, Pipeline]) -> None:
    ours, *others = pipelines.values()
    hops = [facts.stage_traced, facts.ingest_traced, facts.topic_traced, facts.bridged]
    assert [hop(ours) for hop in hops] == ["**yes**"] * 4
    assert ours.lines < min(other.lines for other in others)
    assert (ours.nag, ours.lint, ours.printed) == ([], [], [])


def test_the_same_by_hand_is_the_same(pipelines: dict[str, Pipeline]) -> None:
    ours, by_hand = (
        pipelines[name].template.resources for name in ("`TracedPipeline`", "plain L2, the same resources")
    )
    assert Counter(r["Type"] for r in ours.values()) == Counter(r["Type"] for r in by_hand.values())
