"""The dashboard is one that Datadog's API takes, by the models of its client."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from aws_cdk import App, Stack

from tests.support.datadog import whole_pipeline
from tests.support.templates import ROOT

pytestmark = pytest.mark.peers
PEERS = ROOT / ".venv-peers" / "bin" / "python"

# A value that a model does not know marks the dashboard; a name that it does not know is kept beside those it has.
VALIDATION = """
import json, sys
from datadog_api_client import Configuration
from datadog_api_client.model_utils import ModelNormal, validate_and_convert_types
from datadog_api_client.v1.model.dashboard import Dashboard

def unknown(value):
    if isinstance(value, list):
        return [name for item in value for name in unknown(item)]
    if hasattr(value, "get_oneof_instance"):
        return unknown(value.get_oneof_instance())
    if not isinstance(value, ModelNormal):
        return []
    names = [name for name in value._data_store if name not in value.openapi_types]
    return names + [name for item in value._data_store.values() for name in unknown(item)]

made = validate_and_convert_types(json.load(sys.stdin), (Dashboard,), ["dashboard"], True, True, Configuration())
print(json.dumps({"values": made._unparsed, "names": [] if made._unparsed else unknown(made)}))
"""


def validated(dashboard: str) -> dict[str, object]:
    ran = subprocess.run(
        [PEERS, "-c", VALIDATION],
        input=dashboard,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, object] = json.loads(ran.stdout)
    return found


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory: pytest.TempPathFactory) -> str:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("read")), context=context), "Shop")
    return whole_pipeline(stack).dashboard_json


def test_datadogs_models_know_all_of_it(dashboard: str) -> None:
    assert validated(dashboard) == {"values": False, "names": []}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"timeseries",', '"timelines",'),
        ('"fixed"', '"loose"'),
        ('"trace_stream"', '"traces"'),
        ('"width": 2', '"w": 2'),
    ],
    ids=["kind of widget", "layout", "source of a list", "size"],
)
def test_they_see_a_value_that_is_wrong(dashboard: str, right: str, wrong: str) -> None:
    assert right in dashboard
    assert validated(dashboard.replace(right, wrong))["values"]


@pytest.mark.parametrize("name", ["show_legend", "alias", "reflow_type", "columns"])
def test_they_see_a_name_that_is_wrong(dashboard: str, name: str) -> None:
    found = validated(dashboard.replace(f'"{name}"', '"misspelt"'))
    assert found["values"] or "misspelt" in str(found["names"])
