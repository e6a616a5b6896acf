"""What checkers say of a stack with the options that few use."""

from __future__ import annotations

import pytest
from aws_cdk import App, Environment, Stack
from cdk_nag import AwsSolutionsChecks

from tests.support import every_option
from tests.support.templates import synthesize, warnings


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Stack:
    app = App(outdir=str(tmp_path_factory.mktemp("options")), context=context)
    stack = Stack(app, "Shop", env=Environment(account="111111111111", region="eu-west-1"))
    every_option.build(stack)
    return stack


def test_nothing_is_warned_about(stack: Stack) -> None:
    assert synthesize(stack).resources
    assert warnings(stack) == []


def test_cdk_nag_has_nothing_against_what_is_ours(stack: Stack) -> None:
    violations = AwsSolutionsChecks(stack).validate_scope(stack.node.root).violations
    errors = {violation.rule_name for violation in violations if violation.severity == "error"}
    # The user pool is the test's own.
    assert {rule for rule in errors if not rule.startswith("AwsSolutions-COG")} == set()
