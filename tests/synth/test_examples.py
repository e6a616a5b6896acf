"""The examples, run as a newcomer runs them: they synthesize, and say nothing that nobody expects."""

from __future__ import annotations

import ast
import json
import runpy
from functools import partial
from pathlib import Path

import pytest
from aws_cdk import App

from tests.support.templates import ROOT

EXAMPLES = sorted(path for path in (ROOT / "examples").glob("*.py") if path.stem != "__main__")
EXPECTED_NOTE = "the API logs with the account's CloudWatch role"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_it_synthesizes_and_is_quiet(
    example: Path,
    context: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    # What the CDK CLI gives an app by its environment; this process's Node has read that long ago.
    monkeypatch.setattr("aws_cdk.App", partial(App, outdir=str(tmp_path / "cdk.out"), context=context))
    runpy.run_path(str(example), run_name="__main__")
    assert list((tmp_path / "cdk.out").glob("*.template.json"))
    assert notices(tmp_path / "cdk.out") <= {("info", EXPECTED_NOTE)}
    # jsii writes what is deprecated to standard error.
    assert capfd.readouterr() == ("", "")


def notices(assembly: Path) -> set[tuple[str, str]]:
    """The infos, warnings and errors that the CDK CLI shows for a cloud assembly, by their first words."""
    found = {
        (entry["type"].removeprefix("aws:cdk:"), str(entry["data"])[: len(EXPECTED_NOTE)])
        for metadata in assembly.glob("*.metadata.json")
        for entries in json.loads(metadata.read_text()).values()
        for entry in entries
        if entry["type"] in {"aws:cdk:info", "aws:cdk:warning", "aws:cdk:error"}
    }
    reports = json.loads((assembly / "validation-report.json").read_text())["pluginReports"]
    return found | {("report", str(report)) for report in reports}


def test_each_says_in_the_readme_what_it_shows() -> None:
    readme = (ROOT / "examples" / "README.md").read_text()
    for example in EXAMPLES:
        assert f"[{example.name}]({example.name})" in readme
        assert ast.get_docstring(ast.parse(example.read_text()))


def test_all_of_them_are_in_the_app_that_deploys_all() -> None:
    app = ast.parse((ROOT / "examples" / "__main__.py").read_text())
    imported = {node.module for node in ast.walk(app) if isinstance(node, ast.ImportFrom)}
    assert imported >= {f"examples.{example.stem}" for example in EXAMPLES}
