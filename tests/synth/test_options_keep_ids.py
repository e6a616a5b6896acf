"""Whatever an option says, what keeps data or has an address keeps its logical id, so that an update replaces none."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeAlias

import pytest
from aws_cdk import App, CfnResource, Duration, Environment, RemovalPolicy, Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    ContainerWorkerOptions,
    FunctionOptions,
    Handler,
    IngestOptions,
    Instrumentation,
    SamplingOptions,
    TableOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    TraceGroupOptions,
    WorkerOptions,
)

PLACE = Environment(account="111111111111", region="eu-west-1")
KINDS = {
    "AWS::ApiGateway::RestApi",
    "AWS::DynamoDB::GlobalTable",
    "AWS::ECS::Service",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::SNS::Subscription",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
}
INLINE = lambda_.Code.from_inline("def handler(event, context): ...")
RUSH = lambda_.FilterCriteria.filter({"body": {"priority": ["rush"]}})
BIG = sns.SubscriptionFilter.string_filter(allowlist=["big"])

# These bring a resource of the user's own in the place of one that is made, which is then there no more.
BROUGHT = {"api", "cluster", "dead_letter_queue", "log_group", "queue", "table"}
IMAGE = ecs.ContainerImage.from_registry("registry.example.com/audit:1")
KEY = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
# A number of seconds for which there is nothing else to say.
MINUTE = Duration.minutes(1)


def key(stack: Stack) -> kms.Key:
    return kms.Key(stack, "Key")


def authorizer(stack: Stack) -> apigateway.IAuthorizer:
    pool = cognito.UserPool(stack, "Users")
    return apigateway.CognitoUserPoolsAuthorizer(stack, "ByUser", cognito_user_pools=[pool])


def vpc(stack: Stack) -> ec2.IVpc:
    return ec2.Vpc(stack, "Net", max_azs=1)


def layer(stack: Stack) -> lambda_.ILayerVersion:
    arn = "arn:aws:lambda:eu-west-1:111111111111:layer:tools:1"
    return lambda_.LayerVersion.from_layer_version_arn(stack, "Tools", arn)


OF_FUNCTION: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    "handler": lambda s: {"handler": Handler(INLINE, "index.handler")},
    "memory_size": lambda s: {"memory_size": 512},
    "timeout": lambda s: {"timeout": Duration.seconds(20)},
    "environment": lambda s: {"environment": {"LEVEL": "info"}},
    "environment_encryption": lambda s: {"environment_encryption": key(s)},
    "ephemeral_storage_size": lambda s: {"ephemeral_storage_size": Size.gibibytes(1)},
    "layers": lambda s: {"layers": [layer(s)]},
    "role": lambda s: {"role": iam.Role(s, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))},
    "architecture": lambda s: {"architecture": lambda_.Architecture.X86_64},
    "runtime": lambda s: {"runtime": lambda_.Runtime.PYTHON_3_13},
    "vpc": lambda s: {"vpc": vpc(s)},
    "vpc_subnets": lambda s: {"vpc": vpc(s), "vpc_subnets": ec2.SubnetSelection(one_per_az=True)},
    "security_groups": lambda s: {
        "vpc": (net := vpc(s)),
        "security_groups": [ec2.SecurityGroup(s, "Group", vpc=net)],
    },
    "reserved_concurrent_executions": lambda s: {"reserved_concurrent_executions": 5},
    "provisioned_concurrent_executions": lambda s: {"provisioned_concurrent_executions": 1},
    "snap_start": lambda s: {"snap_start": lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS},
    "live_alias": lambda s: {"live_alias": True},
    "bridge_layer": lambda s: {"bridge_layer": "arn:aws:lambda:eu-west-1:111111111111:layer:trace-bridge:1"},
    "xray_sdk": lambda s: {"xray_sdk": True},
    "instrumentation": lambda s: {"instrumentation": Instrumentation.vendor([layer(s)])},
    "log_retention": lambda s: {"log_retention": logs.RetentionDays.ONE_DAY},
    "log_key": lambda s: {"log_key": key(s)},
    "removal_policy": lambda s: {"removal_policy": RemovalPolicy.DESTROY},
}
OF_INGEST: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    "path": lambda s: {"path": "/orders"},
    "method": lambda s: {"method": "PUT"},
    "schema": lambda s: {"schema": {"type": "object"}},
    "authorizer": lambda s: {"authorizer": "none"},
    "authorization_scopes": lambda s: {"authorizer": authorizer(s), "authorization_scopes": ["orders/write"]},
    "message_group": lambda s: {"message_group": "customer"},
    "api_name": lambda s: {"api_name": "orders"},
    "stage_name": lambda s: {"stage_name": "v1"},
    "throttling_rate_limit": lambda s: {"throttling_rate_limit": 5},
    "throttling_burst_limit": lambda s: {"throttling_burst_limit": 5},
    "account_logging_role": lambda s: {"account_logging_role": "create"},
}
OF_ANY_WORKER: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    "filter_policy": lambda s: {"filter_policy": {"kind": BIG}},
    "filter_policy_with_message_body": lambda s: {
        "filter_policy_with_message_body": {"kind": sns.FilterOrPolicy.filter(BIG)}
    },
    "raw_message_delivery": lambda s: {"raw_message_delivery": False},
    "max_receive_count": lambda s: {"max_receive_count": 7},
    "visibility_timeout": lambda s: {"visibility_timeout": Duration.minutes(5)},
    "queue_key": lambda s: {"queue_key": key(s)},
    "table_actions": lambda s: {"table_actions": ["dynamodb:PutItem", "dynamodb:Query"]},
    "publish_to": lambda s: {"publish_to": TracedTopic(s, "Shipped").topic},
    "message_log": lambda s: {"message_log": True},
    "message_metrics": lambda s: {"message_log": True, "message_metrics": True},
}
OF_WORKER: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    **OF_ANY_WORKER,
    "tracing": lambda s: {"tracing": "linked"},
    "zero_code": lambda s: {"handler": Handler(INLINE, "index.handler"), "zero_code": True},
    "batch_size": lambda s: {"batch_size": 5},
    "max_batching_window": lambda s: {"max_batching_window": MINUTE},
    "max_concurrency": lambda s: {"max_concurrency": 5},
    "minimum_pollers": lambda s: {"minimum_pollers": 5},
    "maximum_pollers": lambda s: {"maximum_pollers": 5},
    "event_source_metrics": lambda s: {"event_source_metrics": True},
    "filters": lambda s: {"filters": [RUSH]},
    "filter_encryption": lambda s: {"filters": [RUSH], "filter_encryption": key(s)},
}
OF_FIFO_WORKER: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    "deduplication_scope": lambda s: {"deduplication_scope": sqs.DeduplicationScope.MESSAGE_GROUP},
    "fifo_throughput_limit": lambda s: {
        "deduplication_scope": sqs.DeduplicationScope.MESSAGE_GROUP,
        "fifo_throughput_limit": sqs.FifoThroughputLimit.PER_MESSAGE_GROUP_ID,
    },
}
OF_CONTAINERS: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    **OF_ANY_WORKER,
    "table_actions": lambda s: {
        "table": dynamodb.Table(s, "Audited", partition_key=KEY),
        "table_actions": ["dynamodb:PutItem"],
    },
    "image": lambda s: {"image": ecs.ContainerImage.from_registry("registry.example.com/audit:2")},
    "command": lambda s: {"command": ["python", "-m", "audit"]},
    "environment": lambda s: {"environment": {"LEVEL": "info"}},
    "cpu": lambda s: {"cpu": 512, "memory_limit_mib": 1024},
    "memory_limit_mib": lambda s: {"memory_limit_mib": 1024},
    "cpu_architecture": lambda s: {"cpu_architecture": "ARM64"},
    "longest_message": lambda s: {"longest_message": MINUTE},
    "stop_timeout": lambda s: {"stop_timeout": MINUTE},
    "min_capacity": lambda s: {"min_capacity": 0},
    "max_capacity": lambda s: {"max_capacity": 30},
    "backlog_per_task": lambda s: {"backlog_per_task": 5},
    "sidecar": lambda s: {"sidecar": "adot-collector"},
    "sidecar_image": lambda s: {"sidecar": "xray-daemon", "sidecar_image": IMAGE},
    "vpc": lambda s: {"vpc": vpc(s)},
    "vpc_subnets": lambda s: {"vpc_subnets": ec2.SubnetSelection(one_per_az=True)},
    "assign_public_ip": lambda s: {
        "assign_public_ip": True,
        "vpc_subnets": ec2.SubnetSelection(subnet_type=ec2.SubnetType.PUBLIC),
    },
    "security_groups": lambda s: {
        "vpc": (net := vpc(s)),
        "security_groups": [ec2.SecurityGroup(s, "Group", vpc=net)],
    },
    "log_retention": lambda s: {"log_retention": logs.RetentionDays.ONE_DAY},
    "log_key": lambda s: {"log_key": key(s)},
    "removal_policy": lambda s: {"removal_policy": RemovalPolicy.DESTROY},
}
OF_PIPELINE: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    "sampling": lambda s: {"sampling": SamplingOptions()},
    "trace_group": lambda s: {"trace_group": TraceGroupOptions()},
    "instrumentation": lambda s: {"instrumentation": Instrumentation.vendor([layer(s)])},
    "dead_letter_alarms": lambda s: {"dead_letter_alarms": False},
    "removal_policy": lambda s: {"removal_policy": RemovalPolicy.DESTROY},
}
OF_TOPIC: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    # FIFO replaces topic and queues in place: CloudFormation does, whatever their ids.
    "fifo": lambda s: {"fifo": True},
    "content_based_deduplication": lambda s: {"fifo": True, "content_based_deduplication": True},
    "fifo_throughput_scope": lambda s: {
        "fifo": True,
        "fifo_throughput_scope": sns.FifoThroughputScope.MESSAGE_GROUP,
    },
    "max_message_size": lambda s: {"max_message_size": 1_048_576},
    "key": lambda s: {"key": key(s)},
    "trace_permission": lambda s: {"trace_permission": "none"},
}
OF_TABLE: Mapping[str, Callable[[Stack], Mapping[str, Any]]] = {
    "key": lambda s: {"key": key(s)},
    "removal_policy": lambda s: {"removal_policy": RemovalPolicy.DESTROY},
}


NewShop: TypeAlias = Callable[[], Stack]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, context: dict[str, object]) -> NewShop:
    """Makes a stack of one name, of which ids are made, in an app of its own; ids need no synthesis."""
    context = {**context, "aws:cdk:disable-asset-staging": True}
    out = str(tmp_path_factory.mktemp("ids"))
    return lambda: Stack(App(outdir=out, context=context), "Shop", env=PLACE)


def ids(pipeline: TracedPipeline) -> dict[str, str]:
    stack = Stack.of(pipeline)
    resources = [node for node in pipeline.node.find_all() if isinstance(node, CfnResource)]
    return {
        str(stack.resolve(resource.logical_id)): resource.cfn_resource_type
        for resource in resources
        if resource.cfn_resource_type in KINDS
    }


@pytest.fixture(scope="module")
def usual(shop: NewShop) -> dict[str, str]:
    made = ids(TracedPipeline(shop(), "Orders"))
    assert set(made.values()) == KINDS - {"AWS::ECS::Service"}
    return made


@pytest.fixture(scope="module")
def with_containers(shop: NewShop, usual: dict[str, str]) -> dict[str, str]:
    orders = TracedPipeline(shop(), "Orders")
    orders.add_container_worker("Audit", ContainerWorkerOptions(image=IMAGE))
    made = ids(orders)
    assert set(made.values()) == KINDS
    assert usual.items() <= made.items()
    return made


def test_every_option_has_a_case() -> None:
    cases = {
        FunctionOptions: {*OF_FUNCTION},
        IngestOptions: {*OF_FUNCTION, *OF_INGEST},
        WorkerOptions: {*OF_FUNCTION, *OF_WORKER, *OF_FIFO_WORKER},
        ContainerWorkerOptions: {*OF_CONTAINERS, *OF_FIFO_WORKER},
        TopicOptions: {*OF_TOPIC},
        TableOptions: {*OF_TABLE},
    }
    for options, named in cases.items():
        assert {field.name for field in fields(options)} - BROUGHT == named, options.__name__
    parts = {"self", "scope", "construct_id", "ingest", "topic", "worker", "table"}
    assert {*inspect.signature(TracedPipeline.__init__).parameters} - parts == {*OF_PIPELINE}


@pytest.mark.parametrize("name", OF_FUNCTION)
def test_of_functions(shop: NewShop, usual: dict[str, str], name: str) -> None:
    stack = shop()
    given = OF_FUNCTION[name](stack)
    made = TracedPipeline(stack, "Orders", ingest=IngestOptions(**given), worker=WorkerOptions(**given))
    assert ids(made) == usual


@pytest.mark.parametrize("name", OF_INGEST)
def test_of_ingest(shop: NewShop, usual: dict[str, str], name: str) -> None:
    stack = shop()
    assert ids(TracedPipeline(stack, "Orders", ingest=IngestOptions(**OF_INGEST[name](stack)))) == usual


@pytest.mark.parametrize("name", [*OF_WORKER, *OF_FIFO_WORKER])
def test_of_workers(shop: NewShop, usual: dict[str, str], name: str) -> None:
    stack = shop()
    worker = WorkerOptions(**{**OF_WORKER, **OF_FIFO_WORKER}[name](stack))
    topic = TopicOptions(fifo=name in OF_FIFO_WORKER)
    assert ids(TracedPipeline(stack, "Orders", topic=topic, worker=worker)) == usual


@pytest.mark.parametrize("name", [*OF_CONTAINERS, *OF_FIFO_WORKER])
def test_of_containers(shop: NewShop, with_containers: dict[str, str], name: str) -> None:
    stack = shop()
    given = {"image": IMAGE, **{**OF_CONTAINERS, **OF_FIFO_WORKER}[name](stack)}
    orders = TracedPipeline(stack, "Orders", topic=TopicOptions(fifo=name in OF_FIFO_WORKER))
    orders.add_container_worker("Audit", ContainerWorkerOptions(**given))
    # Those of the VPC that is made where none is brought.
    flow_logs = {name for name in with_containers if "FlowLogs" in name} if "vpc" in given else set()
    assert ids(orders).keys() == with_containers.keys() - flow_logs


@pytest.mark.parametrize("name", OF_PIPELINE)
def test_of_pipelines(shop: NewShop, usual: dict[str, str], name: str) -> None:
    stack = shop()
    assert ids(TracedPipeline(stack, "Orders", **OF_PIPELINE[name](stack))) == usual


@pytest.mark.parametrize("name", OF_TOPIC)
def test_of_topics(shop: NewShop, usual: dict[str, str], name: str) -> None:
    stack = shop()
    assert ids(TracedPipeline(stack, "Orders", topic=TopicOptions(**OF_TOPIC[name](stack)))) == usual


@pytest.mark.parametrize("name", OF_TABLE)
def test_of_tables(shop: NewShop, usual: dict[str, str], name: str) -> None:
    stack = shop()
    assert ids(TracedPipeline(stack, "Orders", table=TableOptions(**OF_TABLE[name](stack)))) == usual


def test_workers_that_are_added_later(shop: NewShop, usual: dict[str, str]) -> None:
    stack = shop()
    orders = TracedPipeline(stack, "Orders")
    orders.add_worker("Audit")
    orders.worker.add_topic(TracedTopic(stack, "Refunds").topic)
    orders.add_dead_letter_worker("Repair", WorkerOptions(table=orders.table))
    assert usual.items() <= ids(orders).items()
