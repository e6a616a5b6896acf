"""A stack with the options that a function, an event source, a topic and a FIFO queue have beside the usual ones."""

from __future__ import annotations

from aws_cdk import Size, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from traced_pipeline import (
    IngestOptions,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)


def build(stack: Stack) -> None:
    """Large messages from two topics, pollers, metrics and encrypted filters; and FIFO with high throughput."""
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    by_user = apigateway.CognitoUserPoolsAuthorizer(
        stack, "ByUser", cognito_user_pools=[cognito.UserPool(stack, "Users")]
    )
    arn = stack.format_arn(service="lambda", resource="layer:tools:1")
    tools = lambda_.LayerVersion.from_layer_version_arn(stack, "Tools", arn)
    refunds = TracedTopic(stack, "Refunds").topic
    orders = TracedPipeline(
        stack,
        "Orders",
        topic=TopicOptions(max_message_size=1_048_576),
        ingest=IngestOptions(
            authorizer=by_user,
            authorization_scopes=["orders/write"],
            message_group="customer",
            live_alias=True,
            role=iam.Role(stack, "Mine", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com")),
        ),
        worker=WorkerOptions(
            minimum_pollers=2,
            maximum_pollers=2000,
            event_source_metrics=True,
            filters=[lambda_.FilterCriteria.filter({"body": {"amount": [{"exists": True}]}})],
            filter_encryption=key,
            environment_encryption=key,
            ephemeral_storage_size=Size.gibibytes(1),
            layers=[tools],
        ),
    )
    orders.worker.add_topic(refunds)
    orders.add_dead_letter_worker(
        "Repair", WorkerOptions(table=orders.table, snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS)
    )
    by_group = sns.FifoThroughputScope.MESSAGE_GROUP
    TracedPipeline(stack, "Payments", topic=TopicOptions(fifo=True, fifo_throughput_scope=by_group))
