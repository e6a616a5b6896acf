"""Looking at synthesized templates as plain data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match, Template
from traced_pipeline import Check, PipelineError

ROOT = Path(__file__).resolve().parents[2]

Properties = dict[str, Any]


@dataclass(frozen=True)
class Synthesized:
    template: dict[str, Any]

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        resources: dict[str, dict[str, Any]] = self.template["Resources"]
        return resources

    def all(self, kind: str) -> dict[str, Properties]:
        return {name: r.get("Properties", {}) for name, r in self.resources.items() if r["Type"] == kind}

    def one(self, kind: str, part_of_name: str = "") -> Properties:
        found = {name: p for name, p in self.all(kind).items() if part_of_name in name}
        assert len(found) == 1, f"{len(found)} of {kind} with {part_of_name!r}: {sorted(found)}"
        return next(iter(found.values()))

    def name_of(self, kind: str, part_of_name: str = "") -> str:
        found = [name for name in self.all(kind) if part_of_name in name]
        assert len(found) == 1, f"{len(found)} of {kind} with {part_of_name!r}: {sorted(found)}"
        return found[0]

    def variables(self, function: str) -> dict[str, Any]:
        variables: dict[str, Any] = (
            self.one("AWS::Lambda::Function", function).get("Environment", {}).get("Variables", {})
        )
        return variables

    def statements(self, role: str) -> list[dict[str, Any]]:
        """All that a role is allowed, inline or by policies attached to it."""
        name = self.name_of("AWS::IAM::Role", role)
        documents = [p["PolicyDocument"] for p in self.all("AWS::IAM::Role")[name].get("Policies", [])]
        documents += [
            policy["PolicyDocument"]
            for policy in self.all("AWS::IAM::Policy").values()
            if {"Ref": name} in policy["Roles"]
        ]
        return [statement for document in documents for statement in document["Statement"]]

    def actions(self, role: str) -> set[str]:
        found: set[str] = set()
        for statement in self.statements(role):
            actions = statement["Action"]
            found.update([actions] if isinstance(actions, str) else actions)
        return found


def synthesize(stack: Stack) -> Synthesized:
    return Synthesized(dict(Template.from_stack(stack).to_json()))


def warnings(stack: Stack) -> list[str]:
    """What the CDK CLI would show as warnings for a stack."""
    found = Annotations.from_stack(stack).find_warning("*", Match.any_value())
    return [str(message.entry.data) for message in found]


def shown(stack: Stack) -> list[str]:
    """What the CDK CLI would show for a stack, as warnings or as notes."""
    notes = Annotations.from_stack(stack).find_info("*", Match.any_value())
    return warnings(stack) + [str(message.entry.data) for message in notes]


def warnings_of(stack: Stack, check: Check) -> list[str]:
    return [message for message in warnings(stack) if check.value in message]


def refusal(ask: Callable[[], object]) -> str:
    """Returns what is said when something is refused."""
    with pytest.raises(PipelineError) as caught:
        ask()
    return str(caught.value)
