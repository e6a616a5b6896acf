"""What an account has for tracing, as `verify --account` and `make deploy` read it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from traced_pipeline_cli.deployment.inspect_account import read_account
from traced_pipeline_cli.deployment.model import AccountPart
from traced_pipeline_cli.render.terminal_verdict import account_lines

from tests.support.account_reads import ACCOUNT, FRESH, Session, rule

ROLE = f"arn:aws:iam::{ACCOUNT}:role/logs"
DISCOVERY = "AWSServiceRoleForCloudWatchApplicationSignals"
PARTS = ["sns_permission", "api_logging_role", "transaction_search", "application_signals", "sampling_rule"]


def policy(name: str = "topics", *, arn: str = f"arn:aws:sns:eu-west-1:{ACCOUNT}:*") -> dict[str, str]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": ["xray:PutTraceSegments"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}, "StringLike": {"aws:SourceArn": arn}},
    }
    return {"PolicyName": name, "PolicyDocument": json.dumps({"Statement": [statement]})}


def read(**answers: object) -> dict[str, AccountPart]:
    parts = read_account(Session({**FRESH, **answers}))  # type: ignore[arg-type]
    assert [part.name for part in parts] == PARTS
    return {part.name: part for part in parts}


def test_a_fresh_account_has_nothing() -> None:
    assert {part.word for part in read().values()} == {"create"}


def test_an_account_that_has_everything() -> None:
    parts = read(
        list_resource_policies=[{"ResourcePolicies": []}, {"ResourcePolicies": [policy()]}],
        get_account={"cloudwatchRoleArn": ROLE},
        get_trace_segment_destination={"Destination": "CloudWatchLogs", "Status": "ACTIVE"},
        get_role={"Role": {}},
        get_sampling_rules=[{"SamplingRuleRecords": [rule("Default"), rule("ours")]}],
    )
    assert {part.word for part in parts.values()} == {"existing"}
    assert "the resource policy topics lets SNS" in parts["sns_permission"].text
    assert parts["api_logging_role"].text == ROLE
    assert DISCOVERY in parts["application_signals"].text
    assert "the rule ours is for all requests" in parts["sampling_rule"].text


@pytest.mark.parametrize(
    ("answers", "part", "word"),
    [
        # A policy for one topic, or of another account, is not the account's permission.
        ({"list_resource_policies": [{"ResourcePolicies": [policy(arn=f"arn:aws:sns:eu-west-1:{ACCOUNT}:orders")]}]},
         "sns_permission", "create"),
        ({"list_resource_policies": [{"ResourcePolicies": [policy(arn="arn:aws:sns:eu-west-1:444455556666:*")]}]},
         "sns_permission", "create"),
        # A switch that is not through would fail a deployment as well.
        ({"get_trace_segment_destination": {"Destination": "CloudWatchLogs", "Status": "PENDING"}},
         "transaction_search", "existing"),
        # A rule for some requests leaves the others to X-Ray's own.
        ({"get_sampling_rules": [{"SamplingRuleRecords": [rule("api", ServiceType="AWS::ApiGateway::Stage")]}]},
         "sampling_rule", "create"),
        ({"get_sampling_rules": [{"SamplingRuleRecords": [rule("some", Attributes={"tier": "gold"})]}]},
         "sampling_rule", "create"),
    ],
    ids=["one topic", "another account", "switching", "a stage", "attributes"],
)  # fmt: skip
def test_what_is_only_almost_there(answers: dict[str, Any], part: str, word: str) -> None:
    assert read(**answers)[part].word == word


@pytest.mark.parametrize(
    ("operation", "part", "permission"),
    [
        ("list_resource_policies", "sns_permission", "xray:ListResourcePolicies"),
        ("get_account", "api_logging_role", "apigateway:GET"),
        ("get_trace_segment_destination", "transaction_search", "xray:GetTraceSegmentDestination"),
        ("get_role", "application_signals", "iam:GetRole"),
        ("get_sampling_rules", "sampling_rule", "xray:GetSamplingRules"),
    ],
)
def test_what_may_not_be_read_is_said_and_not_guessed(operation: str, part: str, permission: str) -> None:
    parts = read(**{operation: "AccessDeniedException"})
    assert parts[part].word is None
    assert f"need the permission {permission}" in parts[part].text
    assert {other.word for name, other in parts.items() if name != part} == {"create"}
    [line] = [line for line in account_lines(tuple(parts.values())) if line.split()[0] == part]
    assert line.split()[1] == "unknown"


def test_without_credentials_nothing_is_said_about_the_account() -> None:
    with pytest.raises(NoCredentialsError):
        read(get_account=NoCredentialsError())
