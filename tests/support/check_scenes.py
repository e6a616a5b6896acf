"""What the cases of the checks are made of: apps, resources and options, right or not quite."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from aws_cdk import App, BootstraplessSynthesizer, Duration, Environment, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    AccountTracing,
    ContainerWorker,
    ContainerWorkerOptions,
    DatadogForwarding,
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
    layer_content,
)

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
        log_group: bool = False,
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
            log_group=logs.LogGroup(stack, f"{name}Logs") if log_group else None,
        )

    def isolated_vpc(self, *, endpoint: bool) -> ec2.Vpc:
        inside = ec2.SubnetConfiguration(name="inside", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        vpc = ec2.Vpc(self.stack, "Net", nat_gateways=0, max_azs=2, subnet_configuration=[inside])
        if endpoint:
            vpc.add_interface_endpoint("XRay", service=ec2.InterfaceVpcEndpointAwsService.XRAY)
        return vpc


IMAGE = ecs.ContainerImage.from_registry("registry.example.com/audit:1")


def containers(
    scene: Scene,
    *,
    image: str | Path | ecs.ContainerImage | None = IMAGE,
    longest_message: int = 30,
    visibility: int = 600,
    insights: ecs.ContainerInsights = ecs.ContainerInsights.ENABLED,
) -> None:
    cluster = ecs.Cluster(scene.stack, "Mine", container_insights_v2=insights)
    options = ContainerWorkerOptions(
        image=image,
        cluster=cluster,
        longest_message=Duration.seconds(longest_message),
        visibility_timeout=Duration.seconds(visibility),
    )
    ContainerWorker(scene.stack, "Audit", topic=TracedTopic(scene.stack, "Topic").topic, options=options)


def image_folder(scene: Scene, *, dockerfile: bool) -> None:
    if dockerfile:
        (scene.folder / "Dockerfile").write_text("FROM scratch\n")
    containers(scene, image=scene.folder)


def requirements(scene: Scene, *, install: bool) -> None:
    (scene.folder / "requirements.txt").write_text("no-such-wheel @ file:///nowhere/no_such_wheel-1-py3-none-any.whl\n")
    handler = Handler(scene.folder, install_requirements=install)
    TracedFunction(scene.stack, "Work", options=FunctionOptions(handler=handler))


def named_in_project(scene: Scene, *, locked: bool) -> None:
    scene.monkeypatch.setattr(handler_code, "install", lambda *arguments, **options: None)
    (scene.folder / "pyproject.toml").write_text('[project]\nname = "orders"\ndependencies = ["greetings"]\n')
    if locked:
        (scene.folder / "uv.lock").touch()
    TracedFunction(scene.stack, "Work", options=FunctionOptions(handler=Handler(scene.folder)))


def without_packages(scene: Scene) -> None:
    scene.monkeypatch.setattr(layer_content, "find_spec", lambda package: None)
    scene.pipeline()


def queue_of(stack: Stack, *, dead_letters: bool = True, fifo: bool = False) -> sqs.Queue:
    kind = fifo or None
    letters = sqs.DeadLetterQueue(queue=sqs.Queue(stack, "Letters", fifo=kind), max_receive_count=5)
    return sqs.Queue(
        stack,
        "Jobs",
        fifo=kind,
        visibility_timeout=Duration.minutes(3),
        dead_letter_queue=letters if dead_letters else None,
    )


def permissions(scene: Scene, count: int) -> None:
    SnsTracePermission.of(scene.stack)  # of a known account, which counts by itself
    for number in range(count):
        SnsTracePermission.of(scene.stack_beside(f"Beside{number}"))


def account_tracing(scene: Scene, *, region: str) -> None:
    AccountTracing(scene.stack, "Tracing")
    app = scene.stack.node.root
    assert isinstance(app, App)
    AccountTracing(Stack(app, "Account", env=Environment(account=HERE, region=region)), "Tracing")


def forwarding(
    scene: Scene,
    *,
    forwarder: lambda_.Function | None = None,
    ingest: lambda_.IFunction | None = None,
    subscribed: bool = False,
    indexing_percentage: float | None = None,
) -> None:
    """A pipeline whose log lines go to Datadog, on request those of the forwarder too."""
    arn = f"arn:aws:lambda:eu-west-1:{HERE}:function:datadog-forwarder"
    orders = scene.pipeline(ingest=IngestOptions(handler=ingest))
    made = DatadogForwarding(
        scene.stack,
        "Datadog",
        pipeline=orders,
        forwarder=forwarder or lambda_.Function.from_function_arn(scene.stack, "Forwarder", arn),
        env="prod",
    )
    if forwarder is not None and subscribed:
        made.subscribe("Own", forwarder.log_group)
    if indexing_percentage is not None:
        AccountTracing(scene.stack, "Tracing", transaction_search="create", indexing_percentage=indexing_percentage)


def trace_everything(scene: Scene, tracing: sns.TracingConfig) -> None:
    SnsTracePermission.of(sns.Topic(scene.stack, "Mine", tracing_config=tracing))
    TraceEverything.below(scene.stack)
    synthesize(scene.stack)


def queue_arn(account: str, region: str = "eu-west-1") -> str:
    return f"arn:aws:sqs:{region}:{account}:jobs"


def topic_of(scene: Scene, account: str) -> sns.ITopic:
    return sns.Topic.from_topic_arn(scene.stack, "Mine", f"arn:aws:sns:eu-west-1:{account}:mine")


def function_of(scene: Scene, account: str) -> lambda_.IFunction:
    return lambda_.Function.from_function_arn(scene.stack, "Mine", f"arn:aws:lambda:eu-west-1:{account}:function:mine")


def traced_topic(scene: Scene, *, let_in: bool) -> sns.Topic:
    topic = sns.Topic(scene.stack, "Mine", tracing_config=sns.TracingConfig.ACTIVE)
    if let_in:
        SnsTracePermission.of(topic)
    return topic


def imported_key(scene: Scene) -> kms.IKey:
    return kms.Key.from_key_arn(
        scene.stack, "Key", f"arn:aws:kms:eu-west-1:{HERE}:key/01234567-0123-0123-0123-0123456789ab"
    )


def function_with_role(scene: Scene, *, mutable: bool) -> lambda_.Function:
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


def rest_api(scene: Scene, *, traced: bool) -> apigateway.RestApi:
    return apigateway.RestApi(scene.stack, "Mine", deploy_options=apigateway.StageOptions(tracing_enabled=traced))


def route_beside_proxy(scene: Scene, authorization: apigateway.AuthorizationType) -> None:
    api = rest_api(scene, traced=True)
    api.root.add_resource("{proxy+}").add_method("ANY", authorization_type=authorization)
    scene.pipeline(ingest=IngestOptions(api=api, path="/orders"))


def api_of(scene: Scene) -> apigateway.IRestApi:
    return apigateway.RestApi.from_rest_api_attributes(scene.stack, "Mine", rest_api_id="a1", root_resource_id="r1")


def timeouts(*, function: int, queue: int) -> WorkerOptions:
    return WorkerOptions(timeout=Duration.seconds(function), visibility_timeout=Duration.seconds(queue))


def two_workers(scene: Scene, *, topics: int) -> None:
    queue = queue_of(scene.stack)
    made = [TracedTopic(scene.stack, f"Topic{number}").topic for number in range(topics)]
    for name, topic in (("First", made[0]), ("Second", made[-1])):
        options = WorkerOptions(handler=scene.function(name=f"{name}Function"), queue=queue)
        QueueWorker(scene.stack, f"{name}Worker", topic=topic, options=options)


def two_topics_one_queue(scene: Scene, *, functions: int) -> None:
    queue = queue_of(scene.stack)
    for number in range(2):
        topic = TracedTopic(scene.stack, f"Topic{number}").topic
        handler = scene.function(name=f"Function{min(number, functions - 1)}")
        options = WorkerOptions(handler=handler, queue=queue)
        QueueWorker(scene.stack, f"Worker{number}", topic=topic, options=options)


def without_assets(scene: Scene, *, layer: str | None) -> None:
    app = scene.stack.node.root
    assert isinstance(app, App)
    stack = Stack(
        app, "Plain", env=Environment(account=HERE, region="eu-west-1"), synthesizer=BootstraplessSynthesizer()
    )
    sqs.Queue(scene.stack, "Jobs")
    code = lambda_.Code.from_inline("def handler(event, context): ...")
    TracedFunction(stack, "Work", options=FunctionOptions(handler=Handler(code, "index.handler"), bridge_layer=layer))


def mapping(scene: Scene, *, report: bool) -> None:
    function = scene.pipeline(worker=WorkerOptions(handler=Handler(scene.folder))).worker_function
    queue = sqs.Queue(scene.stack, "More", visibility_timeout=Duration.minutes(3))
    function.add_event_source(event_sources.SqsEventSource(queue, report_batch_item_failures=report))


def table_of(scene: Scene, region: str) -> dynamodb.ITable:
    return dynamodb.Table.from_table_arn(scene.stack, "Table", f"arn:aws:dynamodb:{region}:{HERE}:table/orders")


def two_hops(scene: Scene, *, one_function: bool) -> None:
    for name in ("First", "Second"):
        handler = scene.function(name="Mine" if one_function else name)
        table = dynamodb.TableV2(
            scene.stack, f"{name}Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        )
        topic = TracedTopic(scene.stack, f"{name}Topic").topic
        QueueWorker(scene.stack, f"{name}Worker", topic=topic, options=WorkerOptions(handler=handler, table=table))


def filters(*, raw: bool) -> WorkerOptions:
    pattern = lambda_.FilterCriteria.filter({"body": {"amount": lambda_.FilterRule.is_equal(1)}})
    return WorkerOptions(filters=[pattern], raw_message_delivery=raw)


def keyed_table(stack: Stack, key: str) -> dynamodb.Table:
    attribute = dynamodb.Attribute(name=key, type=dynamodb.AttributeType.STRING)
    return dynamodb.Table(stack, "Mine", partition_key=attribute)


def table_with_key(stack: Stack) -> None:
    TracedPipeline(stack, "Orders", table=TableOptions(key=kms.Key(stack, "Key")))


def sized_queue(scene: Scene, size: int) -> sqs.Queue:
    return sqs.Queue(scene.stack, "Failed", max_message_size_bytes=size)


def by_group() -> TopicOptions:
    return TopicOptions(fifo=True, fifo_throughput_scope=sns.FifoThroughputScope.MESSAGE_GROUP)


def durable_function(scene: Scene, *, durable: bool) -> lambda_.Function:
    return lambda_.Function(
        scene.stack,
        "Mine",
        code=lambda_.Code.from_asset(str(scene.folder)),
        handler="app.handler",
        runtime=lambda_.Runtime.PYTHON_3_14,
        durable_config=lambda_.DurableConfig(execution_timeout=Duration.minutes(10)) if durable else None,
    )
