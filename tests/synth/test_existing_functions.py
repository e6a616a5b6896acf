"""Functions of hops, existing ones above all: wired where that is possible, warned about where it is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Duration, Environment
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from traced_pipeline import (
    Check,
    FunctionOptions,
    Handler,
    IngestOptions,
    PipelineError,
    QueueWorker,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize, warnings, warnings_of

PLACE = "eu-west-1:222222222222"


class TestFunction:
    def test_gets_what_its_hop_needs(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = make_function(stack, tracing=lambda_.Tracing.ACTIVE)
        orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=mine))
        template = synthesize(stack)
        assert warnings(stack) == []
        assert template.variables("Mine") == {"TOPIC_ARN": {"Ref": template.name_of("AWS::SNS::Topic")}}
        assert template.actions("Mine") >= {"sns:Publish", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
        assert orders.ingest_function.node.path == "Shop/Mine"

    def test_keeps_its_own_variables(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = make_function(stack, environment={"LEVEL": "debug"})
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=mine))
        variables = synthesize(stack).variables("Mine")
        assert variables["LEVEL"] == "debug"
        assert set(variables) == {"LEVEL", "TABLE_NAME", "TRACE_BRIDGE_ENVELOPE"}

    def test_untraced_ingest(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=make_function(stack)))
        (warning,) = warnings(stack)
        assert Check.FUNCTION_NOT_TRACED.value in warning
        assert "function Shop/Mine has tracing mode PassThrough" in warning
        assert "tracing=lambda_.Tracing.ACTIVE" in warning

    def test_alias_is_what_is_called(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = make_function(stack, timeout=Duration.seconds(20))
        alias = lambda_.Alias(stack, "Live", alias_name="live", version=mine.current_version)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=alias))
        template = synthesize(stack)
        called = template.one("AWS::Lambda::EventSourceMapping")["FunctionName"]
        assert called["Fn::Join"][1][-1] == ":live"
        assert template.one("AWS::SQS::Queue", "WorkerQueue")["VisibilityTimeout"] == 120
        assert "dynamodb:PutItem" in template.actions("Mine")

    @pytest.mark.parametrize("hop", ["ingest", "worker"])
    def test_gets_the_bridge(self, new_stack: NewStack, hop: str) -> None:
        stack = new_stack()
        mine = make_function(stack, tracing=lambda_.Tracing.ACTIVE)
        options: dict[str, Any] = {"ingest": IngestOptions, "worker": WorkerOptions}
        TracedPipeline(stack, "Orders", **{hop: options[hop](handler=mine)})
        template = synthesize(stack)
        layer = {"Ref": template.name_of("AWS::Lambda::LayerVersion")}
        assert template.one("AWS::Lambda::Function", "Mine")["Layers"] == [layer]
        assert warnings(stack) == []

    def test_that_has_the_bridge_gets_no_second_one(self, new_stack: NewStack, elsewhere: Path) -> None:
        stack = new_stack()
        options = FunctionOptions(handler=Handler("handlers/orders", "app.handler"))
        mine = TracedFunction(stack, "Mine", options=options).function
        TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=mine)).add_worker(
            "Again", WorkerOptions(handler=mine)
        )
        assert len(synthesize(stack).one("AWS::Lambda::Function", "Mine")["Layers"]) == 1

    @pytest.mark.parametrize("runtime", [lambda_.Runtime.NODEJS_22_X, lambda_.Runtime.PYTHON_3_10])
    def test_for_which_there_is_no_bridge(self, new_stack: NewStack, runtime: lambda_.Runtime) -> None:
        stack = new_stack()
        code = lambda_.Code.from_inline("exports.handler = () => {}")
        mine = lambda_.Function(stack, "Mine", code=code, handler="index.handler", runtime=runtime)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=mine))
        (warning,) = warnings_of(stack, Check.FUNCTION_WITHOUT_BRIDGE)
        assert f"function Shop/Mine ({runtime.name}) cannot be given the bridge's layer" in warning
        assert "Layers" not in synthesize(stack).one("AWS::Lambda::Function", "Mine")

    def test_with_five_layers_of_its_own(self, new_stack: NewStack) -> None:
        stack = new_stack()
        arns = [f"arn:aws:lambda:{PLACE}:layer:mine:{number}" for number in range(5)]
        layers = [lambda_.LayerVersion.from_layer_version_arn(stack, f"L{n}", arn) for n, arn in enumerate(arns)]
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=make_function(stack, layers=layers)))
        assert len(warnings_of(stack, Check.FUNCTION_WITHOUT_BRIDGE)) == 1
        assert synthesize(stack).one("AWS::Lambda::Function", "Mine")["Layers"] == arns

    def test_imported_with_a_role(self, new_stack: NewStack) -> None:
        stack = new_stack()
        role = iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::222222222222:role/mine")
        mine = lambda_.Function.from_function_attributes(
            stack, "Mine", function_arn=f"arn:aws:lambda:{PLACE}:function:mine", role=role, same_environment=True
        )
        options = WorkerOptions(handler=mine, visibility_timeout=Duration.minutes(6))
        TracedPipeline(stack, "Orders", worker=options)
        (warning,) = warnings_of(stack, Check.FUNCTION_NOT_MANAGED)
        assert (
            "cannot be given the variable TABLE_NAME, the bridge's layer, permission to send segments; see" in warning
        )
        policies = synthesize(stack).all("AWS::IAM::Policy").values()
        assert any("dynamodb:PutItem" in str(policy) for policy in policies)

    def test_imported_without_a_role(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = lambda_.Function.from_function_arn(stack, "Mine", f"arn:aws:lambda:{PLACE}:function:mine")
        TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=mine))
        (warning,) = warnings_of(stack, Check.FUNCTION_NOT_MANAGED)
        assert "permission for what the hop does" in warning
        synthesize(stack)

    def test_imported_worker_has_an_unknown_timeout(self, new_stack: NewStack) -> None:
        stack = new_stack()
        mine = lambda_.Function.from_function_arn(stack, "Mine", f"arn:aws:lambda:{PLACE}:function:mine")
        with pytest.raises(PipelineError, match="give visibility_timeout") as caught:
            TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=mine))
        assert caught.value.check is Check.VISIBILITY_UNKNOWN

    def test_imported_from_another_account(self, new_stack: NewStack) -> None:
        stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
        mine = lambda_.Function.from_function_arn(stack, "Mine", f"arn:aws:lambda:{PLACE}:function:mine")
        TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=mine))
        (warning,) = warnings_of(stack, Check.OTHER_ACCOUNT)
        assert "function Shop/Mine belongs to account 222222222222" in warning

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"memory_size": 512, "timeout": Duration.seconds(5)}, "memory_size, timeout given"),
            (
                {"zero_code": True},
                "zero_code given .* by the handler trace_bridge.auto.handler and its own one in TRACE_BRIDGE_HANDLER",
            ),
            ({"tracing": "linked"}, "tracing given"),
        ],
    )
    def test_settings_beside_it(self, new_stack: NewStack, options: dict[str, object], named: str) -> None:
        stack = new_stack()
        worker = WorkerOptions(handler=make_function(stack), **options)  # type: ignore[arg-type]
        with pytest.raises(PipelineError, match=named) as caught:
            TracedPipeline(stack, "Orders", worker=worker)
        assert caught.value.check is Check.OPTION_CONFLICT


def test_key_log_group_and_concurrency_of_a_function(new_stack: NewStack, elsewhere: Path) -> None:
    stack = new_stack()
    group = logs.LogGroup(stack, "Shared")
    options = FunctionOptions(
        handler=Handler(elsewhere),
        log_group=group,
        provisioned_concurrent_executions=2,
        architecture=lambda_.Architecture.X86_64,
    )
    traced = TracedFunction(stack, "Work", options=options)
    template = synthesize(stack)
    assert len(template.all("AWS::Logs::LogGroup")) == 1
    assert template.one("AWS::Lambda::Function")["Architectures"] == ["x86_64"]
    alias = template.one("AWS::Lambda::Alias")
    assert alias["ProvisionedConcurrencyConfig"] == {"ProvisionedConcurrentExecutions": 2}
    assert traced.alias is not None
    assert traced.target.node.path == traced.alias.node.path


def test_settings_beside_a_log_group(new_stack: NewStack, elsewhere: Path) -> None:
    stack = new_stack()
    options = FunctionOptions(
        handler=Handler(elsewhere),
        log_group=logs.LogGroup(stack, "Shared"),
        log_retention=logs.RetentionDays.ONE_WEEK,
    )
    with pytest.raises(PipelineError, match="log_retention given for a log group") as caught:
        TracedFunction(stack, "Work", options=options)
    assert caught.value.check is Check.OPTION_CONFLICT


def test_log_settings_of_an_ingest_hop_are_its_access_logs_too(new_stack: NewStack) -> None:
    stack = new_stack()
    ingest = IngestOptions(log_group=logs.LogGroup(stack, "Shared"), log_retention=logs.RetentionDays.ONE_WEEK)
    TracedPipeline(stack, "Orders", ingest=ingest)
    assert synthesize(stack).one("AWS::Logs::LogGroup", "AccessLogs")["RetentionInDays"] == 7


def test_worker_with_provisioned_concurrency_is_called_by_its_alias(new_stack: NewStack) -> None:
    stack = new_stack()
    topic = TracedTopic(stack, "Topic").topic
    further = TracedTopic(stack, "Further").topic
    worker = QueueWorker(
        stack, "Work", topic=topic, options=WorkerOptions(publish_to=further, provisioned_concurrent_executions=1)
    )
    assert worker.alias is not None
    assert worker.alias.alias_name == "live"
    template = synthesize(stack)
    called = template.one("AWS::Lambda::EventSourceMapping")["FunctionName"]
    assert called["Fn::Join"][1][-1] == ":live"


def test_alias_and_event_source_mapping_are_given_back(new_stack: NewStack) -> None:
    stack = new_stack()
    orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(provisioned_concurrent_executions=1))
    assert orders.ingest.alias is not None
    assert orders.worker.alias is None
    mapping = orders.worker.event_source_mapping.node.default_child
    assert isinstance(mapping, lambda_.CfnEventSourceMapping)
    mapping.enabled = False
    template = synthesize(stack)
    assert template.one("AWS::Lambda::Alias")["Name"] == "live"
    assert template.one("AWS::Lambda::EventSourceMapping")["Enabled"] is False


class TestEnvelope:
    """The bridge takes SNS's envelope off a body only where it is set to."""

    @pytest.mark.parametrize(("raw", "expected"), [(True, None), (False, "sns")])
    def test_a_made_worker_is_set_to(self, new_stack: NewStack, raw: bool, expected: str | None) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", worker=WorkerOptions(raw_message_delivery=raw))
        assert synthesize(stack).variables("WorkerFunction").get("TRACE_BRIDGE_ENVELOPE") == expected

    def test_a_function_behind_two_queues_that_differ_is_warned_of(self, new_stack: NewStack) -> None:
        stack = new_stack()
        topic = TracedTopic(stack, "Topic").topic
        shared = lambda_.Function(
            stack, "Shared", code=lambda_.Code.from_inline("x"), handler="index.x", runtime=lambda_.Runtime.PYTHON_3_13
        )
        QueueWorker(stack, "Raw", topic=topic, options=WorkerOptions(handler=shared))
        QueueWorker(stack, "Wrapped", topic=topic, options=WorkerOptions(handler=shared, raw_message_delivery=False))
        (warning,) = warnings_of(stack, Check.VARIABLE_REPLACED)
        assert "whose variable TRACE_BRIDGE_ENVELOPE this one replaces" in warning


@pytest.mark.parametrize("hop", ["ingest", "worker"])
def test_singleton_function_is_given_what_its_hop_needs(new_stack: NewStack, hop: str) -> None:
    stack = new_stack()
    singleton = lambda_.SingletonFunction(
        stack,
        "Mine",
        uuid="9f5ee2c4",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="index.handler",
        code=lambda_.Code.from_inline("x"),
        tracing=lambda_.Tracing.ACTIVE,
    )
    if hop == "ingest":
        TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=singleton))
    else:
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=singleton))
    assert warnings_of(stack, Check.FUNCTION_NOT_MANAGED) == []
    template = synthesize(stack)
    assert ("TOPIC_ARN" if hop == "ingest" else "TABLE_NAME") in template.variables("SingletonLambda")
    assert template.one("AWS::Lambda::Function", "SingletonLambda")["Layers"]
    assert "xray:PutTraceSegments" in template.actions("SingletonLambda")
