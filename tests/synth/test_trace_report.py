"""What `TraceEverything` reports, and does, beyond the plain cases."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import aws_cdk
import pytest
from aws_cdk import App, CfnResource, CustomResource, Environment, RemovalPolicy, Stack, custom_resources
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from aws_cdk import aws_synthetics as synthetics
from aws_cdk import cloudformation_include as include
from traced_pipeline import SnsTracePermission, TraceEverything, TraceFinding, TraceState
from traced_pipeline.not_traceable import BY_ITS_APPLICATION, NOT_TRACEABLE

from tests.support.stacks import NewStack, make_function
from tests.support.templates import Synthesized, synthesize

EDGE = Environment(account="111111111111", region="us-east-1")
FOR_SAM_ALONE = {"AWS::Serverless::GraphQLApi", "AWS::Serverless::WebSocketApi"}
TYPES = sorted({*NOT_TRACEABLE, *BY_ITS_APPLICATION})


def reported(stack: Stack) -> tuple[Synthesized, dict[str, TraceFinding]]:
    """The stack's template with everything traced, and the findings by path below the stack."""
    tracing = TraceEverything.below(stack)
    template = synthesize(stack)
    return template, {finding.path.removeprefix(f"{stack.node.path}/"): finding for finding in tracing.report}


class TestActiveTopics:
    def test_get_the_permission_without_which_sns_records_nothing(self, new_stack: NewStack) -> None:
        stack = new_stack()
        sns.Topic(stack, "Topic", tracing_config=sns.TracingConfig.ACTIVE)
        template, findings = reported(stack)
        assert findings["Topic/Resource"].state is TraceState.ENABLED
        assert "nothing let SNS send its segments" in findings["Topic/Resource"].reason
        topic = template.resources[template.name_of("AWS::SNS::Topic")]
        assert topic["DependsOn"] == [template.name_of("AWS::XRay::ResourcePolicy")]

    def test_are_on_where_the_app_lets_sns_send(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        stack = Stack(app, "Shop")
        sns.Topic(stack, "Topic", tracing_config=sns.TracingConfig.ACTIVE)
        SnsTracePermission(Stack(app, "Account"), "Topics")
        template, findings = reported(stack)
        assert findings["Topic/Resource"].state is TraceState.ALREADY_ENABLED
        assert template.all("AWS::XRay::ResourcePolicy") == {}

    def test_are_on_where_the_account_is_said_to_let_sns_send(self, new_stack: NewStack) -> None:
        stack = new_stack()
        sns.Topic(stack, "Topic", tracing_config=sns.TracingConfig.ACTIVE)
        tracing = TraceEverything.below(stack, trace_permission="none")
        assert synthesize(stack).all("AWS::XRay::ResourcePolicy") == {}
        assert [finding.state for finding in tracing.report] == [TraceState.ALREADY_ENABLED]


class TestEdgeFunctions:
    def check(self, stack: Stack, name: str) -> None:
        template, findings = reported(stack)
        assert findings[name].state is TraceState.UNSUPPORTED
        assert "Lambda@Edge, which does not support X-Ray" in findings[name].reason
        assert all("TracingConfig" not in function for function in template.all("AWS::Lambda::Function").values())

    def test_made_as_such(self, new_app: Callable[..., App]) -> None:
        stack = Stack(new_app(), "Shop", env=EDGE)
        runtime, code = lambda_.Runtime.PYTHON_3_13, lambda_.Code.from_inline("handler = print")
        cloudfront.experimental.EdgeFunction(stack, "Edge", runtime=runtime, handler="index.handler", code=code)
        self.check(stack, "Edge/Fn/Resource")

    def test_that_a_distribution_runs(self, new_app: Callable[..., App]) -> None:
        stack = Stack(new_app(), "Shop", env=EDGE)
        edge = cloudfront.EdgeLambda(
            event_type=cloudfront.LambdaEdgeEventType.VIEWER_REQUEST,
            function_version=make_function(stack, "Mine").current_version,
        )
        behavior = cloudfront.BehaviorOptions(origin=origins.HttpOrigin("example.com"), edge_lambdas=[edge])
        cloudfront.Distribution(stack, "Site", default_behavior=behavior)
        self.check(stack, "Mine/Resource")

    def test_of_a_template(self, new_app: Callable[..., App], tmp_path: Path) -> None:
        trust = {"Effect": "Allow", "Principal": {"Service": "edgelambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        resources = {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [trust]}}},
            "Edge": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Code": {"ZipFile": "handler = print"},
                    "Handler": "index.handler",
                    "Runtime": "python3.13",
                },
            },
        }
        stack = Stack(new_app(), "Shop", env=EDGE)
        (tmp_path / "site.json").write_text(json.dumps({"Resources": resources}))
        include.CfnInclude(stack, "Site", template_file=str(tmp_path / "site.json"))
        self.check(stack, "Site/Edge")


