"""Checks that look around in the app: they cost nothing while it is put together, and see all of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, ConstructSelector, Environment, IConstructSelector, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_xray as xray
from constructs import Construct
from jsii import _reference_map
from traced_pipeline import Check, PipelineError, SnsTracePermission, TracedPipeline, WorkerOptions, synthesis_checks
from traced_pipeline.synthesis_checks import check_at_synthesis

from tests.support.stacks import NewStack
from tests.support.templates import shown, synthesize, warnings_of

HERE = Environment(account="111111111111", region="eu-west-1")
ISOLATED = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)


def isolated_vpc(scope: Construct) -> ec2.Vpc:
    inside = ec2.SubnetConfiguration(name="inside", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
    return ec2.Vpc(scope, "Net", nat_gateways=0, max_azs=2, subnet_configuration=[inside])


def let_send(scope: Construct, construct_id: str, service: str, action: str = "xray:PutTraceSegments") -> None:
    statement = iam.PolicyStatement(principals=[iam.ServicePrincipal(service)], actions=[action], resources=["*"])
    document = Stack.of(scope).to_json_string(iam.PolicyDocument(statements=[statement]))
    xray.CfnResourcePolicy(scope, construct_id, policy_name=construct_id, policy_document=document)


class TestCost:
    @pytest.fixture
    def reached(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The objects that came from the CDK's process into this one."""
        found: list[str] = []
        resolve: Callable[[object, object], object] = _reference_map.resolve_reference

        def counted(kernel: object, reference: object) -> object:
            found.append(str(reference))
            return resolve(kernel, reference)

        monkeypatch.setattr(_reference_map, "resolve_reference", counted)
        return found

    @pytest.fixture
    def walks(self, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
        """The searches through the app."""
        found: list[tuple[str, ...]] = []

        class Counted:
            @staticmethod
            def resources_of_type(*kinds: str) -> IConstructSelector:
                found.append(kinds)
                return ConstructSelector.resources_of_type(*kinds)

        monkeypatch.setattr(synthesis_checks, "ConstructSelector", Counted)
        return found

    def test_a_pipeline_in_a_large_app_costs_what_it_costs_in_a_small_one(
        self, new_app: Callable[..., App], reached: list[str], walks: list[tuple[str, ...]]
    ) -> None:
        counts = []
        for others in (40, 4000):
            app = new_app()
            large = Stack(app, "Large")
            for number in range(others):
                Construct(large, f"Other{number}")
            stack = Stack(app, "Shop")
            vpc = isolated_vpc(stack)
            topic = sns.Topic(stack, "Topic", tracing_config=sns.TracingConfig.ACTIVE)
            reached.clear()
            TracedPipeline(stack, "Orders", worker=WorkerOptions(vpc=vpc, vpc_subnets=ISOLATED))
            TracedPipeline(stack, "Returns", topic=topic)
            counts.append(len(reached))
        assert walks == []
        assert counts[0] == counts[1] > 0

    def test_the_search_at_synthesis_brings_over_what_it_looks_for_alone(
        self, new_app: Callable[..., App], reached: list[str], walks: list[tuple[str, ...]]
    ) -> None:
        counts = []
        for others in (40, 4000):
            app = new_app()
            stack = Stack(app, "Shop")
            TracedPipeline(stack, "Orders")
            for number in range(others):
                Construct(stack, f"Other{number}")
            reached.clear()
            walks.clear()
            app.synth()
            assert walks
            counts.append(len(reached))
        assert counts[0] == counts[1]


class TestOrder:
    def test_a_permission_for_topics_that_is_made_later(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        stack = Stack(app, "Shop", env=HERE)
        topic = sns.Topic(stack, "Topic", tracing_config=sns.TracingConfig.ACTIVE)
        TracedPipeline(stack, "Orders", topic=topic)
        SnsTracePermission(Stack(app, "Account", env=HERE), "Topics")
        assert warnings_of(stack, Check.TOPIC_WITHOUT_PERMISSION) == []

    def test_an_endpoint_for_xray_that_is_made_later_and_elsewhere(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        network, stack = Stack(app, "Network", env=HERE), Stack(app, "Shop", env=HERE)
        vpc = isolated_vpc(network)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(vpc=vpc, vpc_subnets=ISOLATED))
        service = ec2.InterfaceVpcEndpointAwsService.XRAY
        ec2.InterfaceVpcEndpoint(Stack(app, "Endpoints", env=HERE), "XRay", vpc=vpc, service=service)
        assert warnings_of(stack, Check.VPC_WITHOUT_XRAY) == []

    def test_an_endpoint_of_another_vpc(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", worker=WorkerOptions(vpc=isolated_vpc(stack), vpc_subnets=ISOLATED))
        other = ec2.Vpc(stack, "Other", max_azs=1)
        other.add_interface_endpoint("XRay", service=ec2.InterfaceVpcEndpointAwsService.XRAY)
        assert len(warnings_of(stack, Check.VPC_WITHOUT_XRAY)) == 1

    def test_a_logging_role_of_the_account_that_is_set_later(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders")
        # The CDK sets the role beside an API of its own.
        apigateway.RestApi(stack, "Other", cloud_watch_role=True).root.add_method("GET")
        template = synthesize(stack)
        stage = template.resources[template.name_of("AWS::ApiGateway::Stage", "Orders")]
        assert template.name_of("AWS::ApiGateway::Account") in stage["DependsOn"]
        assert not [text for text in shown(stack) if Check.ACCOUNT_LOGGING_ROLE.value in text]


class TestResourcePoliciesOfXRay:
    @pytest.mark.parametrize(
        ("service", "action", "warned"),
        [
            ("sns.amazonaws.com", "xray:PutTraceSegments", 0),
            ("sns.amazonaws.com", "xray:*", 0),
            ("sns.amazonaws.com", "xray:GetSamplingRules", 1),
            ("delivery.logs.amazonaws.com", "xray:PutTraceSegments", 1),
        ],
    )
    def test_for_another_service_does_not_let_a_topic_send(
        self, new_stack: NewStack, service: str, action: str, warned: int
    ) -> None:
        stack = new_stack()
        topic = sns.Topic(stack, "Topic", tracing_config=sns.TracingConfig.ACTIVE)
        TracedPipeline(stack, "Orders", topic=topic)
        let_send(stack, "Policy", service, action)
        assert len(warnings_of(stack, Check.TOPIC_WITHOUT_PERMISSION)) == warned

    def test_for_another_service_counts_towards_the_quota(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders")
        for number in range(4):
            let_send(stack, f"Policy{number}", "delivery.logs.amazonaws.com")
        assert warnings_of(stack, Check.TRACE_PERMISSION_QUOTA) == []
        let_send(stack, "OneMore", "delivery.logs.amazonaws.com")
        (warning,) = warnings_of(stack, Check.TRACE_PERMISSION_QUOTA)
        assert "resource policy 6 of X-Ray" in warning


def test_what_is_refused_at_synthesis_says_where_and_why(new_stack: NewStack) -> None:
    stack = new_stack()

    def refuse() -> None:
        raise PipelineError(Check.OPTION_CONFLICT, "two of them, but one is allowed")

    check_at_synthesis(Construct(stack, "Orders"), refuse)
    with pytest.raises(RuntimeError, match=r"\[Shop/Orders\] two of them.*\[traced-pipeline:option-conflict\]"):
        synthesize(stack)
