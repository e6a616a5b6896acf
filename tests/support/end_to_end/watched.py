"""A pipeline that is watched: with alarms that notify somebody, saved queries, and a line for each message."""

from aws_cdk import CfnOutput, RemovalPolicy, Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from traced_pipeline import (
    IngestOptions,
    MonitoringOptions,
    PipelineMonitoring,
    TopicOptions,
    TracedPipeline,
    WorkerOptions,
)


def build(stack: Stack) -> None:
    """Adds the pipeline, and a queue that gets what the alarms notify."""
    orders = TracedPipeline(
        stack,
        "Orders",
        ingest=IngestOptions(path="/orders"),
        topic=TopicOptions(trace_permission="none"),
        worker=WorkerOptions(message_log=True, message_metrics=True),
        removal_policy=RemovalPolicy.DESTROY,
    )
    on_call = sns.Topic(stack, "OnCall", enforce_ssl=True)
    notified = sqs.Queue(stack, "Notified", enforce_ssl=True)
    on_call.add_subscription(subscriptions.SqsSubscription(notified, raw_message_delivery=True))
    PipelineMonitoring(stack, "Watch", pipeline=orders, options=MonitoringOptions(alarm_topic=on_call))
    outputs = {
        "ApiUrl": orders.url,
        "QueueUrl": orders.queue.queue_url,
        "DeadLetterQueueUrl": orders.dead_letter_queue.queue_url,
        "TableName": orders.table.table_name,
        "NotifiedUrl": notified.queue_url,
        "WorkerRole": _role_name(orders),
    }
    for name, value in outputs.items():
        CfnOutput(stack, name, value=value)


def _role_name(orders: TracedPipeline) -> str:
    role = orders.worker_function.role
    assert role is not None
    return role.role_name
