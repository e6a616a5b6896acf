"""Consumers of SQS in each form that an app can have them in, given the bridge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import jsii
import pytest
from aws_cdk import App, Aspects, CfnResource, IAspect, Mixins, NestedStack, Stack, Tags
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from aws_cdk import cloudformation_include as include
from constructs import IConstruct
from traced_pipeline import BridgeState, TraceEverything, TraceFinding

from tests.support.consumers import consumer, low_level_consumer, packaged
from tests.support.stacks import NewStack
from tests.support.templates import Synthesized, synthesize

AUTO = "trace_bridge.auto.handler"
QUEUE = "arn:aws:sqs:eu-west-1:111111111111:jobs"
CHECKPOINT, GET_EXECUTION = "lambda:CheckpointDurableExecution", "lambda:GetDurableExecution"
DURABLE_POLICY = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicDurableExecutionRolePolicy"


def bridged(stack: Stack) -> tuple[Synthesized, dict[str, TraceFinding]]:
    """The stack's template, and the findings about consumers by path below the stack."""
    tracing = TraceEverything.below(stack, bridge=True)
    template = synthesize(stack)
    return template, {f.path.removeprefix(f"{stack.node.path}/"): f for f in tracing.report if f.bridge}


Forms = tuple[Synthesized, dict[str, TraceFinding]]


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> Forms:
    stack = Stack(App(outdir=str(tmp_path_factory.mktemp("forms")), context=context), "Shop")
    low_level_consumer(stack, "Low", environment=lambda_.CfnFunction.EnvironmentProperty(variables={"STAGE": "b"}))
    imported = sqs.Queue.from_queue_arn(stack, "ImportedQueue", QUEUE)
    packaged(stack, "Imported").add_event_source(event_sources.SqsEventSource(imported))
    lambda_.EventSourceMapping(stack, "Explicit", target=packaged(stack, "Mapped"), event_source_arn=QUEUE)
    alias = packaged(stack, "Published").add_alias("live")
    lambda_.EventSourceMapping(stack, "OfAlias", target=alias, event_source_arn=QUEUE)
    packaged(stack, "Called", function_name="called")
    lambda_.CfnEventSourceMapping(stack, "ByName", function_name="called", event_source_arn=QUEUE)
    packaged(stack, "Located", function_name="located")
    arn = "arn:aws:lambda:eu-west-1:111111111111:function:located"
    lambda_.CfnEventSourceMapping(stack, "ByArn", function_name=arn, event_source_arn=QUEUE)
    plain = {"FunctionName": packaged(stack, "Plain").function_name, "EventSourceArn": QUEUE}
    CfnResource(stack, "PlainMapping", type="AWS::Lambda::EventSourceMapping", properties=plain)
    bucket = s3.Bucket.from_bucket_name(stack, "SingleCode", "code")
    single = lambda_.SingletonFunction(
        stack,
        "Single",
        uuid="9f8a4b1e",
        code=lambda_.Code.from_bucket_v2(bucket, "app.zip", object_version="1"),
        handler="app.handler",
        runtime=lambda_.Runtime.PYTHON_3_12,
    )
    single.add_event_source(event_sources.SqsEventSource(sqs.Queue(stack, "SingleQueue")))
    return bridged(stack)


FORMS = ["Low", "Imported", "Mapped", "Published", "Called", "Located", "Plain", "Single"]


