"""Roles that are made elsewhere: used as they are, and what they must be allowed is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

import pytest
from aws_cdk import App, Duration, Environment, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from traced_pipeline import Check, IngestOptions, TopicOptions, TracedPipeline, WorkerOptions

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize, warnings_of

HERE = Environment(account="111111111111", region="eu-west-1")


class TestPrecreatedRoles:
    """`iam.Role.customize_roles`: an organisation makes the roles, and the CDK reports what they need."""

    NAMES: ClassVar = {"P/Ingest/Function/Role": "ingest", "P/Worker/Function/Role": "worker"}

    def test_pipeline_uses_them(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        iam.Role.customize_roles(stack, use_precreated_roles=self.NAMES)
        TracedPipeline(stack, "P", ingest=IngestOptions(account_logging_role="none"))
        template = synthesize(stack)
        assert not {"AWS::IAM::Role", "AWS::IAM::Policy"} & {r["Type"] for r in template.resources.values()}
        roles = {json.dumps(function["Role"]) for function in template.all("AWS::Lambda::Function").values()}
        assert [name in " ".join(roles) for name in ("role/ingest", "role/worker")] == [True, True]

    def test_report_names_what_they_need(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        iam.Role.customize_roles(stack, use_precreated_roles=self.NAMES)
        mine = make_function(stack, role=iam.Role(stack, "R", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")))
        TracedPipeline(stack, "P", worker=WorkerOptions(handler=mine))
        app = stack.node.root
        assert isinstance(app, App)
        with pytest.raises(RuntimeError):  # the role R has no name yet, and the CDK ends the synthesis
            app.synth()
        report = (Path(app.outdir) / "iam-policy-report.json").read_text()
        (missing,) = [role for role in json.loads(report)["roles"] if role["missing"]]
        needed = json.dumps(missing["identityPolicyStatements"])
        assert [a in needed for a in ("xray:PutTraceSegments", "sqs:ReceiveMessage", "dynamodb:PutItem")] == [True] * 3

    def test_with_a_vpc_and_the_accounts_logging_role(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        names = {**self.NAMES, "ApiGatewayLoggingRole": "logging"}
        iam.Role.customize_roles(stack, use_precreated_roles=names)
        vpc = ec2.Vpc(stack, "Net", max_azs=1, restrict_default_security_group=False)
        ingest = IngestOptions(account_logging_role="create")
        TracedPipeline(stack, "P", ingest=ingest, worker=WorkerOptions(vpc=vpc))
        account = synthesize(stack).one("AWS::ApiGateway::Account")
        assert "role/logging" in json.dumps(account["CloudWatchRoleArn"])


def locked_role(stack: Stack, how: str) -> iam.IRole:
    if how == "imported":
        return iam.Role.from_role_arn(stack, "R", "arn:aws:iam::111111111111:role/locked", mutable=False)
    if how == "of another account":
        return iam.Role.from_role_arn(stack, "R", "arn:aws:iam::222222222222:role/locked")
    return iam.Role(stack, "R", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")).without_policy_updates()


@pytest.mark.parametrize("how", ["imported", "of another account", "without_policy_updates"])
class TestImmutableRole:
    def test_worker_gets_no_policy_and_its_missing_rights_are_named(self, new_stack: NewStack, how: str) -> None:
        stack = new_stack(env=HERE)
        mine = make_function(stack, role=locked_role(stack, how), timeout=Duration.seconds(20))
        key = kms.Key(stack, "Key")
        TracedPipeline(stack, "P", worker=WorkerOptions(handler=mine, queue_key=key))
        (warning,) = warnings_of(stack, Check.ROLE_NOT_MANAGED)
        assert "of function Shop/Mine cannot be changed from here" in warning
        named = warning.partition("allow ")[2]
        needed = ("xray:PutTraceSegments", "dynamodb:PutItem", "sqs:ReceiveMessage", "sqs:DeleteMessage", "kms:Decrypt")
        assert [action in named for action in needed] == [True] * len(needed)
        assert self.policies_of_others(stack) == []

    def test_ingest_gets_no_policy_and_its_missing_rights_are_named(self, new_stack: NewStack, how: str) -> None:
        stack = new_stack(env=HERE)
        mine = make_function(stack, role=locked_role(stack, how), tracing=lambda_.Tracing.ACTIVE)
        topic = TopicOptions(key=kms.Key(stack, "Key"))
        TracedPipeline(stack, "P", topic=topic, ingest=IngestOptions(handler=mine))
        (warning,) = warnings_of(stack, Check.ROLE_NOT_MANAGED)
        named = warning.partition("allow ")[2]
        assert [a in named for a in ("xray:PutTraceSegments", "sns:Publish", "kms:GenerateDataKey*")] == [True] * 3
        assert self.policies_of_others(stack) == []

    def policies_of_others(self, stack: Stack) -> list[str]:
        """Policies but for those of the roles the pipeline makes."""
        policies = synthesize(stack).all("AWS::IAM::Policy")
        return [name for name in policies if not name.startswith("P")]


def test_imported_function_with_an_immutable_role(new_stack: NewStack) -> None:
    stack = new_stack(env=HERE)
    mine = lambda_.Function.from_function_attributes(
        stack,
        "Mine",
        function_arn="arn:aws:lambda:eu-west-1:111111111111:function:mine",
        role=locked_role(stack, "imported"),
        same_environment=True,
    )
    queue = sqs.Queue(stack, "Jobs", visibility_timeout=Duration.minutes(3))
    TracedPipeline(stack, "P", worker=WorkerOptions(handler=mine, queue=queue))
    (warning,) = warnings_of(stack, Check.ROLE_NOT_MANAGED)
    assert "sqs:ReceiveMessage" in warning
