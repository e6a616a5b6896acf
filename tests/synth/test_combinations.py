"""Pipelines beside, inside and across stacks, and options that meet."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import App, Duration, Environment, NestedStack, Stack, Stage
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from traced_pipeline import (
    Check,
    Handler,
    IngestOptions,
    PipelineError,
    QueueWorker,
    SamplingOptions,
    TableOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import synthesize, warnings, warnings_of

NewApp = Callable[..., App]
PLACE = Environment(account="111111111111", region="eu-west-1")


def two_stacks(app: App) -> tuple[Stack, Stack]:
    return Stack(app, "Shared", env=PLACE), Stack(app, "Shop", env=PLACE)


class TestOtherStacks:
    def test_api(self, new_app: NewApp) -> None:
        shared, shop = two_stacks(new_app())
        api = apigateway.RestApi(shared, "Api", deploy_options=apigateway.StageOptions(tracing_enabled=True))
        orders = TracedPipeline(
            shop, "Orders", ingest=IngestOptions(api=api, path="/orders"), sampling=SamplingOptions(rate=1)
        )
        orders.ingest.add_route("/returns")
        template = synthesize(shared)
        # Whatever belongs to the API is deployed with it.
        assert len(template.all("AWS::ApiGateway::Method")) == 2
        assert len(template.all("AWS::ApiGateway::Model")) == 2
        assert len(template.all("AWS::ApiGateway::RequestValidator")) == 1
        rule = synthesize(shop).one("AWS::XRay::SamplingRule")["SamplingRule"]
        assert rule["ServiceName"] == "Api/prod"
        assert [stack.node.path for stack in shared.dependencies] == ["Shop"]
        assert shop.dependencies == []

    def test_worker_function(self, new_app: NewApp) -> None:
        shared, shop = two_stacks(new_app())
        function = make_function(shared, timeout=Duration.seconds(5))
        TracedPipeline(shop, "Orders", worker=WorkerOptions(handler=function))
        template = synthesize(shared)
        assert len(template.all("AWS::Lambda::EventSourceMapping")) == 1
        assert template.actions("Mine") >= {"xray:PutTraceSegments", "dynamodb:PutItem", "sqs:ReceiveMessage"}
        assert [stack.node.path for stack in shared.dependencies] == ["Shop"]

    def test_ingest_function(self, new_app: NewApp) -> None:
        shared, shop = two_stacks(new_app())
        function = make_function(shared, tracing=lambda_.Tracing.ACTIVE)
        with pytest.raises(PipelineError, match="belongs to stack Shared, API and topic to Shop") as caught:
            TracedPipeline(shop, "Orders", ingest=IngestOptions(handler=function))
        assert caught.value.check is Check.FUNCTION_IN_OTHER_STACK

    def test_ingest_function_beside_the_topic(self, new_app: NewApp) -> None:
        shared, shop = two_stacks(new_app())
        function = make_function(shared, tracing=lambda_.Tracing.ACTIVE)
        topic = TracedTopic(shared, "Topic").topic
        TracedPipeline(shop, "Orders", topic=topic, ingest=IngestOptions(handler=function))
        assert synthesize(shared).variables("Mine").keys() == {"TOPIC_ARN"}
        assert [stack.node.path for stack in shop.dependencies] == ["Shared"]

    def test_worker_function_beside_the_topic(self, new_app: NewApp) -> None:
        shared, shop = two_stacks(new_app())
        topic, function = TracedTopic(shared, "Topic").topic, make_function(shared)
        with pytest.raises(PipelineError, match="the queue between them to Shop") as caught:
            TracedPipeline(shop, "Orders", topic=topic, worker=WorkerOptions(handler=function))
        assert caught.value.check is Check.FUNCTION_IN_OTHER_STACK

    def test_keys(self, new_app: NewApp) -> None:
        shared, shop = two_stacks(new_app())
        names = ("Topic", "Queue", "Table", "Logs")
        keys = {name: kms.Key(shared, f"{name}Key") for name in names}
        TracedPipeline(
            shop,
            "Orders",
            topic=TopicOptions(key=keys["Topic"]),
            worker=WorkerOptions(queue_key=keys["Queue"], log_key=keys["Logs"]),
            ingest=IngestOptions(log_key=keys["Logs"]),
            table=TableOptions(key=keys["Table"]),
        )
        policy = synthesize(shared).one("AWS::KMS::Key", "QueueKey")["KeyPolicy"]
        admitted = [s["Principal"] for s in policy["Statement"] if "Service" in s["Principal"]]
        assert admitted == [{"Service": "sns.amazonaws.com"}]
        assert len({json.dumps(q["KmsMasterKeyId"]) for q in synthesize(shop).all("AWS::SQS::Queue").values()}) == 1
        assert shared.dependencies == []
        assert [stack.node.path for stack in shop.dependencies] == ["Shared"]


def test_one_key_for_everything_makes_no_circle(new_stack: NewStack) -> None:
    stack = new_stack(env=PLACE)
    key = kms.Key(stack, "Key")
    TracedPipeline(
        stack,
        "Orders",
        topic=TopicOptions(key=key),
        worker=WorkerOptions(queue_key=key, log_key=key),
        ingest=IngestOptions(log_key=key),
        table=TableOptions(key=key),
    ).add_worker("Audit", WorkerOptions(queue_key=key))
    template = synthesize(stack)
    arn = {"Fn::GetAtt": [template.name_of("AWS::KMS::Key"), "Arn"]}
    assert all(queue["KmsMasterKeyId"] == arn for queue in template.all("AWS::SQS::Queue").values())
    statements = template.one("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (for_sns,) = [s for s in statements if s["Principal"] == {"Service": "sns.amazonaws.com"}]
    assert for_sns["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert "sns:eu-west-1:111111111111:*" in json.dumps(for_sns["Condition"]["ArnLike"]["aws:SourceArn"])
    assert template.actions("WorkerFunction") >= {"kms:Decrypt"}


def test_nested_stacks_share_the_account_setting(new_stack: NewStack) -> None:
    stack = new_stack()
    nested = [NestedStack(stack, name) for name in ("One", "Two", "Three")]
    for inner in nested[:2]:
        TracedPipeline(inner, "Orders", ingest=IngestOptions(account_logging_role="create"))
    TracedPipeline(nested[2], "Orders", sampling=SamplingOptions(rate=1))
    outer = synthesize(stack)
    account = outer.name_of("AWS::ApiGateway::Account")
    for inner in nested:
        assert synthesize(inner).all("AWS::ApiGateway::Account") == {}
    waiting = [r for r in outer.resources.values() if r["Type"] == "AWS::CloudFormation::Stack"]
    assert all(account in resource["DependsOn"] for resource in waiting)


def test_a_chain_into_a_nested_stack(new_stack: NewStack) -> None:
    stack = new_stack()
    nested = NestedStack(stack, "Shipping")
    topic = TracedTopic(nested, "Shipments").topic
    TracedPipeline(stack, "Orders", worker=WorkerOptions(publish_to=topic))
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    table = dynamodb.TableV2(nested, "Shipped", partition_key=key)
    QueueWorker(nested, "Ship", topic=topic, options=WorkerOptions(table=table))
    assert synthesize(stack).variables("OrdersWorker").keys() == {"TABLE_NAME", "TOPIC_ARN"}


def test_stages_have_names_of_their_own(new_app: NewApp) -> None:
    app = new_app()
    names = set()
    for name in ("dev", "prod"):
        stack = Stack(Stage(app, name), "Shop")
        TracedPipeline(stack, "Orders", sampling=SamplingOptions(rate=1))
        template = synthesize(stack)
        names.add(template.one("AWS::XRay::ResourcePolicy")["PolicyName"])
        names.add(template.one("AWS::XRay::SamplingRule")["SamplingRule"]["RuleName"])
        names.add(template.one("AWS::ApiGateway::RestApi")["Name"])
        assert warnings(stack) == []
    assert names == {f"{stage}-Shop-{part}" for stage in ("dev", "prod") for part in ("Orders", "SnsTracePermission")}


class TestFunctions:
    def test_one_for_two_pipelines(self, new_stack: NewStack) -> None:
        stack = new_stack()
        function = make_function(stack, tracing=lambda_.Tracing.ACTIVE)
        TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=function))
        assert warnings(stack) == []
        TracedPipeline(stack, "Returns", ingest=IngestOptions(handler=function))
        (warning,) = warnings_of(stack, Check.VARIABLE_REPLACED)
        assert "function Shop/Mine works for another hop, whose variable TOPIC_ARN this one replaces" in warning

    def test_one_for_two_workers_of_one_table(self, new_stack: NewStack) -> None:
        stack = new_stack()
        function, topic = make_function(stack), TracedTopic(stack, "More").topic
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=function))
        QueueWorker(stack, "Also", topic=topic, options=WorkerOptions(handler=function, table=orders.table))
        assert warnings(stack) == []
        template = synthesize(stack)
        assert len(template.all("AWS::Lambda::EventSourceMapping")) == 2
        assert len([name for name in template.all("AWS::IAM::Policy") if "TraceBridgeXRay" in name]) == 1

    def test_of_another_account(self, new_stack: NewStack) -> None:
        stack = new_stack(env=PLACE)
        arn = "arn:aws:lambda:eu-west-1:222222222222:function:mine"
        function = lambda_.Function.from_function_arn(stack, "Mine", arn)
        TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=function))
        (warning,) = warnings_of(stack, Check.OTHER_ACCOUNT)
        assert "function Shop/Mine belongs to account 222222222222" in warning

    def test_that_has_executions_reserved(self, new_stack: NewStack) -> None:
        stack = new_stack()
        function = make_function(stack, reserved_concurrent_executions=5)
        TracedPipeline(stack, "Orders", worker=WorkerOptions(handler=function, max_concurrency=6))
        (warning,) = warnings_of(stack, Check.CONCURRENCY_ABOVE_RESERVED)
        assert "max_concurrency is 6, but the function has 5 executions reserved" in warning

    def test_more_kept_warm_than_reserved(self, new_stack: NewStack) -> None:
        options = WorkerOptions(provisioned_concurrent_executions=5, reserved_concurrent_executions=2)
        with pytest.raises(
            PipelineError, match="provisioned_concurrent_executions is 5, but must be at most"
        ) as caught:
            TracedPipeline(new_stack(), "Orders", worker=options)
        assert caught.value.check is Check.OPTION_VALUE

    @pytest.mark.parametrize("warm", [1, 2])
    def test_kept_warm_behind_an_alias_that_is_called(self, new_stack: NewStack, warm: int) -> None:
        stack = new_stack()
        options = {"provisioned_concurrent_executions": warm, "reserved_concurrent_executions": 2}
        TracedPipeline(stack, "Orders", ingest=IngestOptions(**options), worker=WorkerOptions(**options))  # type: ignore[arg-type]
        template = synthesize(stack)
        aliases = template.all("AWS::Lambda::Alias")
        warmed = [alias["ProvisionedConcurrencyConfig"] for alias in aliases.values()]
        assert warmed == [{"ProvisionedConcurrentExecutions": warm}] * 2
        called = json.dumps(template.one("AWS::Lambda::EventSourceMapping")["FunctionName"])
        assert template.name_of("AWS::Lambda::Alias", "Worker") in called
        assert called.endswith('":live"]]}')

    @pytest.mark.parametrize("runtime", [lambda_.Runtime.PYTHON_3_10, lambda_.Runtime.NODEJS_22_X])
    def test_runtime_without_a_bridge(self, new_stack: NewStack, runtime: lambda_.Runtime) -> None:
        with pytest.raises(PipelineError, match=f"runtime is {runtime.name}, but the bridge is for") as caught:
            TracedPipeline(new_stack(), "Orders", worker=WorkerOptions(runtime=runtime))
        assert caught.value.check is Check.OPTION_VALUE


class TestTopics:
    def test_untraced_one_to_publish_to(self, new_stack: NewStack) -> None:
        stack = new_stack()
        TracedPipeline(stack, "Orders", worker=WorkerOptions(publish_to=sns.Topic(stack, "Next")))
        (warning,) = warnings_of(stack, Check.TOPIC_NOT_TRACED)
        assert "topic Shop/Next has tracing PassThrough" in warning

    def test_both_filter_policies(self, new_stack: NewStack) -> None:
        rule = sns.SubscriptionFilter.string_filter(allowlist=["big"])
        options = WorkerOptions(
            filter_policy={"kind": rule}, filter_policy_with_message_body={"kind": sns.FilterOrPolicy.filter(rule)}
        )
        with pytest.raises(PipelineError, match="a subscription filters by the one or the other") as caught:
            TracedPipeline(new_stack(), "Orders", worker=options)
        assert caught.value.check is Check.OPTION_CONFLICT

    @pytest.mark.parametrize(
        ("raw", "field", "warned"), [(False, "amount", True), (False, "Subject", False), (True, "amount", False)]
    )
    def test_filter_criteria_and_the_envelope(self, new_stack: NewStack, raw: bool, field: str, warned: bool) -> None:
        stack = new_stack()
        pattern: Any = lambda_.FilterCriteria.filter({"body": {field: ["x"]}})
        TracedPipeline(stack, "Orders", worker=WorkerOptions(raw_message_delivery=raw, filters=[pattern]))
        assert [("ask for amount in the body" in w) for w in warnings_of(stack, Check.FILTER_ON_ENVELOPE)] == (
            [True] if warned else []
        )


class TestRoutes:
    def test_requests_without_a_body_have_no_schema(self, new_stack: NewStack, elsewhere: object) -> None:
        stack = new_stack()
        handler = Handler("handlers/orders", "app.handler")
        orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(handler=handler, method="GET", path="/orders"))
        orders.ingest.add_route("/orders", method="POST")
        orders.ingest.add_route("/orders", method="DELETE", schema={"type": "object"})
        methods = synthesize(stack).all("AWS::ApiGateway::Method").values()
        assert {m["HttpMethod"]: "RequestModels" in m for m in methods} == {"GET": False, "POST": True, "DELETE": True}

    def test_the_reference_handler_wants_a_body(self, new_stack: NewStack) -> None:
        with pytest.raises(PipelineError, match="the reference handler takes an item from the body") as caught:
            TracedPipeline(new_stack(), "Orders", ingest=IngestOptions(method="get"))
        assert caught.value.check is Check.OPTION_CONFLICT

    def test_an_api_of_a_definition_has_an_address(self, new_stack: NewStack) -> None:
        stack = new_stack()
        definition = apigateway.ApiDefinition.from_inline({"openapi": "3.0.1", "paths": {}})
        traced = apigateway.StageOptions(tracing_enabled=True)
        api = apigateway.SpecRestApi(stack, "Api", api_definition=definition, deploy_options=traced)
        orders = TracedPipeline(stack, "Orders", ingest=IngestOptions(api=api, path="/orders"))
        assert json.dumps(stack.resolve(orders.url)).endswith('"/orders"]]}')
