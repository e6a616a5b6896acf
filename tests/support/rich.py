"""A stack with as much of the library in it as goes together; the handlers are the reference ones."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from traced_pipeline import (
    ContainerWorkerOptions,
    DatadogForwarding,
    IngestOptions,
    PipelineMonitoring,
    QueueWorker,
    SamplingOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    TraceGroupOptions,
    WorkerOptions,
)


def build(stack: Stack) -> None:
    """Fan-out with filters, a chain, keys, an alias, a VPC, containers, alarms, Datadog, sampling, a group, FIFO."""
    topic_key, queue_key = (kms.Key(stack, f"{name}Key", enable_key_rotation=True) for name in ("Topic", "Queue"))
    shipped = TracedTopic(stack, "Shipped", options=TopicOptions(key=topic_key)).topic
    orders = TracedPipeline(
        stack,
        "Orders",
        topic=TopicOptions(key=topic_key),
        ingest=IngestOptions(
            path="/v1/orders", account_logging_role="create", provisioned_concurrent_executions=1, log_key=queue_key
        ),
        worker=WorkerOptions(
            publish_to=shipped,
            queue_key=queue_key,
            message_log=True,
            message_metrics=True,
            tracing="linked",
            timeout=Duration.seconds(20),
            max_concurrency=5,
            reserved_concurrent_executions=10,
        ),
        sampling=SamplingOptions(rate=1, path="/v1/orders"),
        trace_group=TraceGroupOptions(notifications=True),
        removal_policy=RemovalPolicy.DESTROY,
    )
    orders.ingest.add_route("/v1/orders/{id}", method="PUT")
    by_amount = lambda_.FilterCriteria.filter({"body": {"amount": lambda_.FilterRule.between(10, 100)}})
    orders.add_worker(
        "Audit",
        WorkerOptions(
            batch_size=100,
            max_batching_window=Duration.seconds(5),
            filters=[by_amount],
            filter_policy={"kind": sns.SubscriptionFilter.string_filter(allowlist=["big"])},
            queue_key=queue_key,
        ),
    )
    vpc = ec2.Vpc.from_vpc_attributes(
        stack,
        "Net",
        vpc_id="vpc-0123456789abcdef0",
        availability_zones=["a", "b"],
        private_subnet_ids=["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        private_subnet_route_table_ids=["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"],
    )
    orders.add_container_worker(
        "Bill",
        ContainerWorkerOptions(
            image=ecs.ContainerImage.from_registry("registry.example.com/bill:1"),
            vpc=vpc,
            min_capacity=0,
            sidecar="adot-collector",
            queue_key=queue_key,
            publish_to=shipped,
        ),
    )
    ship = WorkerOptions(table=orders.table, queue_key=queue_key, vpc=vpc)
    forwarder = QueueWorker(stack, "Ship", topic=shipped, options=ship).function
    TracedPipeline(stack, "Payments", topic=TopicOptions(fifo=True))
    PipelineMonitoring(stack, "Watch", pipeline=orders)
    role = iam.Role.from_role_name(stack, "DatadogRole", "DatadogIntegrationRole")
    DatadogForwarding(
        stack,
        "Datadog",
        pipeline=orders,
        forwarder=forwarder,
        env="prod",
        service="orders",
        version="1.4.2",
        integration_role=role,
        xray_key=queue_key,
    )
