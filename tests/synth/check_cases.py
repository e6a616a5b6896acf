"""For each check: something it speaks about, and the nearest thing it is silent about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from aws_cdk import App, BootstraplessSynthesizer, Duration, Environment, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    FunctionOptions,
    Handler,
    IngestOptions,
    QueueWorker,
    SamplingOptions,
    SnsTracePermission,
    TableOptions,
    TopicOptions,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    TraceEverything,
    WorkerOptions,
    handler_code,
)
from traced_pipeline import layer as layer_module

from tests.support.templates import synthesize

HERE, THERE = "111111111111", "222222222222"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where a case plays: a stack of account `HERE` and a folder that holds `app.py` with `handler`."""

    stack: Stack
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def pipeline(
        self,
        *,
        ingest: IngestOptions | None = None,
        worker: WorkerOptions | None = None,
        topic: TopicOptions | sns.ITopic | None = None,
        table: TableOptions | dynamodb.ITable | None = None,
        sampling: SamplingOptions | None = None,
    ) -> TracedPipeline:
        return TracedPipeline(
            self.stack, "Orders", ingest=ingest, worker=worker, topic=topic, table=table, sampling=sampling
        )

    def stack_beside(self, name: str = "Beside") -> Stack:
        """Another stack of the same app, which knows neither its account nor its Region."""
        app = self.stack.node.root
        assert isinstance(app, App)
        return Stack(app, name)

    def neighbour(self) -> Stack:
        """Another stack of the same app, account and Region."""
        app = self.stack.node.root
        assert isinstance(app, App)
        return Stack(app, "Neighbour", env=Environment(account=self.stack.account, region=self.stack.region))

    def function(
        self,
        tracing: lambda_.Tracing = lambda_.Tracing.ACTIVE,
        runtime: lambda_.Runtime = lambda_.Runtime.PYTHON_3_14,
        *,
        stack: Stack | None = None,
        name: str = "Mine",
    ) -> lambda_.Function:
        stack = stack or self.stack
        made = stack.node.try_find_child(name)
        if isinstance(made, lambda_.Function):
            return made
        return lambda_.Function(
            stack,
            name,
            code=lambda_.Code.from_asset(str(self.folder)),
            handler="app.handler",
            runtime=runtime,
            tracing=tracing,
        )

    def isolated_vpc(self, *, endpoint: bool) -> ec2.Vpc:
        inside = ec2.SubnetConfiguration(name="inside", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        vpc = ec2.Vpc(self.stack, "Net", nat_gateways=0, max_azs=2, subnet_configuration=[inside])
        if endpoint:
            vpc.add_interface_endpoint("XRay", service=ec2.InterfaceVpcEndpointAwsService.XRAY)
        return vpc


@dataclass(frozen=True)
class Case:
    kind: Literal["error", "warning", "note"]
    speaks: Callable[[Scene], object]
    silent: Callable[[Scene], object]


def _requirements(scene: Scene, *, install: bool) -> None:
    (scene.folder / "requirements.txt").write_text("no-such-wheel @ file:///nowhere/no_such_wheel-1-py3-none-any.whl\n")
    handler = Handler(scene.folder, install_requirements=install)
    TracedFunction(scene.stack, "Work", options=FunctionOptions(handler=handler))


def _named_in_project(scene: Scene, *, locked: bool) -> None:
    scene.monkeypatch.setattr(handler_code, "install", lambda *arguments, **options: None)
    (scene.folder / "pyproject.toml").write_text('[project]\nname = "orders"\ndependencies = ["greetings"]\n')
    if locked:
        (scene.folder / "uv.lock").touch()
    TracedFunction(scene.stack, "Work", options=FunctionOptions(handler=Handler(scene.folder)))


def _without_packages(scene: Scene) -> None:
    scene.monkeypatch.setattr(layer_module, "find_spec", lambda package: None)
    scene.pipeline()


def _queue_of(stack: Stack, *, dead_letters: bool = True, fifo: bool = False) -> sqs.Queue:
    kind = fifo or None
    letters = sqs.DeadLetterQueue(queue=sqs.Queue(stack, "Letters", fifo=kind), max_receive_count=5)
    return sqs.Queue(
        stack,
        "Jobs",
        fifo=kind,
        visibility_timeout=Duration.minutes(3),
        dead_letter_queue=letters if dead_letters else None,
    )


def _permissions(scene: Scene, count: int) -> None:
    SnsTracePermission.of(scene.stack)  # of a known account, which counts by itself
    for number in range(count):
        SnsTracePermission.of(scene.stack_beside(f"Beside{number}"))


def _trace_everything(scene: Scene, tracing: sns.TracingConfig) -> None:
    SnsTracePermission.of(sns.Topic(scene.stack, "Mine", tracing_config=tracing))
    TraceEverything.below(scene.stack)
    synthesize(scene.stack)


def _queue_arn(account: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:sqs:{region}:{account}:jobs"


def _topic_of(scene: Scene, account: str) -> sns.ITopic:
    return sns.Topic.from_topic_arn(scene.stack, "Mine", f"arn:aws:sns:eu-west-1:{account}:mine")


def _function_of(scene: Scene, account: str) -> lambda_.IFunction:
    return lambda_.Function.from_function_arn(scene.stack, "Mine", f"arn:aws:lambda:eu-west-1:{account}:function:mine")


def _traced_topic(scene: Scene, *, let_in: bool) -> sns.Topic:
    topic = sns.Topic(scene.stack, "Mine", tracing_config=sns.TracingConfig.ACTIVE)
    if let_in:
        SnsTracePermission.of(topic)
    return topic


def _imported_key(scene: Scene) -> kms.IKey:
    return kms.Key.from_key_arn(
        scene.stack, "Key", f"arn:aws:kms:eu-west-1:{HERE}:key/01234567-0123-0123-0123-0123456789ab"
    )


def _function_with_role(scene: Scene, *, mutable: bool) -> lambda_.Function:
    role = iam.Role.from_role_arn(scene.stack, "Role", f"arn:aws:iam::{HERE}:role/mine", mutable=mutable)
    return lambda_.Function(
        scene.stack,
        "Mine",
        code=lambda_.Code.from_asset(str(scene.folder)),
        handler="app.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        tracing=lambda_.Tracing.ACTIVE,
        role=role,
    )


def _api(scene: Scene, *, traced: bool) -> apigateway.RestApi:
    return apigateway.RestApi(scene.stack, "Mine", deploy_options=apigateway.StageOptions(tracing_enabled=traced))


def _route_beside_proxy(scene: Scene, authorization: apigateway.AuthorizationType) -> None:
    api = _api(scene, traced=True)
    api.root.add_resource("{proxy+}").add_method("ANY", authorization_type=authorization)
    scene.pipeline(ingest=IngestOptions(api=api, path="/orders"))


def _api_of(scene: Scene) -> apigateway.IRestApi:
    return apigateway.RestApi.from_rest_api_attributes(scene.stack, "Mine", rest_api_id="a1", root_resource_id="r1")


def _timeouts(*, function: int, queue: int) -> WorkerOptions:
    return WorkerOptions(timeout=Duration.seconds(function), visibility_timeout=Duration.seconds(queue))


def _two_workers(scene: Scene, *, topics: int) -> None:
    queue = _queue_of(scene.stack)
    made = [TracedTopic(scene.stack, f"Topic{number}").topic for number in range(topics)]
    for name, topic in (("First", made[0]), ("Second", made[-1])):
        options = WorkerOptions(handler=scene.function(name=f"{name}Function"), queue=queue)
        QueueWorker(scene.stack, f"{name}Worker", topic=topic, options=options)


def _two_topics_one_queue(scene: Scene, *, functions: int) -> None:
    queue = _queue_of(scene.stack)
    for number in range(2):
        topic = TracedTopic(scene.stack, f"Topic{number}").topic
        handler = scene.function(name=f"Function{min(number, functions - 1)}")
        options = WorkerOptions(handler=handler, queue=queue)
        QueueWorker(scene.stack, f"Worker{number}", topic=topic, options=options)


def _without_assets(scene: Scene, *, layer: str | None) -> None:
    app = scene.stack.node.root
    assert isinstance(app, App)
    stack = Stack(
        app, "Plain", env=Environment(account=HERE, region="eu-west-1"), synthesizer=BootstraplessSynthesizer()
    )
    sqs.Queue(scene.stack, "Jobs")
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler(code, "index.handler"), bridge_layer=layer))


