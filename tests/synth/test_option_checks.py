"""What cannot be is refused by the construct, with its path, before jsii or the CDK speak in their own words."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, Environment, Stack, Token
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    ContainerWorkerOptions,
    DatadogForwarding,
    FunctionOptions,
    Handler,
    IngestApi,
    IngestOptions,
    QueueWorker,
    SamplingOptions,
    SnsTracePermission,
    TableOptions,
    TopicOptions,
    TracedFunction,
    TracedPipeline,
    TracedTopic,
    TraceGroupOptions,
    WorkerOptions,
)

from tests.support.stacks import NewStack, make_function
from tests.support.templates import refusal, synthesize


def audit(stack: Stack, **options: Any) -> None:
    TracedPipeline(stack, "Orders").add_worker("Audit", WorkerOptions(**options))


def orders(stack: Stack, **options: Any) -> None:
    TracedPipeline(stack, "Orders", ingest=IngestOptions(**options))


def work(stack: Stack, **options: Any) -> None:
    TracedFunction(stack, "Work", options=FunctionOptions(**options))


NEWER_PYTHON = """
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from traced_pipeline import TracedPipeline, WorkerOptions

newer = lambda_.Runtime("python3.15", lambda_.RuntimeFamily.PYTHON)
TracedPipeline(Stack(App(), "Shop"), "Orders", worker=WorkerOptions(runtime=newer))
"""


def test_a_python_newer_than_the_installed_cdk_is_refused() -> None:
    """In a process of its own: a runtime made by name counts as the latest for the rest of a process."""
    ran = subprocess.run([sys.executable, "-c", NEWER_PYTHON], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "runtime is python3.15, but this release of aws-cdk-lib has no Runtime.PYTHON_3_15" in ran.stderr


SECONDS, MILLIS = Duration.seconds, Duration.millis
LONG = WorkerOptions(batch_size=100, max_batching_window=SECONDS(1))

WORKER_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"timeout": 30}, "WorkerOptions.timeout is 30, but must be a Duration or None; give Duration.seconds(30)"),
    ({"timeout": MILLIS(1500)}, "WorkerOptions.timeout is 1500 ms, but must be of whole seconds"),
    ({"timeout": SECONDS(0)}, "WorkerOptions.timeout is 0 s, but must be at least 1 s"),
    ({"runtime": "python3.13"}, "WorkerOptions.runtime is 'python3.13', but must be a Runtime or None"),
    ({"architecture": lambda_.Architecture.custom("riscv")}, "architecture is riscv, but must be arm64 or x86_64"),
    ({"table": "orders"}, "WorkerOptions.table is 'orders', but must be an ITable or None"),
    ({"publish_to": "arn:aws:sns:eu-west-1:111111111111:o"}, "WorkerOptions.publish_to is 'arn:"),
    ({"queue": "jobs"}, "WorkerOptions.queue is 'jobs', but must be an IQueue or None"),
    ({"queue_key": "alias/mine"}, "WorkerOptions.queue_key is 'alias/mine', but must be an IKey or None"),
    ({"handler": "handlers/worker"}, "but must be a Handler, an IFunction or None"),
    ({"handler": Handler(5)}, "Handler.code is 5, but must be"),  # type: ignore[arg-type]
    ({"memory_size": 64}, "WorkerOptions.memory_size is 64, but must be at least 128"),
    ({"memory_size": "256"}, "WorkerOptions.memory_size is '256', but must be an int"),
    ({"memory_size": math.nan}, "WorkerOptions.memory_size is nan, but must be finite"),
    ({"environment": {"LEVEL": 5}}, "WorkerOptions.environment is"),
    ({"environment": {"1ST": "x"}}, "environment has a variable '1ST'"),
    ({"environment": {"": "x"}}, "environment has a variable ''"),
    (
        {"reserved_concurrent_executions": -1},
        "WorkerOptions.reserved_concurrent_executions is -1, but must be at least 0",
    ),
    (
        {"provisioned_concurrent_executions": 0},
        "WorkerOptions.provisioned_concurrent_executions is 0, but must be at least 1",
    ),
    ({"max_concurrency": 0}, "WorkerOptions.max_concurrency is 0, but must be from 2 to 1000"),
    ({"max_concurrency": 1}, "WorkerOptions.max_concurrency is 1, but must be from 2 to 1000"),
    ({"max_concurrency": 1001}, "WorkerOptions.max_concurrency is 1001, but must be from 2 to 1000"),
    ({"batch_size": 100}, "batch_size is 100, but more than 10 need a max_batching_window of at least 1 s"),
    ({"batch_size": 100, "max_batching_window": SECONDS(0)}, "batch_size is 100, but more than 10 need"),
    ({"batch_size": 5.5}, "WorkerOptions.batch_size is 5.5, but must be an int"),
    ({"batch_size": True}, "WorkerOptions.batch_size is True, but must be an int"),
    ({"max_batching_window": SECONDS(301)}, "WorkerOptions.max_batching_window is 301 s, but must be from 0 to 300 s"),
    ({"max_batching_window": MILLIS(10)}, "WorkerOptions.max_batching_window is 10 ms, but must be of whole seconds"),
    (
        {"timeout": Duration.hours(3)},
        "timeout is 10800 s, which makes a visibility timeout of 64800 s, but",
    ),
    ({"filters": [{"pattern": 5}]}, "WorkerOptions.filters holds {'pattern': 5}, but each must be made by"),
    ({"filters": [{"pattern": "{"}]}, "WorkerOptions.filters holds {'pattern': '{'}, but each must be made by"),
    ({"visibility_timeout": Duration.hours(13)}, "is 46800 s, but must be from 0 to 43200 s"),
    ({"zero_code": "yes"}, "WorkerOptions.zero_code is 'yes', but must be a bool"),
    ({"timeout": WorkerOptions()}, "WorkerOptions.timeout is of type WorkerOptions, but must be a Duration or None"),
    ({"filters": {"body": "x"}}, "WorkerOptions.filters is"),
    ({"filters": [{"body": math.inf}]}, "but must be finite"),
    ({"vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC)}, "vpc_subnets given without a vpc"),
    ({"security_groups": []}, "security_groups given without a vpc"),
    ({"handler": Handler("")}, "handler folder '' is the working directory of the app"),
    ({"handler": Handler(Path())}, "handler folder '.' is the working directory of the app"),
    ({"handler": Handler("h.zip")}, "handler folder 'h.zip' is a file; give the folder it was made of"),
]


@pytest.mark.parametrize(("options", "said"), WORKER_REFUSED, ids=[said for _, said in WORKER_REFUSED])
def test_of_a_worker(new_stack: NewStack, elsewhere: Path, options: dict[str, Any], said: str) -> None:
    Path("h.zip").touch()
    text = refusal(lambda: audit(new_stack(), **options))
    assert said in text
    assert " (at Shop/Orders/Audit" in text


INGEST_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"path": "/orders list"}, "path is '/orders list', but its part 'orders list' must be of"),
    ({"path": "/orders//list"}, "path is '/orders//list', but its part '' must be of"),
    ({"path": "/{id"}, "path is '/{id', but its part '{id' must be of"),
    ({"path": "/{proxy+}/more"}, "{proxy+} takes the rest of a path, so nothing may follow it"),
    ({"path": 5}, "IngestOptions.path is 5, but must be a str"),
    ({"method": "FETCH"}, "method is 'FETCH', but must be one of DELETE, GET"),
    ({"method": ""}, "method is '', but must be one of"),
    ({"api_name": "a" * 51}, "IngestOptions.api_name is 51 characters, but must be from 1 to 50 characters"),
    ({"api_name": ""}, "IngestOptions.api_name is 0 characters, but must be from 1 to 50 characters"),
    ({"stage_name": "a" * 129}, "IngestOptions.stage_name is 129 characters, but must be from 1 to 128 characters"),
    ({"stage_name": Token.as_string({"Ref": "Stage"})}, "IngestOptions.stage_name is known at deployment only"),
    ({"stage_name": "pro d"}, "IngestOptions.stage_name is 'pro d', but must be of letters, digits, hyphens and"),
    ({"throttling_rate_limit": math.inf}, "IngestOptions.throttling_rate_limit is inf, but must be finite"),
    ({"throttling_rate_limit": -1}, "IngestOptions.throttling_rate_limit is -1, but must be at least 0"),
    ({"throttling_burst_limit": 1.5}, "IngestOptions.throttling_burst_limit is 1.5, but must be an int"),
    ({"api": "a1"}, "api is of type str, but X-Ray traces no other API"),
    ({"schema": {"type": "objekt"}}, "schema: #/type is 'objekt', but must be one of array, boolean"),
    ({"schema": {"$defs": {}}}, "schema: #/$defs is not a keyword of JSON schema draft 4"),
    ({"schema": {"properties": {"a": {"$ref": "#/definitions/b"}}}}, "schema: #/properties/a/$ref refers to"),
    ({"schema": {"maximum": math.nan}}, "but must be finite"),
    ({"schema": "object"}, "IngestOptions.schema is 'object'"),
]


@pytest.mark.parametrize(("options", "said"), INGEST_REFUSED, ids=[said for _, said in INGEST_REFUSED])
def test_of_an_ingest_api(new_stack: NewStack, options: dict[str, Any], said: str) -> None:
    text = refusal(lambda: orders(new_stack(), **options))
    assert said in text
    assert " (at Shop/Orders/Ingest" in text


PIPELINE_REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"topic": "orders"}, "TracedPipeline(topic=) is 'orders', but must be a TopicOptions, an ITopic or None"),
    ({"topic": TopicOptions(fifo="yes")}, "TopicOptions.fifo is 'yes', but must be a bool"),  # type: ignore[arg-type]
    ({"worker": IngestOptions()}, "TracedPipeline(worker=) is"),
    ({"table": TableOptions(key="alias/mine")}, "TableOptions.key is 'alias/mine'"),  # type: ignore[arg-type]
    ({"removal_policy": "destroy"}, "TracedPipeline(removal_policy=) is 'destroy', but must be a RemovalPolicy"),
    ({"sampling": SamplingOptions(rate=math.nan)}, "SamplingOptions.rate is nan, but must be finite"),
    (
        {"sampling": SamplingOptions(path="/" * 129)},
        "SamplingOptions.path is 129 characters, but must be from 1 to 128",
    ),
    ({"sampling": SamplingOptions(path="orders")}, "sampling path is 'orders', but a request's path begins with /"),
    ({"topic": TopicOptions(content_based_deduplication=False)}, "content_based_deduplication is off for a standard"),
    ({"sampling": SamplingOptions(method="GET,POST,PUT")}, "SamplingOptions.method is 12 characters"),
    ({"trace_group": TraceGroupOptions(filter_expression="")}, "TraceGroupOptions.filter_expression is 0 characters"),
]


@pytest.mark.parametrize(("options", "said"), PIPELINE_REFUSED, ids=[said for _, said in PIPELINE_REFUSED])
def test_of_a_pipeline(new_stack: NewStack, options: dict[str, Any], said: str) -> None:
    text = refusal(lambda: TracedPipeline(new_stack(), "Orders", **options))
    assert said in text
    assert " (at Shop/Orders" in text


FIFO_REFUSED = [
    ({"max_batching_window": SECONDS(1)}, "max_batching_window is 1 s, but Lambda waits for no batch of a FIFO queue"),
    ({"batch_size": 11}, "batch_size is 11, but a FIFO queue gives at most 10"),
]


@pytest.mark.parametrize(("options", "said"), FIFO_REFUSED)
@pytest.mark.parametrize("existing", [False, True])
def test_batches_of_a_fifo_queue(new_stack: NewStack, options: dict[str, Any], said: str, existing: bool) -> None:
    stack = new_stack()
    topic = TracedTopic(stack, "Topic", options=TopicOptions(fifo=True)).topic
    queue = sqs.Queue(stack, "Jobs", fifo=True, visibility_timeout=Duration.minutes(3)) if existing else None
    table = dynamodb.Table.from_table_name(stack, "Table", "orders")
    work = WorkerOptions(queue=queue, table=table, **options)
    assert said in refusal(lambda: QueueWorker(stack, "Audit", topic=topic, options=work))


class TestRoutes:
    def test_two_of_one_path_and_method(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ingest = IngestApi(stack, "Ingest", topic=TracedTopic(stack, "Topic").topic, options=IngestOptions(path="/a/b"))
        ingest.add_route("/a/b", method="PUT")
        assert "path 'a/b/' has a method POST already" in refusal(lambda: ingest.add_route("a/b/", method="post"))

    def test_two_parameters_in_one_place(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ingest = IngestApi(
            stack, "Ingest", topic=TracedTopic(stack, "Topic").topic, options=IngestOptions(path="/{id}")
        )
        text = refusal(lambda: ingest.add_route("/{name}/more"))
        assert "the API has the parameter {id} in the place of {name}" in text

    def test_of_a_path_that_is_no_text(self, new_stack: NewStack) -> None:
        stack = new_stack()
        ingest = IngestApi(stack, "Ingest", topic=TracedTopic(stack, "Topic").topic)
        assert "IngestApi.add_route(path=) is None" in refusal(lambda: ingest.add_route(None))  # type: ignore[arg-type]


def test_a_role_that_the_cdk_has_not_looked_up_yet(new_stack: NewStack) -> None:
    stack = new_stack(env=Environment(account="111111111111", region="eu-west-1"))
    role = iam.Role.from_lookup(stack, "Role", role_name="audit")
    audit(stack, role=role)
    DatadogForwarding(
        stack,
        "Datadog",
        pipeline=TracedPipeline(stack, "Bills"),
        forwarder=make_function(stack),
        env="prod",
        integration_role=role,
    )


class TestNetworks:
    PUBLIC = ec2.SubnetConfiguration(name="out", subnet_type=ec2.SubnetType.PUBLIC)

    def test_public_subnets(self, new_stack: NewStack) -> None:
        stack = new_stack()
        vpc = ec2.Vpc(stack, "Net", nat_gateways=0, max_azs=1, subnet_configuration=[self.PUBLIC])
        assert "vpc_subnets chooses public subnets of Shop/Net" in refusal(lambda: audit(stack, vpc=vpc))

    def test_subnets_that_are_not_there(self, new_stack: NewStack) -> None:
        stack = new_stack()
        vpc = ec2.Vpc(stack, "Net", nat_gateways=0, max_azs=1, subnet_configuration=[self.PUBLIC])
        isolated = ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        text = refusal(lambda: audit(stack, vpc=vpc, vpc_subnets=isolated))
        assert "vpc_subnets chooses no subnets of Shop/Net" in text

    def test_subnets_that_are_imported_by_their_ids(self, new_stack: NewStack) -> None:
        stack = new_stack()
        vpc = ec2.Vpc.from_vpc_attributes(stack, "Net", vpc_id="vpc-0a1b2c3d", availability_zones=["eu-west-1a"])
        mine = ec2.SubnetSelection(subnets=[ec2.Subnet.from_subnet_id(stack, "Mine", "subnet-0a1b2c3d")])
        audit(stack, vpc=vpc, vpc_subnets=mine)
        function = synthesize(stack).one("AWS::Lambda::Function", "OrdersAuditFunction")
        assert function["VpcConfig"]["SubnetIds"] == ["subnet-0a1b2c3d"]

    @pytest.mark.parametrize(
        "selection",
        [
            ec2.SubnetSelection(subnet_group_name="App"),
            ec2.SubnetSelection(availability_zones=["eu-west-1a"]),
            ec2.SubnetSelection(subnet_filters=[ec2.SubnetFilter.by_ids(["subnet-1"])]),
            ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED),
        ],
        ids=["group", "zone", "id", "isolated"],
    )
    def test_subnets_that_the_cdk_has_not_looked_up_yet(self, tmp_path: Path, selection: ec2.SubnetSelection) -> None:
        # Without the flag that has the CDK refuse its own stand-ins for what it has not looked up.
        app = App(outdir=str(tmp_path))
        stack = Stack(app, "Shop", env=Environment(account="111111111111", region="eu-west-1"))
        vpc = ec2.Vpc.from_lookup(stack, "Net", vpc_id="vpc-1")
        image = ecs.ContainerImage.from_registry("registry.example.com/audit:1")
        orders = TracedPipeline(stack, "Orders", worker=WorkerOptions(vpc=vpc, vpc_subnets=selection))
        orders.add_container_worker("Audit", ContainerWorkerOptions(image=image, vpc=vpc, vpc_subnets=selection))
        app.synth()
        asked = json.loads((tmp_path / "manifest.json").read_text())["missing"]
        assert [lookup["props"]["filter"] for lookup in asked] == [{"vpc-id": "vpc-1"}]


def test_a_policy_name_that_xray_does_not_take(new_stack: NewStack) -> None:
    for name in ("a" * 129, "", "a b"):
        assert "SnsTracePermission(policy_name=) is" in refusal(
            lambda name=name: SnsTracePermission(new_stack(), "Topics", policy_name=name)  # type: ignore[misc]
        )


def test_at_the_edges_of_every_range(new_stack: NewStack) -> None:
    stack = new_stack()
    options = WorkerOptions(
        memory_size=128,
        timeout=SECONDS(1),
        reserved_concurrent_executions=2,
        provisioned_concurrent_executions=1,
        max_concurrency=2,
        batch_size=10_000,
        max_batching_window=SECONDS(300),
        max_receive_count=1000,
        visibility_timeout=Duration.hours(12),
    )
    ingest = IngestOptions(path="/a.b:c_d-e$/{id}/{proxy+}", method="any", api_name="a" * 50, stage_name="a" * 13)
    TracedPipeline(
        stack,
        "Orders",
        ingest=ingest,
        worker=options,
        sampling=SamplingOptions(path="/" * 128, method="a" * 10, rate=1, reservoir=0, priority=9999),
    )
    mapping = synthesize(stack).one("AWS::Lambda::EventSourceMapping")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (10_000, 300)


def test_tokens_are_not_judged(new_stack: NewStack) -> None:
    stack = new_stack()
    number = CfnParameter(stack, "Number", type="Number").value_as_number
    text = CfnParameter(stack, "Text").value_as_string
    options: dict[str, Any] = dict.fromkeys(
        ("memory_size", "batch_size", "max_concurrency", "max_receive_count", "reserved_concurrent_executions"), number
    )
    unknown = SECONDS(Token.as_number(number))
    worker = WorkerOptions(max_batching_window=unknown, visibility_timeout=unknown, environment={"A1": text}, **options)
    TracedPipeline(
        stack,
        "Orders",
        worker=worker,
        ingest=IngestOptions(api_name=text, throttling_rate_limit=number),
        sampling=SamplingOptions(path=text, method=text, rate=number),
        trace_group=TraceGroupOptions(filter_expression=text),
    )
    assert synthesize(stack).one("AWS::Lambda::EventSourceMapping")["BatchSize"] == {"Ref": "Number"}


def test_an_existing_api_keeps_the_checks(new_stack: NewStack) -> None:
    stack = new_stack()
    api = apigateway.RestApi(stack, "Api", deploy_options=apigateway.StageOptions(tracing_enabled=True))
    api.root.add_resource("orders").add_method("POST")
    assert "has a method POST already" in refusal(
        lambda: IngestApi(
            stack, "Ingest", topic=sns.Topic(stack, "Topic"), options=IngestOptions(api=api, path="/orders")
        )
    )


@pytest.mark.parametrize(
    ("arguments", "named", "said"),
    [
        (("Work",), {"handler": "x"}, "TracedFunction.__init__() got an unexpected keyword argument 'handler'"),
        (("Work", FunctionOptions()), {}, "TracedFunction.__init__() takes 3 positional arguments but 4 were given"),
        (("Work",), {}, "TracedFunction.__init__() missing 1 required keyword-only argument: 'options'"),
    ],
    ids=["unknown", "by position", "missing"],
)
def test_arguments_that_do_not_fit_are_pythons_own_error(
    new_stack: NewStack, arguments: tuple[Any, ...], named: dict[str, Any], said: str
) -> None:
    with pytest.raises(TypeError, match=re.escape(said)):
        TracedFunction(new_stack(), *arguments, **named)