@pytest.mark.parametrize("name", FORMS)
def test_is_bridged(forms: Forms, name: str) -> None:
    template, findings = forms
    function = template.one("AWS::Lambda::Function", name)
    assert function["Handler"] == AUTO
    assert function["Environment"]["Variables"]["TRACE_BRIDGE_HANDLER"] == "app.handler"
    assert function["Layers"] == [{"Ref": template.name_of("AWS::Lambda::LayerVersion")}]
    assert template.actions(f"{name}") >= {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
    (finding,) = [finding for path, finding in findings.items() if path.startswith(name)]
    assert (finding.bridge, finding.reason) == (BridgeState.CONTINUED, "")
    assert function["TracingConfig"] == {"Mode": "PassThrough"}


def test_every_mapping_reports_failures(forms: Forms) -> None:
    template, findings = forms
    mappings = template.all("AWS::Lambda::EventSourceMapping")
    assert len(mappings) == len(findings) == len(FORMS)
    assert {tuple(mapping["FunctionResponseTypes"]) for mapping in mappings.values()} == {("ReportBatchItemFailures",)}


def test_variables_that_are_there_stay(forms: Forms) -> None:
    assert forms[0].variables("Low")["STAGE"] == "b"


def test_a_name_is_that_of_the_function_that_has_it(new_stack: NewStack) -> None:
    stack = new_stack()
    # What a deployment calls this one is not known at all.
    packaged(NestedStack(stack, "Nested"), "Other")
    packaged(stack, "Called", function_name="called")
    lambda_.CfnEventSourceMapping(stack, "ByName", function_name="called", event_source_arn=QUEUE)
    template, findings = bridged(stack)
    assert {path: finding.bridge for path, finding in findings.items()} == {"Called/Resource": BridgeState.CONTINUED}
    assert template.one("AWS::Lambda::Function")["Handler"] == AUTO


def test_a_version_that_an_alias_names_is_published_anew(new_app: Callable[..., App]) -> None:
    def version(*, bridge: bool) -> str:
        stack = Stack(new_app(), "Shop")
        alias = packaged(stack, "Worker").add_alias("live")
        lambda_.EventSourceMapping(stack, "Mapping", target=alias, event_source_arn=QUEUE)
        TraceEverything.below(stack, bridge=bridge)
        return synthesize(stack).name_of("AWS::Lambda::Version")

    assert version(bridge=True) != version(bridge=False)


@pytest.mark.parametrize(
    ("variables", "off"),
    [
        ({"TRACE_BRIDGE_HANDLER": "app.handler", "TRACE_BRIDGE_ENABLED": "No"}, "TRACE_BRIDGE_ENABLED"),
        ({"TRACE_BRIDGE_HANDLER": "app.handler", "AWS_XRAY_SDK_ENABLED": "false"}, "AWS_XRAY_SDK_ENABLED"),
    ],
)
def test_one_set_up_by_hand_and_turned_off_is_traced_as_any_other(
    new_stack: NewStack, variables: dict[str, str], off: str
) -> None:
    stack = new_stack()
    consumer(stack, "ByHand", handler=AUTO, environment=variables)
    template, findings = bridged(stack)
    (finding,) = findings.values()
    assert finding.bridge is BridgeState.UNBRIDGED
    assert finding.reason.startswith(f"not bridged: its variable {off} turns the bridge off")
    assert template.one("AWS::Lambda::Function", "ByHand")["TracingConfig"] == {"Mode": "Active"}
    # Turned off, the handler still answers with the failed messages.
    mapping = template.one("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_one_set_up_by_hand_is_completed(new_stack: NewStack) -> None:
    stack = new_stack()
    variables = {"TRACE_BRIDGE_HANDLER": "app.handler"}
    consumer(stack, "ByHand", handler=AUTO, environment=variables)
    consumer(stack, "Linked", handler=AUTO, environment=variables, tracing=lambda_.Tracing.ACTIVE)
    template, findings = bridged(stack)
    assert {finding.bridge for finding in findings.values()} == {BridgeState.ALREADY_BRIDGED}
    by_hand, linked = (template.one("AWS::Lambda::Function", name) for name in ("ByHand", "Linked"))
    assert (by_hand["TracingConfig"], linked["TracingConfig"]) == ({"Mode": "PassThrough"}, {"Mode": "Active"})
    assert "Layers" not in by_hand
    mappings = template.all("AWS::Lambda::EventSourceMapping").values()
    assert [mapping["FunctionResponseTypes"] for mapping in mappings] == [["ReportBatchItemFailures"]] * 2


class TestTemplates:
    """Templates that `CfnInclude` reads."""

    def test_of_cloudformation(self, new_stack: NewStack, tmp_path: Path) -> None:
        assumes = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        worker = {
            "Handler": "app.handler",
            "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"S3Bucket": "code", "S3Key": "app.zip"},
            "Layers": ["arn:aws:lambda:eu-west-1:111111111111:layer:mine:1"],
        }
        mapping = {"FunctionName": {"Fn::Sub": "${Worker}"}, "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]}}
        resources = {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Statement": [assumes]}}},
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Worker": {"Type": "AWS::Lambda::Function", "Properties": worker},
            "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": mapping},
        }
        stack = new_stack()
        _include(stack, tmp_path, {"Resources": resources})
        template, findings = bridged(stack)
        assert findings["Legacy/Worker"].bridge is BridgeState.CONTINUED
        assert template.one("AWS::Lambda::Function")["Handler"] == AUTO
        assert template.one("AWS::Lambda::Function")["Layers"][0].endswith("layer:mine:1")
        assert set(resources) <= set(template.resources)
        assert template.actions("Role") == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}

    def test_of_sam(self, new_stack: NewStack, tmp_path: Path) -> None:
        code = {"CodeUri": "s3://bucket/key", "Handler": "app.handler", "Runtime": "python3.13"}
        on_queue = {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}, "BatchSize": 5}}
        on_api = {"Type": "Api", "Properties": {"Path": "/", "Method": "post"}}
        variables = {"Variables": {"STAGE": {"Ref": "Queue"}}}
        functions: dict[str, dict[str, object]] = {
            "Alone": {**code, "Environment": variables, "Events": {"Jobs": on_queue}},
            "Both": {**code, "Tracing": "Active", "Events": {"Jobs": on_queue, "Post": on_api}},
            "WithUrl": {**code, "FunctionUrlConfig": {"AuthType": "NONE"}, "Events": {"Jobs": on_queue}},
            "Global": {"CodeUri": "s3://bucket/key", "Events": {"Jobs": on_queue}},
            "Inline": {**code, "CodeUri": None, "InlineCode": "x", "Events": {"Jobs": on_queue}},
            "Disabled": {**code, "Tracing": "Disabled", "Events": {"Jobs": on_queue}},
            "Durable": {
                **code,
                "DurableConfig": {"ExecutionTimeout": 60},
                "Policies": [{"Statement": {"Effect": "Allow", "Action": [CHECKPOINT], "Resource": "*"}}],
                "Events": {"Jobs": on_queue},
            },
            "Checkpoints": {**code, "Policies": [DURABLE_POLICY], "Events": {"Jobs": on_queue}},
            "Invokes": {
                **code,
                "Policies": [{"Statement": {"Effect": "Allow", "Action": GET_EXECUTION, "Resource": "*"}}],
                "Events": {"Jobs": on_queue},
            },
            "Plain": {**code, "Events": {"Post": on_api}},
        }
        resources: dict[str, object] = {
            name: {"Type": "AWS::Serverless::Function", "Properties": {k: v for k, v in f.items() if v is not None}}
            for name, f in functions.items()
        }
        resources["Queue"] = {"Type": "AWS::SQS::Queue"}
        stack = new_stack()
        defaults = {"Function": {"Handler": "app.handler", "Runtime": "python3.13"}}
        sam = {"Transform": "AWS::Serverless-2016-10-31", "Globals": defaults, "Resources": resources}
        _include(stack, tmp_path, sam)
        template, findings = bridged(stack)
        assert {path.removeprefix("Legacy/"): finding.bridge for path, finding in findings.items()} == {
            "Alone": BridgeState.CONTINUED,
            "Both": BridgeState.LINKED,
            "WithUrl": BridgeState.LINKED,
            "Global": BridgeState.UNBRIDGED,
            "Inline": BridgeState.UNBRIDGED,
            "Disabled": BridgeState.UNBRIDGED,
            "Durable": BridgeState.UNBRIDGED,
            "Checkpoints": BridgeState.UNBRIDGED,
            "Invokes": BridgeState.CONTINUED,
        }
        assert "its runtime is not stated where the function is" in findings["Legacy/Global"].reason
        for name in ("Durable", "Checkpoints"):
            assert "it is a durable function" in findings[f"Legacy/{name}"].reason
        assert "Disabled is chosen" in findings["Legacy/Disabled"].reason
        alone = template.resources["Alone"]["Properties"]
        assert (alone["Handler"], alone["Tracing"]) == (AUTO, "PassThrough")
        assert alone["Environment"]["Variables"] == {"STAGE": {"Ref": "Queue"}, "TRACE_BRIDGE_HANDLER": "app.handler"}
        assert alone["Events"]["Jobs"]["Properties"] == {
            **on_queue["Properties"],  # type: ignore[dict-item]
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        }
        assert alone["Layers"] == [{"Ref": template.name_of("AWS::Lambda::LayerVersion")}]
        assert template.resources["Both"]["Properties"]["Tracing"] == "Active"

    def test_of_sam_that_other_parts_of_it_call(self, new_stack: NewStack, tmp_path: Path) -> None:
        code = {"CodeUri": "s3://bucket/key", "Handler": "app.handler", "Runtime": "python3.13"}
        on_queue = {"Type": "SQS", "Properties": {"Queue": {"Fn::GetAtt": ["Queue", "Arn"]}}}
        names = ("Destination", "Authorizer", "Defined")
        arns = {name: {"Fn::GetAtt": [name, "Arn"]} for name in names}
        invoke = {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/functions/${Defined.Arn}/invocations"}
        integration = {"x-amazon-apigateway-integration": {"type": "aws_proxy", "httpMethod": "POST", "uri": invoke}}
        failed = {"Type": "SQS", "Destination": {"Fn::GetAtt": ["Queue", "Arn"]}}
        destinations = {"OnSuccess": {"Type": "Lambda", "Destination": arns["Destination"]}, "OnFailure": failed}
        calling: dict[str, tuple[str, dict[str, object]]] = {
            "Sender": ("Function", {**code, "EventInvokeConfig": {"DestinationConfig": destinations}}),
            "Guarded": (
                "Api",
                {"StageName": "prod", "Auth": {"Authorizers": {"A": {"FunctionArn": arns["Authorizer"]}}}},
            ),
            "Document": ("HttpApi", {"DefinitionBody": {"openapi": "3.0.1", "paths": {"/": {"get": integration}}}}),
            **{name: ("Function", {**code, "Events": {"Jobs": on_queue}}) for name in (*names, "Alone")},
        }
        resources: dict[str, object] = {
            name: {"Type": f"AWS::Serverless::{kind}", "Properties": properties}
            for name, (kind, properties) in calling.items()
        }
        resources["Queue"] = {"Type": "AWS::SQS::Queue"}
        stack = new_stack()
        _include(stack, tmp_path, {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})
        _, findings = bridged(stack)
        assert {path.removeprefix("Legacy/"): finding.bridge for path, finding in findings.items()} == {
            **dict.fromkeys(names, BridgeState.LINKED),
            "Alone": BridgeState.CONTINUED,
        }


def _include(stack: Stack, folder: Path, template: object) -> None:
    (folder / "legacy.json").write_text(json.dumps(template))
    include.CfnInclude(stack, "Legacy", template_file=str(folder / "legacy.json"))


class TestBesideOthers:
    """Among the app's other aspects, and as a mixin."""

    @jsii.implements(IAspect)
    class Adding:
        """An aspect of the user's own, which gives a function a queue at synthesis."""

        def __init__(self, function: lambda_.Function) -> None:
            self._function = function

        def visit(self, node: IConstruct) -> None:
            if node is self._function and node.node.try_find_child("Late") is None:
                lambda_.EventSourceMapping(self._function, "Late", target=self._function, event_source_arn=QUEUE)

    def test_a_mapping_that_an_aspect_adds(self, new_app: Callable[..., App]) -> None:
        stack = Stack(new_app(), "Shop")
        worker = packaged(stack, "Worker")
        consumer(stack, "Other")
        tracing = TraceEverything.below(stack, bridge=True)
        Aspects.of(worker).add(self.Adding(worker))
        template = synthesize(stack)
        assert template.one("AWS::Lambda::Function", "Worker")["Handler"] == AUTO
        assert template.one("AWS::Lambda::EventSourceMapping", "Late")["FunctionResponseTypes"]
        (finding,) = [finding for finding in tracing.report if finding.path == "Shop/Worker/Resource"]
        assert finding.bridge is BridgeState.CONTINUED

    def test_tags_reach_all_that_take_them(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        stack = Stack(app, "Shop")
        consumer(stack, "Worker")
        TraceEverything.below(app, bridge=True)
        Tags.of(app).add("team", "orders")
        template = synthesize(stack)
        worker = template.one("AWS::Lambda::Function", "Worker")
        assert (worker["Handler"], worker["Tags"]) == (AUTO, [{"Key": "team", "Value": "orders"}])

    def test_as_a_mixin_it_works_at_once(self, new_app: Callable[..., App]) -> None:
        app = new_app()
        stack = Stack(app, "Shop")
        consumer(stack, "Worker")
        tracing = TraceEverything(bridge=True)
        Mixins.of(app).apply(tracing)
        (finding,) = [finding for finding in tracing.report if finding.bridge]
        assert finding.bridge is BridgeState.CONTINUED
        later = consumer(stack, "Later")
        template = synthesize(stack)
        assert template.one("AWS::Lambda::Function", "Worker")["Handler"] == AUTO
        assert template.one("AWS::Lambda::Function", later.node.id)["Handler"] == "app.handler"