class TestImmutableRoles:
    @pytest.fixture(params=["imported", "without updates"])
    def role(self, request: pytest.FixtureRequest, new_stack: NewStack) -> iam.IRole:
        stack = new_stack()
        if request.param == "imported":
            return iam.Role.from_role_arn(stack, "Locked", "arn:aws:iam::111111111111:role/locked", mutable=False)
        role = iam.Role(stack, "Own", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        return role.without_policy_updates()

    def test_of_functions_are_said(self, role: iam.IRole) -> None:
        stack = Stack.of(role)
        lambda_.Function(
            stack,
            "Mine",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline("handler = print"),
            role=role,
        )
        template, findings = reported(stack)
        assert findings["Mine/Resource"].state is TraceState.ENABLED
        assert "is immutable here and needs xray:PutTraceSegments" in findings["Mine/Resource"].reason
        assert template.all("AWS::IAM::Policy") == {}

    def test_of_state_machines_are_said(self, role: iam.IRole) -> None:
        stack = Stack.of(role)
        body = stepfunctions.DefinitionBody.from_chainable(stepfunctions.Pass(stack, "Pass"))
        stepfunctions.StateMachine(stack, "Machine", definition_body=body, role=role)
        assert "is immutable here and needs" in reported(stack)[1]["Machine/Resource"].reason

    def test_an_imported_role_that_can_be_changed_is_changed(self, new_stack: NewStack) -> None:
        stack = new_stack()
        role = iam.Role.from_role_arn(stack, "Open", "arn:aws:iam::111111111111:role/open")
        lambda_.Function(
            stack,
            "Mine",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline("handler = print"),
            role=role,
        )
        template, findings = reported(stack)
        assert findings["Mine/Resource"].reason == ""
        assert template.one("AWS::IAM::Policy")["Roles"] == ["open"]


def test_a_sam_template_is_traced_and_reported(new_stack: NewStack, tmp_path: Path) -> None:
    code = {"CodeUri": "s3://bucket/key", "Handler": "app.handler", "Runtime": "python3.13"}
    definition = {"DefinitionUri": "s3://bucket/key"}
    template = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {
            "Plain": {"Type": "AWS::Serverless::Function", "Properties": code},
            "Off": {"Type": "AWS::Serverless::Function", "Properties": {**code, "Tracing": "Disabled"}},
            "On": {"Type": "AWS::Serverless::Function", "Properties": {**code, "Tracing": "Active"}},
            "Own": {"Type": "AWS::Serverless::Function", "Properties": {**code, "Role": "arn:aws:iam::1:role/mine"}},
            "Api": {"Type": "AWS::Serverless::Api", "Properties": {"StageName": "prod"}},
            "Machine": {"Type": "AWS::Serverless::StateMachine", "Properties": definition},
            "Http": {"Type": "AWS::Serverless::HttpApi", "Properties": {}},
            "Table": {"Type": "AWS::Serverless::SimpleTable"},
            "Other": {"Type": "AWS::Serverless::Application", "Properties": {"Location": "s3://bucket/other"}},
        },
    }
    (tmp_path / "sam.json").write_text(json.dumps(template))
    stack = new_stack()
    include.CfnInclude(stack, "Sam", template_file=str(tmp_path / "sam.json"))
    made, findings = reported(stack)
    assert {path.removeprefix("Sam/"): finding.state for path, finding in findings.items()} == {
        "Plain": TraceState.ENABLED,
        "Off": TraceState.SKIPPED,
        "On": TraceState.ALREADY_ENABLED,
        "Own": TraceState.ENABLED,
        "Api": TraceState.ENABLED,
        "Machine": TraceState.ENABLED,
        "Http": TraceState.UNSUPPORTED,
        "Table": TraceState.UNSUPPORTED,
        "Other": TraceState.SKIPPED,
    }
    assert "its role is not known here" in findings["Sam/Own"].reason
    tracing = {name: r["Properties"].get("Tracing") for name, r in made.resources.items() if "Properties" in r}
    assert (tracing["Plain"], tracing["Off"], tracing["Own"]) == ("Active", "Disabled", "Active")
    assert tracing["Machine"] == {"Enabled": True}
    assert made.resources["Api"]["Properties"]["TracingEnabled"] is True


