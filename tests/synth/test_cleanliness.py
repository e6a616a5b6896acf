"""What checkers and a second look say about the templates."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from cdk_nag import AwsSolutionsChecks
from traced_pipeline import IngestOptions, TracedPipeline

from tests.support import rich
from tests.support.lint import lint_findings
from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, synthesize, warnings

SNAPSHOT = Path(__file__).with_name("logical_ids.json")


def ids(template: Synthesized) -> dict[str, str]:
    # A deployment's id changes with the API on purpose, and its last part is that change; a version's with its code.
    changing = re.compile(r"(ApiDeployment[0-9A-F]{8}|CurrentVersion[0-9A-F]{8})[0-9a-f]{32}")
    return {changing.sub(r"\1", name): resource["Type"] for name, resource in template.resources.items()}


@pytest.fixture(scope="module")
def rich_stack(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Stack:
    app = App(outdir=str(tmp_path_factory.mktemp("rich")), context=context)
    stack = Stack(app, "Shop", env=Environment(account="111111111111", region="eu-west-1"))
    rich.build(stack)
    return stack


@pytest.fixture(scope="module")
def rich_template(rich_stack: Stack) -> Synthesized:
    return synthesize(rich_stack)


def test_logical_ids_stay(default: Synthesized, rich_template: Synthesized) -> None:
    """Another id replaces a resource of everyone who updates; to change one on purpose, set UPDATE_SNAPSHOTS=1."""
    found = {"default": ids(default), "rich": ids(rich_template)}
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOT.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    assert found == json.loads(SNAPSHOT.read_text())


def test_same_template_on_every_synthesis(new_stack: NewStack, rich_template: Synthesized) -> None:
    stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
    rich.build(stack)
    again = synthesize(stack)
    assert again.template == rich_template.template
    assert len({f["Code"]["S3Key"] for f in again.all("AWS::Lambda::Function").values() if "S3Key" in f["Code"]}) >= 2


def test_nothing_is_warned_about(rich_stack: Stack, rich_template: Synthesized) -> None:
    assert rich_template.resources
    assert warnings(rich_stack) == []
    assert rich_template.template.get("Outputs", {}) == {}


@pytest.mark.parametrize("role", ["existing", "create"])
def test_cdk_nag_has_nothing_against_it(new_stack: NewStack, role: Literal["existing", "create"]) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", ingest=IngestOptions(account_logging_role=role))
    violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
    assert [v.rule_name for v in violations if v.severity == "error"] == []


def test_cdk_nag_has_nothing_against_all_of_it(rich_stack: Stack) -> None:
    violations = AwsSolutionsChecks(rich_stack).validate_scope(rich_stack.node.root).violations
    # The CDK's own grant on a customer key, which is the user's to answer.
    assert {v.rule_name for v in violations if v.severity == "error"} == {
        "AwsSolutions-IAM5[Action::kms:GenerateDataKey*]"
    }


def test_what_is_acknowledged_is_little_and_has_reasons(default_stack: Stack) -> None:
    acknowledged: dict[str, set[str]] = {}
    for construct in default_stack.node.find_all():
        for entry in construct.node.metadata:
            if "acknowledged" in entry.type.lower():
                for rule, reason in entry.data.items():
                    assert len(str(reason)) > 20
                    acknowledged.setdefault(construct.node.path, set()).add(str(rule).removeprefix("Annotation::"))
    assert acknowledged == {
        "Shop/Orders/Ingest/Function/Role/Resource": {"AwsSolutions-IAM5[Resource::*]"},
        "Shop/Orders/Worker/Function/Role/Resource": {"AwsSolutions-IAM5[Resource::*]"},
        "Shop/Orders/Ingest/Api/Default/POST": {"AwsSolutions-COG4"},
    }


def test_cfn_lint_has_nothing_against_it(default: Synthesized, rich_template: Synthesized) -> None:
    for template in (default, rich_template):
        assert lint_findings(template.template) == []


def test_the_cdks_own_rules_are_errors_here(new_stack: NewStack, context: dict[str, object]) -> None:
    """All templates of these tests are synthesized under that flag; this shows that it works."""
    assert context["@aws-cdk/core:validateAgainstDefaultRules"] is True
    stack = new_stack()
    queue = sqs.Queue(stack, "Queue", visibility_timeout=Duration.seconds(10))
    function = make_function(stack, timeout=Duration.seconds(60))
    function.add_event_source(event_sources.SqsEventSource(queue))
    with pytest.raises(RuntimeError, match="E3505"):
        synthesize(stack)


@pytest.mark.parametrize(
    ("region", "arn"),
    [("cn-north-1", '"arn:aws-cn:'), ("us-gov-west-1", '"arn:aws-us-gov:'), (None, '{"Ref": "AWS::Partition"}')],
)
def test_no_partition_or_region_is_assumed(new_stack: NewStack, region: str | None, arn: str) -> None:
    stack = new_stack(env=Environment(account="111111111111", region=region) if region else None)
    rich.build(stack)
    text = json.dumps(synthesize(stack).template)
    assert arn in text
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
