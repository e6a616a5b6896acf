"""Whether a policy admits SNS, as IAM documents it."""

from __future__ import annotations

import pytest
from traced_pipeline_cli.deployment.resource_policies import ServiceCall, admits
from traced_pipeline_cli.traces.model import JsonObject, JsonValue

QUEUE = "arn:aws:sqs:us-east-1:111122223333:work"
TOPIC = "arn:aws:sns:us-east-1:111122223333:orders"
CALL = ServiceCall(service="sns.amazonaws.com", action="sqs:SendMessage", resource=QUEUE, source_arn=TOPIC)
INSECURE: JsonObject = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "sqs:*",
    "Resource": QUEUE,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def _allow(**changes: JsonValue) -> JsonObject:
    whole: JsonObject = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def _condition(operator: str, key: str, value: JsonValue) -> JsonObject:
    return _allow(Condition={operator: {key: value}})


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], False),
        ([_allow()], True),
        ([_allow(), INSECURE], True),
        ([_allow(Principal="*")], True),
        ([_allow(Principal={"AWS": "*"})], True),
        ([_allow(Principal={"Service": ["events.amazonaws.com", "sns.amazonaws.com"]})], True),
        ([_allow(Principal={"Service": "events.amazonaws.com"})], False),
        ([_allow(Action=["sqs:sendmessage"])], True),
        ([_allow(Action="SQS:Send*")], True),
        ([_allow(Action="sqs:ReceiveMessage")], False),
        ([_allow(Action=None, NotAction="sqs:ReceiveMessage")], True),
        ([_allow(Resource="arn:aws:sqs:*:*:wor?")], True),
        ([_allow(Resource="arn:aws:sqs:*:*:other")], False),
        ([_condition("ArnEquals", "aws:SourceArn", TOPIC)], True),
        ([_condition("ArnLike", "AWS:SourceArn", ["arn:aws:sns:*:*:other", "arn:aws:sns:*:*:ord*"])], True),
        ([_condition("StringEquals", "aws:SourceArn", "arn:aws:sns:*:*:orders")], False),
        ([_condition("StringEquals", "aws:SourceAccount", "111122223333")], True),
        ([_condition("StringEqualsIfExists", "aws:SourceAccount", "444455556666")], False),
        ([_condition("StringEquals", "aws:PrincipalOrgID", "o-1")], None),
        ([_condition("NumericLessThan", "aws:SourceAccount", "1")], None),
        ([_allow(), _allow(Effect="Deny")], False),
        ([_allow(), {**_condition("StringEquals", "aws:PrincipalOrgID", "o-1"), "Effect": "Deny"}], None),
        ([_allow(Effect="Deny", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})], False),
    ],
)
def test_statements(statements: list[JsonValue], expected: bool | None) -> None:
    assert admits([{"Version": "2012-10-17", "Statement": statements}], CALL) is expected


def test_one_statement_need_not_be_a_list_and_policies_add_up() -> None:
    assert admits([{"Statement": _allow()}], CALL) is True
    assert admits([{"Statement": _allow()}, {"Statement": _allow(Effect="Deny")}], CALL) is False
