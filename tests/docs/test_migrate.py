"""docs/migrate.md: what it says that a migration keeps, replaces and adds."""

from __future__ import annotations

import re

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from scripts.pages import ROOT, snippets
from tests.support.snippets import Run
from tests.support.templates import Synthesized, synthesize

PAGE = ROOT / "docs" / "migrate.md"
HANDED_OVER = {
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::Method",
    "AWS::DynamoDB::GlobalTable",
    "AWS::Lambda::Function",
    "AWS::Lambda::EventSourceMapping",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
}
NEW = {
    "AWS::ApiGateway::Deployment",
    "AWS::ApiGateway::Model",
    "AWS::ApiGateway::RequestValidator",
    "AWS::CloudWatch::Alarm",
    "AWS::IAM::Policy",
    "AWS::Lambda::LayerVersion",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::XRay::ResourcePolicy",
}
"""The layer, permissions, dead-letter queue, alarm and validation that the page lists, and the replaced deployment."""


@pytest.fixture
def before_and_after(run: Run) -> tuple[Synthesized, Synthesized]:
    before, after, _ = [snippet for snippet in snippets(PAGE) if snippet.is_an_app]
    (old,), (new,) = run(before.code, str(before)), run(after.code, str(after))
    return synthesize(old), synthesize(new)


def test_a_migration_keeps_what_the_page_says(before_and_after: tuple[Synthesized, Synthesized]) -> None:
    before, after = before_and_after
    kept = set(before.resources) & set(after.resources)
    said = re.search(
        r"Of the (\d+) resources of the first stack, (\d+) keep their logical ids", PAGE.read_text("utf-8")
    )
    assert said
    assert (len(before.resources), len(kept)) == (int(said[1]), int(said[2]))
    replaced = {before.resources[name]["Type"] for name in set(before.resources) - kept}
    assert replaced == {"AWS::ApiGateway::Deployment", "AWS::Lambda::Permission"}
    assert {after.resources[name]["Type"] for name in set(after.resources) - kept} == NEW
    for kind in HANDED_OVER:
        assert set(before.all(kind)) <= kept, kind
    (queue,) = before.all("AWS::SQS::Queue")
    assert queue in kept


def test_a_migrated_pipeline_is_traced_and_as_open_as_before(before_and_after: tuple[Synthesized, Synthesized]) -> None:
    before, after = before_and_after
    worker = after.one("AWS::Lambda::Function", "Worker")
    assert worker["Handler"] == "trace_bridge.auto.handler"
    assert worker["Environment"]["Variables"]["TRACE_BRIDGE_ENVELOPE"] == "sns"
    assert worker["Layers"]
    assert after.one("AWS::ApiGateway::Stage")["TracingEnabled"] is True
    assert after.one("AWS::SNS::Topic")["TracingConfig"] == "Active"
    methods = [template.one("AWS::ApiGateway::Method")["AuthorizationType"] for template in (before, after)]
    assert methods == ["NONE", "NONE"]


def test_explicit_wiring_keeps_its_ids(run: Run) -> None:
    (snippet,) = [snippet for snippet in snippets(PAGE) if "override_logical_id" in snippet.code]
    (stack,) = run(snippet.code, str(snippet))
    after = synthesize(stack)
    assert set(after.all("AWS::SNS::Subscription")) == {"Subscription"}
    assert set(after.all("AWS::Lambda::EventSourceMapping")) == {"Mapping"}
    mapping = after.one("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionName"] == {"Ref": after.name_of("AWS::Lambda::Function", "Worker")}
    # What CloudFormation replaces it for stays as a plain pipeline has it.
    plain = Stack(App(), "Shop")
    topic, queue = sns.Topic(plain, "Topic"), sqs.Queue(plain, "Queue")
    protocol = sns.SubscriptionProtocol.SQS
    sns.Subscription(plain, "Subscription", topic=topic, endpoint=queue.queue_arn, protocol=protocol)
    subscription = synthesize(plain).one("AWS::SNS::Subscription")
    replaces = ("Endpoint", "Protocol", "TopicArn")
    assert {key: after.one("AWS::SNS::Subscription")[key] for key in replaces} == {k: subscription[k] for k in replaces}
