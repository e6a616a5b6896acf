"""What checkers and a second look say about the templates."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import App, Environment, NestedStack, Stack
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]
from traced_pipeline import IngestOptions, TopicOptions, TracedPipeline

from .conftest import NewStack
from .templates import Synthesized, synthesize

SNAPSHOT = Path(__file__).with_name("logical_ids.json")


def test_logical_ids_stay(default: Synthesized) -> None:
    """Another id replaces a resource of everyone who updates; to change one on purpose, set UPDATE_SNAPSHOTS=1."""
    # A deployment's id changes with the API on purpose, and its last part is that change.
    ids = {
        re.sub(r"(ApiDeployment[0-9A-F]{8})[0-9a-f]{32}", r"\1", name): resource["Type"]
        for name, resource in default.resources.items()
    }
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(ids, indent=2, sort_keys=True) + "\n")
    assert ids == json.loads(SNAPSHOT.read_text())


def test_same_template_on_every_synthesis(new_stack: NewStack, default: Synthesized) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders")
    assert synthesize(stack).template == default.template


@pytest.mark.parametrize("role", ["existing", "create"])
def test_cdk_nag_has_nothing_against_it(new_stack: NewStack, role: str) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(account_logging_role=role))  # type: ignore[arg-type]
    violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
    assert [v.rule_name for v in violations if v.severity == "error"] == []


def test_what_is_acknowledged_is_little_and_has_reasons(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders")
    acknowledged: dict[str, set[str]] = {}
    for construct in stack.node.find_all():
        for entry in construct.node.metadata:
            if "acknowledged" in entry.type.lower():
                for rule, reason in entry.data.items():
                    assert len(str(reason)) > 20
                    acknowledged.setdefault(construct.node.path, set()).add(str(rule).removeprefix("Annotation::"))
    assert {rule for rules in acknowledged.values() for rule in rules} == {
        "AwsSolutions-IAM5[Resource::*]",
        "AwsSolutions-COG4",
    }
    assert set(acknowledged) == {
        "Shop/Orders/Ingest/Function/Role/Resource",
        "Shop/Orders/Worker/Function/Role/Resource",
        "Shop/Orders/Ingest/Api/Default/POST",
    }


@pytest.mark.parametrize("fifo", [False, True])
def test_cfn_lint_has_nothing_against_it(new_stack: NewStack, fifo: bool) -> None:
    stack = new_stack()
    TracedPipeline(
        stack,
        "Orders",
        topic=TopicOptions(fifo=fifo),
        ingest=IngestOptions(path="/orders", account_logging_role="create"),
    )
    # W3005: the CDK states dependencies that references state already.
    found = lint(json.dumps(synthesize(stack).template), config=ManualArgs(ignore_checks=["W3005"]))
    assert [f"{match.rule.id} {match.message}" for match in found] == []


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", None])
def test_no_partition_or_region_is_assumed(new_stack: NewStack, region: str | None) -> None:
    stack = new_stack(env=Environment(account="111111111111", region=region) if region else None)
    TracedPipeline(stack, "Orders")
    text = json.dumps(synthesize(stack).template)
    assert "arn:aws:" not in text
    assert "us-east-1" not in text


def test_nothing_is_looked_up(new_app: Callable[..., App]) -> None:
    app = new_app()
    stack = Stack(app, "Shop", env=Environment(account="111111111111", region="eu-west-1"))
    TracedPipeline(stack, "Orders")
    manifest = json.loads((Path(app.synth().directory) / "manifest.json").read_text())
    assert "missing" not in manifest


def test_nested_stack_shares_the_permission_of_the_stack_around_it(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders")
    nested = NestedStack(stack, "More")
    TracedPipeline(nested, "Returns")
    outer, inner = synthesize(stack), synthesize(nested)
    assert len(outer.all("AWS::XRay::ResourcePolicy")) == 1
    assert inner.all("AWS::XRay::ResourcePolicy") == {}
    assert len(inner.all("AWS::SNS::Topic")) == 1
