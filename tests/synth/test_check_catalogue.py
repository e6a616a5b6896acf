"""Every check speaks and is silent where it should, in one style, and stands in the catalogue with cause and fix."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Acknowledgment, Annotations, App, Environment, Stack, Validations
from traced_pipeline import Check, PipelineError

from tests.support.check_cases import CASES
from tests.support.check_scenes import HERE, Scene
from tests.support.templates import ROOT, shown

KINDS = {"aws:cdk:warning": "warning", "aws:cdk:info": "note"}
SAID = re.compile(r"(?P<text>.*) \[ack: (?:[Aa]nnotation::)?(?P<id>traced-pipeline:[a-z-]+)\]", re.DOTALL)
ENTRY = re.compile(r"^### `(?P<id>.+)`\n\n\*\*Cause\.\*\* .+?\n\n\*\*Fix\.\*\* .+?\n$", re.MULTILINE | re.DOTALL)


def in_catalogue() -> dict[str, str]:
    """The ids of docs/checks.md, with the kind their part of the page is about."""
    page = (ROOT / "docs" / "checks.md").read_text()
    parts = dict(re.findall(r"^## (Errors|Warnings|Notes)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    return {
        entry["id"]: part.lower().removesuffix("s")
        for part, text in parts.items()
        for section in re.split(r"^(?=### )", text, flags=re.MULTILINE)[1:]
        if (entry := ENTRY.match(section.rstrip() + "\n"))
    }


@pytest.fixture
def scene(new_app: Callable[..., App], elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    stack = Stack(new_app(), "Shop", env=Environment(account=HERE, region="eu-west-1"))
    return Scene(stack=stack, folder=elsewhere, monkeypatch=monkeypatch)


def said(scene: Scene) -> list[tuple[str, str, str]]:
    """What the CDK CLI would show of the scene's app: kind, id and text."""
    app = scene.stack.node.root
    assert isinstance(app, App)
    assembly = Path(app.synth().directory)
    entries = [entry for artifact in _artifacts(assembly) for entry in _metadata(assembly, artifact)]
    return [
        (KINDS[entry["type"]], match["id"], match["text"])
        for entry in entries
        if entry["type"] in KINDS and (match := SAID.fullmatch(str(entry["data"])))
    ]


def _artifacts(assembly: Path) -> list[dict[str, Any]]:
    return list(json.loads((assembly / "manifest.json").read_text())["artifacts"].values())


def _metadata(assembly: Path, artifact: dict[str, Any]) -> list[dict[str, Any]]:
    """What the CDK CLI reads of a stack: the findings of all of its constructs."""
    of_constructs = dict(artifact.get("metadata", {}))
    if (file := artifact.get("additionalMetadataFile")) is not None:
        of_constructs |= json.loads((assembly / file).read_text())
    return [entry for entries in of_constructs.values() for entry in entries]


def styled(text: str) -> bool:
    """Whether a message has the CDK's own style: a start in lower case or an acronym, and no final period."""
    word = text.split()[0]
    return (text[0].islower() or (word.isupper() and len(word) > 1)) and not text.rstrip().endswith(".")


def acknowledge(check: Check, stack: Stack) -> None:
    """Say that a finding is accepted, the way docs/checks.md shows it."""
    if CASES[check].kind == "note":
        Annotations.of(stack).acknowledge_info(check.value)
    else:
        Validations.of(stack).acknowledge(Acknowledgment(id=check.value, reason="looked at, and accepted"))


def test_every_check_has_its_cases() -> None:
    assert set(CASES) == set(Check)


def test_every_check_is_in_the_catalogue_as_what_it_is() -> None:
    assert in_catalogue() == {check.value: case.kind for check, case in CASES.items()}


@pytest.mark.parametrize("check", Check)
def test_speaks(check: Check, scene: Scene) -> None:
    case = CASES[check]
    if case.kind == "error":
        with pytest.raises(PipelineError) as caught:
            case.speaks(scene)
        assert caught.value.check is check
        text = str(caught.value).removesuffix(f" [{check.value}]")
    else:
        case.speaks(scene)
        ((kind, _, text),) = [found for found in said(scene) if found[1] == check.value]
        assert kind == case.kind
    assert styled(text), text
    assert len(text) > 30


@pytest.mark.parametrize("check", Check)
def test_is_silent(check: Check, scene: Scene) -> None:
    CASES[check].silent(scene)
    assert check.value not in {check_id for _, check_id, _ in said(scene)}


@pytest.mark.parametrize("check", [check for check, case in CASES.items() if case.kind != "error"])
def test_can_be_acknowledged(check: Check, scene: Scene) -> None:
    # Before, for what an aspect says at synthesis; after, for what stands in another stack.
    acknowledge(check, scene.stack)
    CASES[check].speaks(scene)
    stacks = [child for child in scene.stack.node.root.node.children if isinstance(child, Stack)]
    for stack in stacks:
        acknowledge(check, stack)
    assert not [text for stack in stacks for text in shown(stack) if check.value in text]
