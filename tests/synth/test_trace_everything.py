"""Tracing turned on below a scope that is not made of this library's constructs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from aws_cdk import App, Aspects, CfnResource, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_appsync as appsync
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from aws_cdk.assertions import Annotations, Match
from traced_pipeline import TracedPipeline, TraceEverything, TraceFinding, TraceState

from tests.support.stacks import make_function
from tests.support.templates import Synthesized, synthesize


def legacy_stack(app: App) -> Stack:
    stack = Stack(app, "Legacy")
    make_function(stack, "Plain")
    make_function(stack, "Handing", tracing=lambda_.Tracing.PASS_THROUGH)
    make_function(stack, "Traced", tracing=lambda_.Tracing.ACTIVE)
    apigateway.RestApi(stack, "Api").root.add_method("GET")
    sns.Topic(stack, "One")
    sns.Topic(stack, "Two")
    sqs.Queue(stack, "Queue")
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    dynamodb.TableV2(stack, "Table", partition_key=key)
    apigatewayv2.HttpApi(stack, "Http")
    appsync.CfnGraphQLApi(stack, "Graph", name="graph", authentication_type="API_KEY")
    body = stepfunctions.DefinitionBody.from_chainable(stepfunctions.Pass(stack, "Pass"))
    stepfunctions.StateMachine(stack, "Machine", definition_body=body)
    return stack


Result = tuple[Synthesized, dict[str, TraceFinding], Stack]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Result:
    app = App(outdir=str(tmp_path_factory.mktemp("everything")), context=context)
    tracing = TraceEverything.below(app)
    stack = legacy_stack(app)
    template = synthesize(stack)
    return template, {finding.path: finding for finding in tracing.report}, stack


def test_turns_on_what_can_be_traced(everything: Result) -> None:
    template = everything[0]
    assert template.one("AWS::Lambda::Function", "Plain")["TracingConfig"] == {"Mode": "Active"}
    assert template.one("AWS::ApiGateway::Stage")["TracingEnabled"] is True
    assert {topic["TracingConfig"] for topic in template.all("AWS::SNS::Topic").values()} == {"Active"}
    assert template.one("AWS::AppSync::GraphQLApi")["XrayEnabled"] is True
    assert template.one("AWS::StepFunctions::StateMachine")["TracingConfiguration"] == {"Enabled": True}


def test_gives_the_permissions_with_it(everything: Result) -> None:
    template = everything[0]
    assert template.actions("PlainServiceRole") >= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    assert template.actions("MachineRole") >= {"xray:PutTraceSegments", "xray:GetSamplingTargets"}
    policy = template.name_of("AWS::XRay::ResourcePolicy")
    topics = [r for r in template.resources.values() if r["Type"] == "AWS::SNS::Topic"]
    assert [topic["DependsOn"] for topic in topics] == [[policy], [policy]]


def test_leaves_a_chosen_mode(everything: Result) -> None:
    template, findings, _ = everything
    assert template.one("AWS::Lambda::Function", "Handing")["TracingConfig"] == {"Mode": "PassThrough"}
    assert findings["Legacy/Handing/Resource"].state is TraceState.SKIPPED
    assert "PassThrough is chosen" in findings["Legacy/Handing/Resource"].reason


def test_reports_what_is_on_and_what_was_turned_on(everything: Result) -> None:
    findings = everything[1]
    assert findings["Legacy/Traced/Resource"].state is TraceState.ALREADY_ENABLED
    assert findings["Legacy/Plain/Resource"].state is TraceState.ENABLED
    assert findings["Legacy/One/Resource"].resource_type == "AWS::SNS::Topic"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("Legacy/Http/Resource", "REST APIs only"),
        ("Legacy/Queue/Resource", "propagates the trace header"),
        ("Legacy/Table/Resource", "draws it from its caller's subsegment"),
    ],
)
def test_says_why_the_rest_cannot_be_traced(everything: Result, path: str, reason: str) -> None:
    _, findings, stack = everything
    assert findings[path].state is TraceState.UNSUPPORTED
    assert reason in findings[path].reason
    notes = Annotations.from_stack(stack).find_info(f"/{path}", Match.any_value())
    assert [reason in str(note.entry.data) for note in notes] == [True]


def test_exceptions_by_path_and_type(new_app: Callable[..., App]) -> None:
    app = new_app()
    stack = legacy_stack(app)
    tracing = TraceEverything.below(stack, except_paths=["Legacy/Pl*"], except_types=["AWS::SNS::Topic"])
    template = synthesize(stack)
    assert "TracingConfig" not in template.one("AWS::Lambda::Function", "Plain")
    assert not any("TracingConfig" in topic for topic in template.all("AWS::SNS::Topic").values())
    assert template.all("AWS::XRay::ResourcePolicy") == {}
    assert template.one("AWS::ApiGateway::Stage")["TracingEnabled"] is True
    skipped = {finding.path for finding in tracing.report if finding.reason == "it is excluded"}
    assert skipped == {"Legacy/Plain/Resource", "Legacy/One/Resource", "Legacy/Two/Resource"}


def test_a_type_that_is_never_looked_at_is_warned_of(new_app: Callable[..., App]) -> None:
    app = new_app()
    sns.Topic(Stack(app, "Legacy"), "One")
    kinds = ["AWS::SNS::Topics", "AWS::SNS::Topic", "AWS::Lambda::EventSourceMapping"]
    TraceEverything.below(app, except_types=kinds)
    with pytest.warns(UserWarning, match="except_types of TraceEverything has") as caught:
        app.synth()
    [said] = {str(warning.message) for warning in caught if "except_types" in str(warning.message)}
    assert "'AWS::SNS::Topics', which leaves nothing out" in said
    assert said.endswith("did you mean 'AWS::SNS::Topic'?")


def test_a_path_that_leaves_nothing_out_is_warned_of(new_app: Callable[..., App]) -> None:
    app = new_app()
    legacy_stack(app)
    TraceEverything.below(app, except_paths=["Legacy/Pl*", "Legcay/One/*"])
    with pytest.warns(
        UserWarning, match="except_paths of TraceEverything has 'Legcay/One/\\*', which leaves nothing out"
    ):
        app.synth()


def test_twice_is_as_good_as_once(new_app: Callable[..., App], everything: Result) -> None:
    app = new_app()
    stack = legacy_stack(app)
    TraceEverything.below(app)
    TraceEverything.below(stack)
    Aspects.of(app).add(TraceEverything())
    again = synthesize(stack)
    assert again.all("AWS::IAM::Policy") == everything[0].all("AWS::IAM::Policy")
    assert len(again.all("AWS::XRay::ResourcePolicy")) == 1


def test_changes_nothing_of_our_own(new_app: Callable[..., App], default: Synthesized) -> None:
    app = new_app()
    stack = Stack(app, "Shop")
    TracedPipeline(stack, "Orders")
    TraceEverything.below(app)
    assert synthesize(stack).template == default.template


def test_without_a_permission(new_app: Callable[..., App]) -> None:
    stack = Stack(new_app(), "Legacy")
    sns.Topic(stack, "Topic")
    TraceEverything.below(stack, trace_permission="none")
    template = synthesize(stack)
    assert template.one("AWS::SNS::Topic")["TracingConfig"] == "Active"
    assert template.all("AWS::XRay::ResourcePolicy") == {}


def test_functions_without_a_known_role(new_app: Callable[..., App]) -> None:
    stack = Stack(new_app(), "Legacy")
    role = "arn:aws:iam::111111111111:role/worker"
    settings = {
        "Role": role,
        "Handler": "index.handler",
        "Runtime": "python3.14",
        "Code": {"ZipFile": "handler = print"},
    }
    CfnResource(stack, "Raw", type="AWS::Lambda::Function", properties=settings)
    code = lambda_.CfnFunction.CodeProperty(zip_file="handler = print")
    lambda_.CfnFunction(stack, "Low", code=code, role=role, handler="index.handler", runtime="python3.14")
    tracing = TraceEverything.below(stack)
    synthesize(stack)
    findings = {finding.path: finding for finding in tracing.report}
    assert findings["Legacy/Low"].state is TraceState.ENABLED
    assert "needs xray:PutTraceSegments" in findings["Legacy/Low"].reason
    assert findings["Legacy/Raw"].state is TraceState.SKIPPED
