"""`make deploy`: it says what the account has, and deploys with the word that is right for it."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from scripts import deploy
from tests.support.account_reads import ACCOUNT, FRESH, Session

ROLE = f"arn:aws:iam::{ACCOUNT}:role/logs"


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that were run instead of the CDK CLI."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def with_account(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> None:
    account = {**FRESH, "get_caller_identity": {**FRESH["get_caller_identity"], "Account": ACCOUNT}, **answers}
    monkeypatch.setattr(boto3, "Session", lambda: Session(account))


@pytest.mark.parametrize(
    ("answer", "word"), [({}, "create"), ({"cloudwatchRoleArn": ROLE}, "existing")], ids=["fresh", "with a role"]
)
def test_the_word_that_is_right_for_the_account(
    monkeypatch: pytest.MonkeyPatch,
    deployed: list[list[str]],
    capsys: pytest.CaptureFixture[str],
    answer: dict[str, str],
    word: str,
) -> None:
    with_account(monkeypatch, get_account=answer)
    assert deploy.main() == 0
    assert [command[-1] for command in deployed] == [f"account_logging_role={word}"]
    said = capsys.readouterr().out
    assert f"account {ACCOUNT}, region eu-west-1" in said
    lines = [line.split()[:2] for line in said.splitlines() if line.startswith("  ")]
    assert ["api_logging_role", word] in lines
    assert ["sns_permission", "create"] in lines


def test_what_may_not_be_read_is_not_guessed(
    monkeypatch: pytest.MonkeyPatch, deployed: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with_account(monkeypatch, get_account="AccessDeniedException")
    assert deploy.main() == 1
    assert deployed == []
    said = capsys.readouterr().err
    assert "apigateway:GET" in said
    assert "cdk deploy --context account_logging_role=existing" in said


def test_without_an_account_nothing_is_deployed(
    monkeypatch: pytest.MonkeyPatch, deployed: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    with_account(monkeypatch, get_caller_identity="ExpiredToken")
    assert deploy.main() == 1
    assert deployed == []
    assert capsys.readouterr().err.startswith("cannot deploy: ")