def test_the_cdks_own_functions_are_told_apart_from_those_that_serve_requests(new_stack: NewStack) -> None:
    stack = new_stack()
    handler = make_function(stack, "Handler")
    provider = custom_resources.Provider(stack, "Provider", on_event_handler=handler)
    CustomResource(stack, "Custom", service_token=provider.service_token)
    bucket = s3.Bucket(stack, "Bucket", auto_delete_objects=True, removal_policy=RemovalPolicy.DESTROY)
    bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SqsDestination(sqs.Queue(stack, "Queue")))
    custom_resources.AwsCustomResource(
        stack,
        "Call",
        on_create=custom_resources.AwsSdkCall(
            service="S3", action="listBuckets", physical_resource_id=custom_resources.PhysicalResourceId.of("x")
        ),
        policy=custom_resources.AwsCustomResourcePolicy.from_sdk_calls(resources=["*"]),
    )
    template, findings = reported(stack)
    functions = {path: found for path, found in findings.items() if found.resource_type == "AWS::Lambda::Function"}
    own = {path for path, found in functions.items() if "the CDK's own provider" in found.reason}
    assert len(own) == 4
    assert set(functions) - own == {"Handler/Resource"}
    assert {functions[path].state for path in own} == {TraceState.SKIPPED}
    traced = [name for name, f in template.all("AWS::Lambda::Function").items() if "TracingConfig" in f]
    assert traced == [template.name_of("AWS::Lambda::Function", "Handler886")]


def test_canaries_are_reported_as_they_are(new_stack: NewStack) -> None:
    stack = new_stack()
    for name, active in (("On", True), ("Off", False)):
        synthetics.CfnCanary(
            stack,
            name,
            name=name.lower(),
            artifact_s3_location="s3://bucket",
            code=synthetics.CfnCanary.CodeProperty(handler="index.handler", script="exports.handler = () => {}"),
            execution_role_arn="arn:aws:iam::111111111111:role/canary",
            runtime_version="syn-nodejs-puppeteer-10.0",
            schedule=synthetics.CfnCanary.ScheduleProperty(expression="rate(1 hour)"),
            run_config=synthetics.CfnCanary.RunConfigProperty(active_tracing=active),
        )
    findings = reported(stack)[1]
    assert (findings["On"].state, findings["Off"].state) == (TraceState.ALREADY_ENABLED, TraceState.SKIPPED)


def test_every_type_that_carries_requests_is_reported_with_its_reason(new_stack: NewStack) -> None:
    stack = new_stack(**{"@aws-cdk/core:validateAgainstDefaultRules": False})  # resources without their properties
    for kind in TYPES:
        CfnResource(stack, kind.replace(":", ""), type=kind)
    findings = {finding.resource_type: finding for finding in reported(stack)[1].values()}
    assert sorted(findings) == TYPES
    assert all(finding.reason for finding in findings.values())
    assert {kind for kind, found in findings.items() if found.state is TraceState.SKIPPED} == set(BY_ITS_APPLICATION)


@pytest.mark.parametrize("kind", sorted(kind for kind in {*TYPES} - FOR_SAM_ALONE if not kind.startswith("Custom::")))
def test_every_type_is_one_that_cloudformation_knows(kind: str) -> None:
    service = {"Serverless": "SAM"}.get(kind.split("::")[1], kind.split("::")[1])
    module = Path(aws_cdk.__file__).parent / f"aws_{service.lower()}" / "__init__.py"
    assert f":cloudformationResource: {kind}\n" in module.read_text(encoding="utf-8")
