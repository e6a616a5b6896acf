"""Property injectors by which an organisation sets its defaults reach what the constructs make."""

from __future__ import annotations

from typing import Any

import jsii
import pytest
from aws_cdk import Duration, IPropertyInjector, PropertyInjectors, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from traced_pipeline import Check, PipelineError, TracedPipeline, WorkerOptions

from tests.support.stacks import NewStack
from tests.support.templates import synthesize, warnings


@jsii.implements(IPropertyInjector)
class Always:
    """Sets properties of a kind of construct, whatever was given."""

    def __init__(self, kind: str, **properties: object) -> None:
        self._kind = kind
        self._properties = properties

    @property
    def construct_unique_id(self) -> str:
        return self._kind

    def inject(self, original_props: Any, *, scope: Construct, id: str) -> Any:  # noqa: A002 - the CDK's
        return {**original_props, **self._properties}


def _with(stack: Stack, kind: str, **properties: object) -> Stack:
    PropertyInjectors.of(stack).add(Always(kind, **properties))
    return stack


def test_defaults_of_an_organisation_reach_every_part(new_stack: NewStack) -> None:
    stack = _with(new_stack(), lambda_.Function.PROPERTY_INJECTION_ID, memorySize=1024)
    _with(stack, logs.LogGroup.PROPERTY_INJECTION_ID, retention=logs.RetentionDays.ONE_YEAR)
    _with(stack, sqs.Queue.PROPERTY_INJECTION_ID, retentionPeriod=Duration.days(7))
    TracedPipeline(stack, "Orders")
    template = synthesize(stack)
    assert warnings(stack) == []
    assert {f["MemorySize"] for f in template.all("AWS::Lambda::Function").values()} == {1024}
    assert {g["RetentionInDays"] for g in template.all("AWS::Logs::LogGroup").values()} == {365}
    assert {q["MessageRetentionPeriod"] for q in template.all("AWS::SQS::Queue").values()} == {7 * 86_400}


def test_the_visibility_timeout_follows_an_injected_timeout(new_stack: NewStack) -> None:
    stack = _with(new_stack(), lambda_.Function.PROPERTY_INJECTION_ID, timeout=Duration.minutes(2))
    TracedPipeline(stack, "Orders")
    template = synthesize(stack)
    assert template.one("AWS::Lambda::Function", "Worker")["Timeout"] == 120
    assert template.one("AWS::SQS::Queue", "WorkerQueue")["VisibilityTimeout"] == 6 * 120


def test_an_injected_timeout_beyond_the_visibility_timeout_is_refused(new_stack: NewStack) -> None:
    stack = _with(new_stack(), lambda_.Function.PROPERTY_INJECTION_ID, timeout=Duration.minutes(2))
    with pytest.raises(PipelineError, match="visibility_timeout"):
        TracedPipeline(stack, "Orders", worker=WorkerOptions(visibility_timeout=Duration.seconds(60)))


def test_an_injected_key_that_sns_cannot_use_is_refused(new_stack: NewStack) -> None:
    stack = _with(new_stack(), sqs.Queue.PROPERTY_INJECTION_ID, encryption=sqs.QueueEncryption.KMS_MANAGED)
    with pytest.raises(PipelineError, match="alias/aws/sqs, which SNS cannot use") as caught:
        TracedPipeline(stack, "Orders")
    assert caught.value.check is Check.OPTION_VALUE