def _mapping(scene: Scene, *, report: bool) -> None:
    function = scene.pipeline(worker=WorkerOptions(handler=Handler(scene.folder))).worker_function
    queue = sqs.Queue(scene.stack, "More", visibility_timeout=Duration.minutes(3))
    function.add_event_source(event_sources.SqsEventSource(queue, report_batch_item_failures=report))


def _table_of(scene: Scene, region: str) -> dynamodb.ITable:
    return dynamodb.Table.from_table_arn(scene.stack, "Table", f"arn:aws:dynamodb:{region}:{HERE}:table/orders")


def _two_hops(scene: Scene, *, one_function: bool) -> None:
    for name in ("First", "Second"):
        handler = scene.function(name="Mine" if one_function else name)
        table = dynamodb.TableV2(
            scene.stack, f"{name}Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        )
        topic = TracedTopic(scene.stack, f"{name}Topic").topic
        QueueWorker(scene.stack, f"{name}Worker", topic=topic, options=WorkerOptions(handler=handler, table=table))


def _filters(*, raw: bool) -> WorkerOptions:
    pattern = lambda_.FilterCriteria.filter({"body": {"amount": lambda_.FilterRule.is_equal(1)}})
    return WorkerOptions(filters=[pattern], raw_message_delivery=raw)


def _keyed_table(stack: Stack, key: str) -> dynamodb.Table:
    attribute = dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING)
    return dynamodb.Table(stack, "Mine", partition_key=attribute)


