"""For each check: something it speaks about, and the nearest thing it is silent about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    Check,
    FunctionOptions,
    Handler,
    IngestOptions,
    Instrumentation,
    QueueWorker,
    SamplingOptions,
    TopicOptions,
    TracedFunction,
    TracedTopic,
    WorkerOptions,
)

from .check_scenes import (
    HERE,
    THERE,
    Scene,
    account_tracing,
    api_of,
    by_group,
    containers,
    durable_function,
    filters,
    forwarding,
    function_of,
    function_with_role,
    image_folder,
    imported_key,
    keyed_table,
    mapping,
    named_in_project,
    permissions,
    queue_arn,
    queue_of,
    requirements,
    rest_api,
    route_beside_proxy,
    sized_queue,
    table_of,
    table_with_key,
    timeouts,
    topic_of,
    trace_everything,
    traced_topic,
    two_hops,
    two_topics_one_queue,
    two_workers,
    without_assets,
    without_packages,
)

ADOT = "arn:aws:lambda:eu-west-1:615299751070:layer:AWSOpenTelemetryDistroPython:16"


@dataclass(frozen=True)
class Case:
    kind: Literal["error", "warning", "note"]
    speaks: Callable[[Scene], object]
    silent: Callable[[Scene], object]


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
    Check.IMAGE_MISSING: Case("error", lambda s: containers(s, image=None), containers),
    Check.IMAGE_FOLDER: Case(
        "error",
        lambda s: image_folder(s, dockerfile=False),
        lambda s: image_folder(s, dockerfile=True),
    ),
    Check.REQUIREMENTS: Case(
        "error",
        lambda s: requirements(s, install=True),
        lambda s: requirements(s, install=False),
    ),
    Check.DEPENDENCIES_NOT_LOCKED: Case(
        "warning",
        lambda s: named_in_project(s, locked=False),
        lambda s: named_in_project(s, locked=True),
    ),
    Check.LAYER_PACKAGE: Case("error", without_packages, Scene.pipeline),
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
    Check.INSTRUMENTATION_NEEDS_ACTIVE: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(tracing="continued", instrumentation=Instrumentation.adot(ADOT))),
        lambda s: s.pipeline(worker=WorkerOptions(instrumentation=Instrumentation.adot(ADOT))),
    ),
    Check.HTTP_API: Case(
        "error",
        lambda s: s.pipeline(ingest=IngestOptions(api=apigatewayv2.HttpApi(s.stack, "Mine"))),  # type: ignore[arg-type]
        lambda s: s.pipeline(ingest=IngestOptions(api=rest_api(s, traced=True), path="/orders")),
    ),
    Check.FIFO_MISMATCH: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(queue=queue_of(s.stack, fifo=True))),
        lambda s: s.pipeline(topic=TopicOptions(fifo=True), worker=WorkerOptions(queue=queue_of(s.stack, fifo=True))),
    ),
    Check.VISIBILITY_TOO_SHORT: Case(
        "error",
        lambda s: s.pipeline(worker=timeouts(function=60, queue=59)),
        lambda s: s.pipeline(worker=timeouts(function=60, queue=60)),
    ),
    Check.VISIBILITY_UNKNOWN: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(handler=function_of(s, HERE))),
        lambda s: s.pipeline(
            worker=WorkerOptions(handler=function_of(s, HERE), visibility_timeout=Duration.minutes(3))
        ),
    ),
    Check.QUEUE_IN_OTHER_STACK: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(queue=queue_of(s.neighbour()))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=queue_of(s.stack))),
    ),
    Check.TABLE_KEY: Case(
        "error",
        lambda s: s.pipeline(table=keyed_table(s.stack, "pk")),
        lambda s: s.pipeline(table=keyed_table(s.stack, "id")),
    ),
    Check.TABLE_KEY_REGION: Case(
        "error",
        lambda s: table_with_key(s.stack_beside()),
        lambda s: table_with_key(s.stack),
    ),
    Check.OUT_OF_REACH: Case(
        "error",
        lambda s: s.pipeline(
            worker=WorkerOptions(queue=sqs.Queue.from_queue_arn(s.stack, "Jobs", queue_arn(HERE, "us-east-1")))
        ),
        lambda s: s.pipeline(worker=WorkerOptions(queue=sqs.Queue.from_queue_arn(s.stack, "Jobs", queue_arn(HERE)))),
    ),
    Check.DUPLICATE_SUBSCRIPTION: Case(
        "error",
        lambda s: two_workers(s, topics=1),
        lambda s: two_workers(s, topics=2),
    ),
    Check.FUNCTION_IN_OTHER_STACK: Case(
        "error",
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function(stack=s.neighbour()))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function())),
    ),
    Check.VARIABLE_REPLACED: Case(
        "warning",
        lambda s: two_hops(s, one_function=True),
        lambda s: two_hops(s, one_function=False),
    ),
    Check.FILTER_ON_ENVELOPE: Case(
        "warning",
        lambda s: s.pipeline(worker=filters(raw=False)),
        lambda s: s.pipeline(worker=filters(raw=True)),
    ),
    Check.VISIBILITY_BELOW_RECOMMENDED: Case(
        "warning",
        lambda s: s.pipeline(worker=timeouts(function=60, queue=359)),
        lambda s: s.pipeline(worker=timeouts(function=60, queue=360)),
    ),
    Check.VISIBILITY_BELOW_MESSAGE: Case(
        "warning",
        lambda s: containers(s, longest_message=60, visibility=59),
        lambda s: containers(s, longest_message=60, visibility=60),
    ),
    Check.STOP_TIMEOUT_BELOW_MESSAGE: Case(
        "warning",
        lambda s: containers(s, longest_message=121),
        lambda s: containers(s, longest_message=120),
    ),
    Check.CLUSTER_WITHOUT_INSIGHTS: Case(
        "warning",
        lambda s: containers(s, insights=ecs.ContainerInsights.DISABLED),
        lambda s: containers(s, insights=ecs.ContainerInsights.ENHANCED),
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
        lambda s: route_beside_proxy(s, apigateway.AuthorizationType.NONE),
        lambda s: route_beside_proxy(s, apigateway.AuthorizationType.IAM),
    ),
    Check.FUNCTION_NOT_TRACED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function(lambda_.Tracing.PASS_THROUGH))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function(lambda_.Tracing.ACTIVE))),
    ),
    Check.FUNCTION_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(handler=function_of(s, HERE))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=s.function())),
    ),
    Check.TOPIC_NOT_TRACED: Case(
        "warning",
        lambda s: s.pipeline(topic=sns.Topic(s.stack, "Mine")),
        lambda s: s.pipeline(topic=traced_topic(s, let_in=True)),
    ),
    Check.TOPIC_WITHOUT_PERMISSION: Case(
        "warning",
        lambda s: s.pipeline(topic=traced_topic(s, let_in=False)),
        lambda s: s.pipeline(topic=traced_topic(s, let_in=True)),
    ),
    Check.ROLE_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(handler=function_with_role(s, mutable=False))),
        lambda s: s.pipeline(ingest=IngestOptions(handler=function_with_role(s, mutable=True))),
    ),
    Check.FUNCTION_WITHOUT_BRIDGE: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(handler=s.function(runtime=lambda_.Runtime.NODEJS_22_X))),
        lambda s: s.pipeline(worker=WorkerOptions(handler=s.function())),
    ),
    Check.MESSAGE_SIZE: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(dead_letter_queue=sized_queue(s, 262_143))),
        lambda s: s.pipeline(worker=WorkerOptions(dead_letter_queue=sized_queue(s, 262_144))),
    ),
    Check.DEDUPLICATION_SCOPE: Case(
        "warning",
        lambda s: s.pipeline(topic=by_group(), worker=WorkerOptions(deduplication_scope=sqs.DeduplicationScope.QUEUE)),
        lambda s: s.pipeline(topic=by_group()),
    ),
    Check.ORDER_LOST: Case(
        "warning",
        lambda s: s.pipeline(topic=TopicOptions(fifo=True), worker=WorkerOptions(queue=queue_of(s.stack))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=queue_of(s.stack))),
    ),
    Check.KEY_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(queue_key=imported_key(s))),
        lambda s: s.pipeline(worker=WorkerOptions(queue_key=kms.Key(s.stack, "Key"))),
    ),
    Check.TOPIC_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(topic=topic_of(s, HERE)),
        lambda s: s.pipeline(topic=TracedTopic(s.stack, "Mine").topic),
    ),
    Check.QUEUE_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(queue=sqs.Queue.from_queue_arn(s.stack, "Jobs", queue_arn(HERE)))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=queue_of(s.stack))),
    ),
    Check.QUEUE_WITHOUT_DEAD_LETTER_QUEUE: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(queue=queue_of(s.stack, dead_letters=False))),
        lambda s: s.pipeline(worker=WorkerOptions(queue=queue_of(s.stack))),
    ),
    Check.API_NOT_TRACED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(api=rest_api(s, traced=False), path="/orders")),
        lambda s: s.pipeline(ingest=IngestOptions(api=rest_api(s, traced=True), path="/orders")),
    ),
    Check.API_NOT_DEPLOYED: Case(
        "warning",
        lambda s: s.pipeline(
            ingest=IngestOptions(api=apigateway.RestApi(s.stack, "Mine", deploy=False), path="/orders")
        ),
        lambda s: s.pipeline(ingest=IngestOptions(api=api_of(s), path="/orders")),
    ),
    Check.API_NOT_MANAGED: Case(
        "warning",
        lambda s: s.pipeline(ingest=IngestOptions(api=api_of(s), path="/orders")),
        lambda s: s.pipeline(ingest=IngestOptions(api=rest_api(s, traced=True), path="/orders")),
    ),
    Check.OTHER_ACCOUNT: Case(
        "warning",
        lambda s: s.pipeline(topic=topic_of(s, THERE)),
        lambda s: s.pipeline(topic=topic_of(s, HERE)),
    ),
    Check.DUPLICATE_EVENT_SOURCE: Case(
        "error",
        lambda s: two_topics_one_queue(s, functions=1),
        lambda s: two_topics_one_queue(s, functions=2),
    ),
    Check.NO_ASSETS: Case(
        "error",
        lambda s: without_assets(s, layer=None),
        lambda s: without_assets(s, layer=f"arn:aws:lambda:eu-west-1:{HERE}:layer:trace-bridge:1"),
    ),
    Check.ACCOUNT_SETTING_TWICE: Case(
        "error",
        lambda s: account_tracing(s, region="eu-west-1"),
        lambda s: account_tracing(s, region="us-east-1"),
    ),
    Check.DURABLE_FUNCTION: Case(
        "error",
        lambda s: s.pipeline(worker=WorkerOptions(handler=durable_function(s, durable=True))),
        lambda s: s.pipeline(worker=WorkerOptions(handler=durable_function(s, durable=False))),
    ),
    Check.BATCH_FAILURES_IGNORED: Case(
        "warning",
        lambda s: mapping(s, report=False),
        lambda s: mapping(s, report=True),
    ),
    Check.OTHER_REGION: Case(
        "warning",
        lambda s: s.pipeline(table=table_of(s, "us-east-1"), worker=WorkerOptions(handler=s.function())),
        lambda s: s.pipeline(table=table_of(s, "eu-west-1"), worker=WorkerOptions(handler=s.function())),
    ),
    Check.VPC_WITHOUT_XRAY: Case(
        "warning",
        lambda s: s.pipeline(worker=WorkerOptions(vpc=s.isolated_vpc(endpoint=False))),
        lambda s: s.pipeline(worker=WorkerOptions(vpc=s.isolated_vpc(endpoint=True))),
    ),
    Check.LOG_SUBSCRIPTION: Case(
        "error",
        lambda s: forwarding(s, forwarder=s.function(log_group=True), subscribed=True),
        lambda s: forwarding(s, forwarder=s.function(log_group=True)),
    ),
    Check.LOGS_NOT_FORWARDED: Case(
        "warning",
        lambda s: forwarding(s, ingest=function_of(s, HERE)),
        lambda s: forwarding(s, ingest=s.function(name="Ingest", log_group=True)),
    ),
    Check.TRACES_NOT_INDEXED: Case(
        "warning",
        lambda s: forwarding(s, indexing_percentage=99),
        lambda s: forwarding(s, indexing_percentage=100),
    ),
    Check.TRACE_PERMISSION_QUOTA: Case(
        "warning",
        lambda s: permissions(s, 6),
        lambda s: permissions(s, 5),
    ),
    Check.ACCOUNT_LOGGING_ROLE: Case(
        "note",
        Scene.pipeline,
        lambda s: s.pipeline(ingest=IngestOptions(account_logging_role="create")),
    ),
    Check.TRACE_EVERYTHING: Case(
        "note",
        lambda s: trace_everything(s, sns.TracingConfig.PASS_THROUGH),
        lambda s: trace_everything(s, sns.TracingConfig.ACTIVE),
    ),
}
