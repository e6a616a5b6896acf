"""The topic that alarms notify admits them, also with a policy and a key of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Environment, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from traced_pipeline import Check, MonitoringOptions, PipelineMonitoring, TracedPipeline

from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize, warnings

NewApp = Callable[..., App]
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


def policies_of(template: Synthesized) -> list[dict[str, Any]]:
    """The policies of the topic that alarms notify."""
    [topic] = [{"Ref": name} for name in template.all("AWS::SNS::Topic") if name.startswith("OnCall")]
    return [policy for policy in template.all("AWS::SNS::TopicPolicy").values() if topic in policy["Topics"]]


def test_a_topic_with_a_policy_lets_alarms_publish(new_stack: NewStack) -> None:
    stack = new_stack(env=_HERE)
    template = watch(stack, sns.Topic(stack, "OnCall", enforce_ssl=True))
    policy = template.one("AWS::SNS::TopicPolicy", "OnCall")
    [statement] = admitting(policy["PolicyDocument"]["Statement"])
    assert (statement["Action"], statement["Resource"]) == (
        "sns:Publish",
        {"Ref": template.name_of("AWS::SNS::Topic", "OnCall")},
    )


def test_a_policy_that_is_made_later_lets_alarms_publish(new_stack: NewStack) -> None:
    stack = new_stack(env=_HERE)
    topic = sns.Topic(stack, "OnCall")
    pipeline = TracedPipeline(stack, "Orders")
    PipelineMonitoring(stack, "Watch", pipeline=pipeline, options=MonitoringOptions(alarm_topic=topic))
    topic.grant_publish(iam.ServicePrincipal("events.amazonaws.com"))
    policy = synthesize(stack).one("AWS::SNS::TopicPolicy", "OnCall")
    assert len(admitting(policy["PolicyDocument"]["Statement"])) == 1


def test_a_topic_without_a_policy_keeps_that_of_sns(new_stack: NewStack) -> None:
    stack = new_stack(env=_HERE)
    template = watch(stack, sns.Topic(stack, "OnCall"))
    assert policies_of(template) == []


def test_a_topic_with_a_policy_construct_gets_no_second_policy(new_stack: NewStack) -> None:
    stack = new_stack(env=_HERE)
    topic = sns.Topic(stack, "OnCall")
    events = iam.ServicePrincipal("events.amazonaws.com")
    sns.TopicPolicy(stack, "Mine", topics=[topic]).document.add_statements(
        iam.PolicyStatement(principals=[events], actions=["sns:Publish"], resources=[topic.topic_arn])
    )
    [policy] = policies_of(watch(stack, topic))
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}


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
    topic = sns.Topic(stack, "OnCall", enforce_ssl=True)
    for name in ("Orders", "Payments"):
        PipelineMonitoring(
            stack, f"Watch{name}", pipeline=TracedPipeline(stack, name), options=MonitoringOptions(alarm_topic=topic)
        )
    policy = synthesize(stack).one("AWS::SNS::TopicPolicy", "OnCall")
    assert len(admitting(policy["PolicyDocument"]["Statement"])) == 1


def test_alarms_of_several_accounts_are_admitted_by_one_policy(new_app: NewApp) -> None:
    app = new_app()
    here = Stack(app, "Here", env=_HERE)
    topic = sns.Topic(here, "OnCall", topic_name="on-call")
    for account in ("222222222222", "333333333333"):
        stack = Stack(app, f"In{account}", env=Environment(account=account, region="eu-west-1"))
        PipelineMonitoring(
            stack, "Watch", pipeline=TracedPipeline(stack, "Orders"), options=MonitoringOptions(alarm_topic=topic)
        )
    [policy] = policies_of(synthesize(here))
    statements = policy["PolicyDocument"]["Statement"]
    sids = [statement["Sid"] for statement in statements if "Sid" in statement]
    assert len(statements) == 2
    assert len(set(sids)) == len(sids)