def _table_with_key(stack: Stack) -> None:
    TracedPipeline(stack, "Orders", table=TableOptions(key=kms.Key(stack, "Key")))


CASES: dict[Check, Case] = {
    Check.HANDLER_FOLDER: Case(
        "error",
        lambda s: s.pipeline(ingest=IngestOptions(handler=Handler("no/such/folder"))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=Handler(s.folder))),
    ),
    Check.HANDLER_MODULE: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(handler=Handler(s.folder, "main.handler"))),
        lambda s: s.pipeline(worker=WorkerOptions(handler=Handler(s.folder, "app.handler"))),
    ),
    Check.HANDLER_MISSING: Case(
        "error",
        lambda s: TracedFunction(s.stack, "Work", options=FunctionOptions()),
        lambda s: TracedFunction(s.stack, "Work", options=FunctionOptions(handler=Handler(s.folder))),
    ),
    Check.REQUIREMENTS: Case(
        "error",
        lambda s: _requirements(s, install=True),
        lambda s: _requirements(s, install=False),
    ),
    Check.DEPENDENCIES_NOT_LOCKED: Case(
        "warning",
        lambda s: _named_in_project(s, locked=False),
        lambda s: _named_in_project(s, locked=True),
    ),
    Check.LAYER_PACKAGE: Case("error", _without_packages, Scene.pipeline),
    Check.WORKER_DESTINATION: Case(
        "error",
        lambda s: QueueWorker(s.stack, "Work", topic=TracedTopic(s.stack, "Topic").topic),
        lambda s: QueueWorker(
            s.stack,
            "Work",
            topic=TracedTopic(s.stack, "Topic").topic,
            options=WorkerOptions(publish_to=TracedTopic(s.stack, "Next").topic),
        ),
    ),
    Check.OPTION_VALUE: Case(
        "error",
        lambda s: s.pipeline(sampling=SamplingOptions(rate=5)),
        lambda s: s.pipeline(sampling=SamplingOptions(rate=0.5)),
    ),
    Check.OPTION_CONFLICT: Case(
        "error",
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function(), memory_size=512)),
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function())),
    ),
    Check.HTTP_API: Case(
        "error",
        lambda s: s.pipeline(ingest=IngestOptions(api=apigatewayv2.HttpApi(s.stack, "Mine"))),  # type: ignore[arg-type]
        lambda s: s.pipeline(ingest=IngestOptions(api=_api(s, traced=True), path="/orders")),
    ),
    Check.FIFO_MISMATCH: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(queue=_queue_of(s.stack, fifo=True))),
        lambda s: s.pipeline(topic=TopicOptions(fifo=True), worker=WorkerOptions(queue=_queue_of(s.stack, fifo=True))),
    ),
    Check.VISIBILITY_TOO_SHORT: Case(
        "error",
        lambda s: s.pipeline(worker=_timeouts(function=60, queue=59)),
        lambda s: s.pipeline(worker=_timeouts(function=60, queue=60)),
    ),
    Check.VISIBILITY_UNKNOWN: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(handler=_function_of(s, HERE))),
        lambda s: s.pipeline(
            worker=WorkerOptions(handler=_function_of(s, HERE), visibility_timeout=Duration.minutes(3))
        ),
    ),
    Check.QUEUE_IN_OTHER_STACK: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(queue=_queue_of(s.neighbour()))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=_queue_of(s.stack))),
    ),
    Check.TABLE_KEY: Case(
        "error",
        lambda s: s.pipeline(table=_keyed_table(s.stack, "pk")),
        lambda s: s.pipeline(table=_keyed_table(s.stack, "id")),
    ),
    Check.TABLE_KEY_REGION: Case(
        "error",
        lambda s: _table_with_key(s.stack_beside()),
        lambda s: _table_with_key(s.stack),
    ),
    Check.OUT_OF_REACH: Case(
        "error",
        lambda s: s.pipeline(
            worker=WorkerOptions(queue=sqs.Queue.from_queue_arn(s.stack, "Jobs", _queue_arn(HERE, "us-east-1")))
        ),
        lambda s: s.pipeline(worker=WorkerOptions(queue=sqs.Queue.from_queue_arn(s.stack, "Jobs", _queue_arn(HERE)))),
    ),
    Check.DUPLICATE_SUBSCRIPTION: Case(
        "error",
        lambda s: _two_workers(s, topics=1),
        lambda s: _two_workers(s, topics=2),
    ),
    Check.FUNCTION_IN_OTHER_STACK: Case(
        "error",
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function(stack=s.neighbour()))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function())),
    ),
    Check.VARIABLE_REPLACED: Case(
        "warning",
        lambda s: _two_hops(s, one_function=True),
        lambda s: _two_hops(s, one_function=False),
    ),
    Check.FILTER_ON_ENVELOPE: Case(
        "warning",
        lambda s: s.pipeline(worker=_filters(raw=False)),
        lambda s: s.pipeline(worker=_filters(raw=True)),
    ),
    Check.VISIBILITY_BELOW_RECOMMENDED: Case(
        "warning",
        lambda s: s.pipeline(worker=_timeouts(function=60, queue=359)),
        lambda s: s.pipeline(worker=_timeouts(function=60, queue=360)),
    ),
    Check.CONCURRENCY_ABOVE_RESERVED: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(max_concurrency=11, reserved_concurrent_executions=10)),
        lambda s: s.pipeline(worker=WorkerOptions(max_concurrency=10, reserved_concurrent_executions=10)),
    ),
    Check.INGEST_TIMEOUT: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(timeout=Duration.seconds(30))),
        lambda s: s.pipeline(ingest=IngestOptions(timeout=Duration.seconds(29))),
    ),
    Check.ROUTE_TAKES_OVER: Case(
        "warning",
        lambda s: _route_beside_proxy(s, apigateway.AuthorizationType.NONE),
        lambda s: _route_beside_proxy(s, apigateway.AuthorizationType.IAM),
    ),
    Check.FUNCTION_NOT_TRACED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function(lambda_.Tracing.PASS_THROUGH))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function(lambda_.Tracing.ACTIVE))),
    ),
    Check.FUNCTION_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(handler=_function_of(s, HERE))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function())),
    ),
    Check.TOPIC_NOT_TRACED: Case(
        "warning",
        lambda s: s.pipeline(topic=sns.Topic(s.stack, "Mine")),
        lambda s: s.pipeline(topic=_traced_topic(s, let_in=True)),
    ),
    Check.TOPIC_WITHOUT_PERMISSION: Case(
        "warning",
        lambda s: s.pipeline(topic=_traced_topic(s, let_in=False)),
        lambda s: s.pipeline(topic=_traced_topic(s, let_in=True)),
    ),
    Check.ROLE_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(handler=_function_with_role(s, mutable=False))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=_function_with_role(s, mutable=True))),
    ),
    Check.FUNCTION_WITHOUT_BRIDGE: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(handler=s.function(runtime=lambda_.Runtime.NODEJS_22_X))),
        lambda s: s.pipeline(worker=WorkerOptions(handler=s.function())),
    ),
    Check.ORDER_LOST: Case(
        "warning",
        lambda s: s.pipeline(topic=TopicOptions(fifo=True), worker=WorkerOptions(queue=_queue_of(s.stack))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=_queue_of(s.stack))),
    ),
    Check.KEY_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(queue_key=_imported_key(s))),
        lambda s: s.pipeline(worker=WorkerOptions(queue_key=kms.Key(s.stack, "Key"))),
    ),
    Check.TOPIC_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(topic=_topic_of(s, HERE)),
        lambda s: s.pipeline(topic=TracedTopic(s.stack, "Mine").topic),
    ),
    Check.QUEUE_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(queue=sqs.Queue.from_queue_arn(s.stack, "Jobs", _queue_arn(HERE)))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=_queue_of(s.stack))),
    ),
    Check.QUEUE_WITHOUT_DEAD_LETTER_QUEUE: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(queue=_queue_of(s.stack, dead_letters=False))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=_queue_of(s.stack))),
    ),
    Check.API_NOT_TRACED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(api=_api(s, traced=False), path="/orders")),
        lambda s: s.pipeline(ingest=IngestOptions(api=_api(s, traced=True), path="/orders")),
    ),
    Check.API_NOT_DEPLOYED: Case(
        "warning",
        lambda s: s.pipeline(
            ingest=IngestOptions(api=apigateway.RestApi(s.stack, "Mine", deploy=False), path="/orders")
        ),
        lambda s: s.pipeline(ingest=IngestOptions(api=_api_of(s), path="/orders")),
    ),
    Check.API_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(api=_api_of(s), path="/orders")),
        lambda s: s.pipeline(ingest=IngestOptions(api=_api(s, traced=True), path="/orders")),
    ),
    Check.OTHER_ACCOUNT: Case(
        "warning",
        lambda s: s.pipeline(topic=_topic_of(s, THERE)),
        lambda s: s.pipeline(topic=_topic_of(s, HERE)),
    ),
    Check.DUPLICATE_EVENT_SOURCE: Case(
        "error",
        lambda s: _two_topics_one_queue(s, functions=1),
        lambda s: _two_topics_one_queue(s, functions=2),
    ),
    Check.NO_ASSETS: Case(
        "error",
        lambda s: _without_assets(s, layer=None),
        lambda s: _without_assets(s, layer=f"arn:aws:lambda:eu-west-1:{HERE}:layer:trace-bridge:1"),
    ),
    Check.BATCH_FAILURES_IGNORED: Case(
        "warning",
        lambda s: _mapping(s, report=False),
        lambda s: _mapping(s, report=True),
    ),
    Check.OTHER_REGION: Case(
        "warning",
        lambda s: s.pipeline(table=_table_of(s, "us-east-1"), worker=WorkerOptions(handler=s.function())),
        lambda s: s.pipeline(table=_table_of(s, "eu-west-1"), worker=WorkerOptions(handler=s.function())),
    ),
    Check.VPC_WITHOUT_XRAY: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(vpc=s.isolated_vpc(endpoint=False))),
        lambda s: s.pipeline(worker=WorkerOptions(vpc=s.isolated_vpc(endpoint=True))),
    ),
    Check.TRACE_PERMISSION_QUOTA: Case(
        "warning",
        lambda s: _permissions(s, 6),
        lambda s: _permissions(s, 5),
    ),
    Check.ACCOUNT_LOGGING_ROLE: Case(
        "note",
        Scene.pipeline,
        lambda s: s.pipeline(ingest=IngestOptions(account_logging_role="create")),
    ),
    Check.TRACE_EVERYTHING: Case(
        "note",
        lambda s: _trace_everything(s, sns.TracingConfig.PASS_THROUGH),
        lambda s: _trace_everything(s, sns.TracingConfig.ACTIVE),
    ),
}
