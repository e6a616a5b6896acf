"""The pipeline with the CDK's own constructs and their defaults: the shortest that works."""

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs


def build(stack: Stack, ingest: str, worker: str) -> None:
    """Adds the pipeline to a stack; the handlers' code is in the folders."""
    topic = sns.Topic(stack, "Topic")
    queue = sqs.Queue(stack, "Queue")
    table = dynamodb.TableV2(
        stack, "Table", partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    )
    ingest_function = lambda_.Function(
        stack,
        "Ingest",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="app.handler",
        code=lambda_.Code.from_asset(ingest),
        environment={"TOPIC_ARN": topic.topic_arn},
    )
    worker_function = lambda_.Function(
        stack,
        "Worker",
        runtime=lambda_.Runtime.PYTHON_3_14,
        handler="app.handler",
        code=lambda_.Code.from_asset(worker),
        environment={"TABLE_NAME": table.table_name},
    )
    apigateway.LambdaRestApi(stack, "Api", handler=ingest_function)
    topic.grant_publish(ingest_function)
    topic.add_subscription(subscriptions.SqsSubscription(queue))
    worker_function.add_event_source(event_sources.SqsEventSource(queue))
    table.grant_write_data(worker_function)
