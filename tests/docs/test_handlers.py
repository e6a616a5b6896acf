"""docs/handlers.md: the handlers run, and their unit tests pass, as they stand on the page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.pages import ROOT, snippets

BY_HEADING = {snippet.heading: snippet.code for snippet in snippets(ROOT / "docs" / "handlers.md")}
_OF_THE_INGEST = """
import importlib
import json

import boto3
from moto import mock_aws


def test_an_order_is_published(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        monkeypatch.setenv("TOPIC_ARN", boto3.client("sns").create_topic(Name="orders")["TopicArn"])
        answer = importlib.import_module("app").handler({"body": '{"customer": "Ann"}'}, None)
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["id"]
"""


@pytest.mark.parametrize(
    ("handler", "tests", "passed"),
    [
        (BY_HEADING["A worker"], BY_HEADING["Unit tests"], 2),
        (BY_HEADING["An ingest handler"], _OF_THE_INGEST, 1),
    ],
    ids=["worker", "ingest"],
)
def test_the_handlers_of_the_page_pass_their_tests(tmp_path: Path, handler: str, tests: str, passed: int) -> None:
    (tmp_path / "app.py").write_text(handler, encoding="utf-8")
    (tmp_path / "test_app.py").write_text(tests, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TRACE_BRIDGE_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"{passed} passed" in ran.stdout
