"""`AccountTracing`, deployed: what it makes is what the account is then said to have."""

from collections.abc import Iterator

import pytest
from aws_cdk import App, BootstraplessSynthesizer, Stack
from aws_cdk.assertions import Template
from traced_pipeline import AccountTracing
from traced_pipeline_cli.deployment.inspect_account import read_account

from tests.support.account import Account

NAME = "account-tracing"


@pytest.fixture
def made(aws: Account) -> Iterator[AccountTracing]:
    """The parts that the local AWS knows, but for the role, on which APIs of other tests would rely."""
    stack = Stack(App(), NAME, synthesizer=BootstraplessSynthesizer())
    tracing = AccountTracing(
        stack,
        "Tracing",
        api_logging_role="none",
        transaction_search="create",
        indexing_percentage=7,
        sampling_rule="create",
        sampling_rate=0.5,
    )
    aws.deploy(NAME, dict(Template.from_stack(stack).to_json()))
    yield tracing
    # All of it stays when the stack goes.
    aws.delete(NAME)
    xray, logs = aws.client("xray"), aws.client("logs")
    for policy in xray.list_resource_policies()["ResourcePolicies"]:
        xray.delete_resource_policy(PolicyName=policy["PolicyName"])
    for record in xray.get_sampling_rules()["SamplingRuleRecords"]:
        if record["SamplingRule"]["RuleName"].startswith(NAME):
            xray.delete_sampling_rule(RuleName=record["SamplingRule"]["RuleName"])
    xray.update_indexing_rule(Name="Default", Rule={"Probabilistic": {"DesiredSamplingPercentage": 1}})
    xray.update_trace_segment_destination(Destination="XRay")
    for policy in logs.describe_resource_policies()["resourcePolicies"]:
        logs.delete_resource_policy(policyName=policy["policyName"])


def test_what_it_makes_the_account_has(aws: Account, made: AccountTracing) -> None:
    assert made.transaction_search is not None
    xray = aws.client("xray")
    assert xray.get_trace_segment_destination()["Destination"] == "CloudWatchLogs"
    (indexing,) = xray.get_indexing_rules()["IndexingRules"]
    assert indexing["Rule"]["Probabilistic"]["DesiredSamplingPercentage"] == 7
    parts = {part.name: part for part in read_account(aws)}  # type: ignore[arg-type]
    assert {name: part.word for name, part in parts.items()} == {
        "sns_permission": "existing",
        "api_logging_role": "create",
        "transaction_search": "existing",
        "application_signals": "create",
        "sampling_rule": "existing",
    }
    assert NAME in parts["sampling_rule"].text
