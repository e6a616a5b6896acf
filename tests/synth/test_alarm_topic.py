"""The topic that alarms notify admits them, also with a policy and a key of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import Environment, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from traced_pipeline import Check, MonitoringOptions, PipelineMonitoring, TracedPipeline

from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize, warnings

_HERE = Environment(account="111111111111", region="eu-west-1")
_ALARMS = ":cloudwatch:eu-west-1:111111111111:alarm:*"


def watch(stack: Stack, topic: sns.ITopic) -> Synthesized:
    PipelineMonitoring(
        stack, "Watch", pipeline=TracedPipeline(stack, "Orders"), options=MonitoringOptions(alarm_topic=topic)
    )
    return synthesize(stack)


def admitting(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The statements that admit CloudWatch, all of which are about alarms of this account and Region alone."""
    found = [s for s in statements if s["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    for statement in found:
        assert statement["Effect"] == "Allow"
        assert list(statement["Condition"]) == ["ArnLike"]
        assert _ALARMS in json.dumps(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    return found


@pytest.mark.parametrize("enforce_ssl", [True, False])
def test_a_topic_lets_alarms_publish(new_stack: NewStack, enforce_ssl: bool) -> None:
    stack = new_stack(env=_HERE)
    template = watch(stack, sns.Topic(stack, "OnCall", enforce_ssl=enforce_ssl))
    policy = template.one("AWS::SNS::TopicPolicy", "OnCall")
    [statement] = admitting(policy["PolicyDocument"]["Statement"])
    assert (statement["Action"], statement["Resource"]) == (
        "sns:Publish",
        {"Ref": template.name_of("AWS::SNS::Topic", "OnCall")},
    )


def test_a_topics_key_lets_alarms_use_it(new_stack: NewStack) -> None:
    stack = new_stack(env=_HERE)
    key = kms.Key(stack, "Key")
    template = watch(stack, sns.Topic(stack, "OnCall", master_key=key))
    [statement] = admitting(template.one("AWS::KMS::Key")["KeyPolicy"]["Statement"])
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    assert warnings(stack) == []


@pytest.mark.parametrize("alias", ["alias/mine", "alias/aws/sns"])
def test_a_key_that_cannot_let_alarms_in_from_here_is_warned_about(new_stack: NewStack, alias: str) -> None:
    stack = new_stack(env=_HERE)
    watch(stack, sns.Topic(stack, "OnCall", master_key=kms.Alias.from_alias_name(stack, "Key", alias)))
    [warning] = [text for text in warnings(stack) if Check.KEY_NOT_MANAGED in text]
    assert "let cloudwatch.amazonaws.com use kms:Decrypt and kms:GenerateDataKey*" in warning


def test_the_policy_of_an_imported_topic_stays_as_it_is(new_stack: NewStack) -> None:
    stack = new_stack(env=_HERE)
    arn = "arn:aws:sns:eu-west-1:111111111111:on-call"
    template = watch(stack, sns.Topic.from_topic_arn(stack, "OnCall", arn))
    assert [p for p in template.all("AWS::SNS::TopicPolicy").values() if arn in json.dumps(p["Topics"])] == []
    assert warnings(stack) == []


def test_one_topic_of_several_pipelines_admits_alarms_once(new_stack: NewStack) -> None:
    stack = new_stack(env=_HERE)
    topic = sns.Topic(stack, "OnCall")
    for name in ("Orders", "Payments"):
        PipelineMonitoring(
            stack, f"Watch{name}", pipeline=TracedPipeline(stack, name), options=MonitoringOptions(alarm_topic=topic)
        )
    policy = synthesize(stack).one("AWS::SNS::TopicPolicy", "OnCall")
    assert len(admitting(policy["PolicyDocument"]["Statement"])) == 1
