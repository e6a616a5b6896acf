"""The event source mapping of a worker: pollers, metrics and encrypted filters."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from aws_cdk import CfnParameter, Environment
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import Check, PipelineError, TracedPipeline, WorkerOptions

from tests.support.stacks import NewStack
from tests.support.templates import synthesize, warnings, warnings_of

MAPPING = "AWS::Lambda::EventSourceMapping"
RUSH = lambda_.FilterCriteria.filter({"body": {"priority": ["rush"]}})


@pytest.mark.parametrize(
    ("options", "made"),
    [
        (WorkerOptions(minimum_pollers=5, maximum_pollers=10_000), {"MinimumPollers": 5, "MaximumPollers": 10_000}),
        (WorkerOptions(minimum_pollers=2), {"MinimumPollers": 2}),
        (WorkerOptions(maximum_pollers=2), {"MaximumPollers": 2}),
        (WorkerOptions(), None),
    ],
    ids=["both", "fewest", "most", "none"],
)
def test_provisioned_pollers(new_stack: NewStack, options: WorkerOptions, made: dict[str, int] | None) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", worker=options)
    assert synthesize(stack).one(MAPPING).get("ProvisionedPollerConfig") == made


def test_pollers_that_are_known_at_deployment_only(new_stack: NewStack) -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Pollers", type="Number")
    # A number that is a token is a float; the option says int, as the CDK's own do.
    options = WorkerOptions(minimum_pollers=number.value_as_number, maximum_pollers=5)  # type: ignore[arg-type]
    TracedPipeline(stack, "Orders", worker=options)
    assert synthesize(stack).one(MAPPING)["ProvisionedPollerConfig"]["MinimumPollers"] == {"Ref": "Pollers"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (WorkerOptions(minimum_pollers=2, max_concurrency=5), "max_concurrency and minimum_pollers are given"),
        (WorkerOptions(maximum_pollers=2, max_concurrency=5), "leave out max_concurrency, or maximum_pollers"),
        (WorkerOptions(minimum_pollers=6, maximum_pollers=5), "at most maximum_pollers, which is 5"),
        (WorkerOptions(filter_encryption=None, filters=None, minimum_pollers=1), "must be from 2 to 200"),
        (WorkerOptions(maximum_pollers=10_001), "must be from 2 to 10000"),
    ],
    ids=["fewest and concurrency", "most and concurrency", "fewest above most", "too few", "too many"],
)
def test_pollers_that_lambda_does_not_take(new_stack: NewStack, options: WorkerOptions, said: str) -> None:
    with pytest.raises(PipelineError, match=said):
        TracedPipeline(new_stack(), "Orders", worker=options)


def test_numbers_of_pollers_are_those_of_the_documentation() -> None:
    """The model's own numbers hold for all event sources; what is said of queues is in its text."""
    model = botocore.session.get_session().get_service_model("lambda")
    members: Any = model.shape_for("ProvisionedPollerConfig").members  # type: ignore[attr-defined]
    assert "minimum 2 required" in members["MinimumPollers"].documentation
    assert "range is between 2 and 10,000" in members["MaximumPollers"].documentation


def test_event_source_metrics(new_stack: NewStack) -> None:
    stack = new_stack()
    TracedPipeline(stack, "Orders", worker=WorkerOptions(event_source_metrics=True)).add_worker("Audit")
    template = synthesize(stack)
    assert template.one(MAPPING, "Worker")["MetricsConfig"] == {"Metrics": ["EventCount"]}
    assert "MetricsConfig" not in template.one(MAPPING, "Audit")


class TestFilterEncryption:
    def test_key_lets_lambda_read_the_filters(self, new_stack: NewStack) -> None:
        stack = new_stack()
        key = kms.Key(stack, "Key")
        TracedPipeline(stack, "Orders", worker=WorkerOptions(filters=[RUSH], filter_encryption=key))
        template = synthesize(stack)
        assert template.one(MAPPING)["KmsKeyArn"] == stack.resolve(key.key_arn)
        statements = template.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
        (reading,) = [s for s in statements if s["Principal"] == {"Service": "lambda.amazonaws.com"}]
        assert reading["Action"] == "kms:Decrypt"
        assert warnings(stack) == []

    def test_imported_key(self, new_stack: NewStack) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        arn = "arn:aws:kms:eu-west-1:111111111111:key/01234567-0123-0123-0123-0123456789ab"
        key = kms.Key.from_key_arn(stack, "Key", arn)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(filters=[RUSH], filter_encryption=key))
        (warning,) = warnings_of(stack, Check.KEY_NOT_MANAGED)
        assert "encrypts the worker's filters; where it is made, let lambda.amazonaws.com use kms:Decrypt" in warning

    def test_without_filters(self, new_stack: NewStack) -> None:
        stack = new_stack()
        with pytest.raises(PipelineError, match="filter_encryption is given without filters") as caught:
            TracedPipeline(stack, "Orders", worker=WorkerOptions(filter_encryption=kms.Key(stack, "Key")))
        assert caught.value.check is Check.OPTION_CONFLICT


def test_the_mapping_is_given_back(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders")
    mapping = orders.worker.event_source_mapping
    assert json.dumps(stack.resolve(mapping.event_source_mapping_arn))
    assert stack.resolve(mapping.event_source_mapping_id)["Ref"] in synthesize(stack).all(MAPPING)
