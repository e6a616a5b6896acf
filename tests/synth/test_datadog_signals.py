"""What Datadog finds a pipeline's traces, lines and metrics by: ids, tags, a policy, a dashboard, indexed traces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk import CfnParameter, Environment, Stack, Tags
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_xray as xray
from traced_pipeline import AccountTracing, Check, ContainerWorkerOptions, IngestOptions, TracedPipeline, WorkerOptions
from traced_pipeline.account_parts import AccountPart

from tests.support.datadog import forwarding, tags_of
from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, refusal, synthesize, warnings_of

HERE = Environment(account="111111111111", region="eu-west-1")
LOGS = "TRACE_BRIDGE_LOGS"
TAGGED = (
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::DynamoDB::GlobalTable",
    "AWS::ECS::Service",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
)


@pytest.fixture(scope="module")
def template(datadog_template: Synthesized) -> Synthesized:
    return datadog_template


class TestTags:
    def test_are_on_all_that_datadog_reads_them_of(self, template: Synthesized) -> None:
        for kind in TAGGED:
            for name, resource in template.all(kind).items():
                if name.startswith("Orders") and "FlowLogs" not in name:
                    tags = tags_of(resource)
                    assert (tags["env"], tags["service"]) == ("prod", "orders"), name
                    assert ("version" in tags) == (kind in ("AWS::ECS::Service", "AWS::Lambda::Function")), name

    def test_are_on_nothing_else(self, template: Synthesized) -> None:
        for name, resource in template.resources.items():
            tags = resource.get("Properties", {}).get("Tags", [])
            if resource["Type"] not in TAGGED or "Forwarder" in name:
                keys = {tag["Key"] for tag in tags} if isinstance(tags, list) else set(tags)
                assert not {"env", "service", "version", "traced_pipeline"} & keys, name

    @pytest.mark.parametrize(
        ("kind", "name", "hop"),
        [
            ("AWS::ApiGateway::Stage", "", "ingest"),
            ("AWS::Lambda::Function", "IngestFunction", "ingest"),
            ("AWS::Logs::LogGroup", "IngestAccessLogs", "ingest"),
            ("AWS::SNS::Topic", "", "topic"),
            ("AWS::DynamoDB::GlobalTable", "", "table"),
            ("AWS::SQS::Queue", "WorkerQueue", "worker"),
            ("AWS::SQS::Queue", "OrdersWorkerDeadLetterQueue", "worker.dead-letter-queue"),
            ("AWS::Lambda::Function", "WorkerFunction", "worker"),
            ("AWS::Lambda::Function", "WorkerRepair", "worker.repair"),
            ("AWS::SQS::Queue", "WorkerRepair", "worker.repair.dead-letter-queue"),
            ("AWS::Lambda::Function", "AuditFunction", "audit"),
            ("AWS::Logs::LogGroup", "AuditRepair", "audit.repair"),
            ("AWS::ECS::Service", "", "bill"),
            ("AWS::Logs::LogGroup", "BillLogs", "bill"),
        ],
        ids=range(14),
    )
    def test_name_the_hop(self, template: Synthesized, kind: str, name: str, hop: str) -> None:
        assert tags_of(template.one(kind, name))["traced_pipeline"] == f"shop-orders.{hop}"

    def test_that_an_app_sets_itself_stay(self, new_stack: NewStack) -> None:
        stack = new_stack()
        orders = TracedPipeline(stack, "Orders")
        Tags.of(orders.worker_function).add("service", "billing")
        forwarding(stack, orders, service="orders")
        template = synthesize(stack)
        services = [tags_of(f)["service"] for f in template.all("AWS::Lambda::Function").values()]
        assert sorted(services) == ["billing", "orders"]

    def test_by_default_name_no_service_and_no_version(self, new_stack: NewStack) -> None:
        stack = new_stack()
        forwarding(stack)
        for function in synthesize(stack).all("AWS::Lambda::Function").values():
            assert set(tags_of(function)) == {"env", "traced_pipeline"}

    def test_of_a_deployment_are_taken_as_they_come(self, new_stack: NewStack) -> None:
        stack = new_stack()
        parameter = CfnParameter(stack, "Version").value_as_string
        made = forwarding(stack, env=parameter, version=parameter)
        functions = synthesize(stack).all("AWS::Lambda::Function").values()
        assert all(tags_of(function)["version"] == {"Ref": "Version"} for function in functions)
        assert json.loads(made.dashboard_json)["template_variables"][0]["defaults"] == ["*"]

    @pytest.mark.parametrize("value", ["Prod", "", "a b", "prod:", "prod!", "x" * 197], ids=range(6))
    def test_that_datadog_changes_are_refused(self, new_stack: NewStack, value: str) -> None:
        stack = new_stack()
        refused = refusal(lambda: forwarding(stack, env=value))
        assert f"DatadogForwarding(env=) is {value!r}" in refused
        assert Check.OPTION_VALUE.value in refused

    @pytest.mark.parametrize("argument", ["service", "version", "name"])
    def test_are_all_looked_at(self, new_stack: NewStack, argument: str) -> None:
        stack = new_stack()
        value: Any = {argument: "Über alles"}
        assert f"({argument}=)" in refusal(lambda: forwarding(stack, **value))

    @pytest.mark.parametrize("value", ["x" * 196, "feature/4", "1.4.2", "größe_2"], ids=range(4))
    def test_that_datadog_keeps_are_taken(self, new_stack: NewStack, value: str) -> None:
        stack = new_stack()
        forwarding(stack, env=value)
        assert tags_of(synthesize(stack).one("AWS::SNS::Topic"))["env"] == value


class TestIds:
    def test_are_on_the_lines_of_all_functions_and_containers(self, template: Synthesized) -> None:
        functions = [f for name, f in template.all("AWS::Lambda::Function").items() if name.startswith("Orders")]
        assert len(functions) == 5
        assert {function["Environment"]["Variables"][LOGS] for function in functions} == {"datadog"}
        containers = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        (worker,) = [container for container in containers if container["Name"] == "Worker"]
        assert {"Name": LOGS, "Value": "datadog"} in worker["Environment"]

    def test_are_not_where_something_else_is_said(self, new_stack: NewStack) -> None:
        stack = new_stack()
        variables = {LOGS: "off"}
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(environment=variables))
        image = ecs.ContainerImage.from_registry("registry.example.com/bill:1")
        orders.add_container_worker("Bill", ContainerWorkerOptions(image=image, environment=variables))
        forwarding(stack, orders)
        template = synthesize(stack)
        assert template.variables("WorkerFunction")[LOGS] == "off"
        containers = template.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
        said = [v["Value"] for c in containers for v in c.get("Environment", []) if v["Name"] == LOGS]
        assert said == ["off"]

    def test_leave_the_variables_of_an_existing_function_as_they_are(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = make_function(stack, tracing=lambda_.Tracing.ACTIVE, environment={LOGS: "off"})
        forwarding(stack, TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=mine)))
        mine.add_environment("LATER", "too")
        variables = synthesize(stack).variables("Mine")
        assert (variables[LOGS], variables["LATER"]) == ("off", "too")

    def test_are_not_asked_of_a_function_without_the_bridge(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = lambda_.Function(
            stack,
            "Mine",
            code=lambda_.Code.from_inline("exports.handler = async () => {}"),
            handler="index.handler",
            runtime=lambda_.Runtime.NODEJS_22_X,
            tracing=lambda_.Tracing.ACTIVE,
        )
        forwarding(stack, TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=mine)))
        assert LOGS not in synthesize(stack).variables("Mine")


class TestPolicy:
    def test_lets_the_role_read_traces_and_no_more(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        role = iam.Role.from_role_name(stack, "Role", "DatadogIntegrationRole")
        made = forwarding(stack, integration_role=role, xray_key=kms.Key(stack, "Key"))
        assert made.integration_policy is not None
        template = synthesize(stack)
        policy = template.one("AWS::IAM::ManagedPolicy")
        key = {"Fn::GetAtt": [template.name_of("AWS::KMS::Key"), "Arn"]}
        assert policy["Roles"] == ["DatadogIntegrationRole"]
        assert [(s["Effect"], s["Action"], s["Resource"]) for s in policy["PolicyDocument"]["Statement"]] == [
            ("Allow", ["xray:BatchGetTraces", "xray:GetTraceSummaries"], "*"),
            ("Allow", "kms:Decrypt", key),
        ]

    def test_is_not_made_without_a_role(self, new_stack: NewStack) -> None:
        stack = new_stack()
        assert forwarding(stack).integration_policy is None
        assert synthesize(stack).all("AWS::IAM::ManagedPolicy") == {}

    def test_is_refused_for_a_key_alone(self, new_stack: NewStack) -> None:
        stack = new_stack()
        assert "integration_role" in refusal(lambda: forwarding(stack, xray_key=kms.Key(stack, "Key")))

    @pytest.mark.parametrize("imported", [True, False])
    def test_names_a_key_that_is_known_by_its_alias(self, new_stack: NewStack, imported: bool) -> None:
        stack = new_stack(env=HERE)
        role = iam.Role.from_role_name(stack, "Role", "datadog")
        key: kms.IKey = (
            kms.Alias.from_alias_name(stack, "Key", "alias/x-ray")
            if imported
            else kms.Alias(stack, "Alias", alias_name="alias/x-ray", target_key=kms.Key(stack, "Key"))
        )
        forwarding(stack, integration_role=role, xray_key=key)
        _, decrypt = synthesize(stack).one("AWS::IAM::ManagedPolicy")["PolicyDocument"]["Statement"]
        if imported:
            assert decrypt["Condition"] == {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/x-ray"}}
            assert decrypt["Resource"] == "arn:aws:kms:eu-west-1:111111111111:key/*"
        else:
            assert decrypt["Resource"]["Fn::GetAtt"][0].startswith("Key")

    def test_is_refused_for_a_key_of_another_region(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        role = iam.Role.from_role_name(stack, "Role", "datadog")
        key = kms.Key.from_key_arn(stack, "Key", "arn:aws:kms:us-east-1:111111111111:key/1")
        assert "Region us-east-1" in refusal(lambda: forwarding(stack, integration_role=role, xray_key=key))

    def test_is_refused_for_a_role_that_cannot_be_changed(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111111111111:role/datadog", mutable=False)
        said = refusal(lambda: forwarding(stack, integration_role=role))
        assert "cannot be changed from here" in said
        assert "allow it xray:BatchGetTraces, xray:GetTraceSummaries where it is made" in said

    def test_is_refused_for_a_role_of_another_account(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::222222222222:role/DatadogIntegrationRole")
        assert "account 222222222222" in refusal(lambda: forwarding(stack, integration_role=role))


class TestIndexing:
    @pytest.mark.parametrize(
        ("word", "percentage", "warned"),
        [
            ("create", None, True),
            ("create", 99.5, True),
            ("create", 100, False),
            ("existing", None, True),
            ("none", None, False),
        ],
        ids=range(5),
    )
    def test_of_a_part_is_warned_about(
        self, new_stack: NewStack, word: AccountPart, percentage: float | None, warned: bool
    ) -> None:
        stack = new_stack(env=HERE)
        forwarding(stack)
        AccountTracing(stack, "Tracing", transaction_search=word, indexing_percentage=percentage)
        synthesize(stack)
        assert bool(warnings_of(stack, Check.TRACES_NOT_INDEXED)) == warned

    @pytest.mark.parametrize(("percentage", "indexed"), [(50, "50 %"), (None, "1 %")])
    def test_by_a_resource_of_the_app_counts_too(
        self, new_stack: NewStack, percentage: float | None, indexed: str
    ) -> None:
        stack = new_stack(env=HERE)
        xray.CfnTransactionSearchConfig(stack, "Search", indexing_percentage=percentage)
        forwarding(stack)
        synthesize(stack)
        assert f"indexes {indexed}" in warnings_of(stack, Check.TRACES_NOT_INDEXED)[0]

    def test_of_another_region_does_not_count(self, new_stack: NewStack) -> None:
        stack = new_stack(env=HERE)
        forwarding(stack)
        there = Stack(stack, "There", env=Environment(account=HERE.account, region="us-east-1"))
        AccountTracing(there, "Tracing", transaction_search="create")
        synthesize(stack)
        assert warnings_of(stack, Check.TRACES_NOT_INDEXED) == []
