"""A large app of the CDK's own constructs: pipelines whose functions know of no tracing, ten in each stack."""

from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_IN_A_STACK = 10
_PIPELINES = 90


def build(app: App) -> int:
    """Makes the pipelines; returns how many constructs the app has then."""
    for number in range(_PIPELINES // _IN_A_STACK):
        stack = Stack(app, f"Shop{number}")
        for pipeline in range(_IN_A_STACK):
            _pipeline(Construct(stack, f"Orders{pipeline}"))
    return len(app.node.find_all())


def _pipeline(scope: Construct) -> None:
    topic, queue = sns.Topic(scope, "Topic"), sqs.Queue(scope, "Queue")
    topic.add_subscription(subscriptions.SqsSubscription(queue))
    key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
    table = dynamodb.TableV2(scope, "Table", partition_key=key)
    ingest, worker = _function(scope, "Ingest"), _function(scope, "Worker")
    topic.grant_publish(ingest)
    worker.add_event_source(event_sources.SqsEventSource(queue))
    table.grant_write_data(worker)
    root = apigateway.RestApi(scope, "Api").root
    for method in ("POST", "PUT"):
        root.add_method(method, apigateway.LambdaIntegration(ingest))


def _function(scope: Construct, name: str) -> lambda_.Function:
    bucket = s3.Bucket.from_bucket_name(scope, f"{name}Code", "code")
    code = lambda_.Code.from_bucket_v2(bucket, "app.zip", object_version="1")
    return lambda_.Function(scope, name, code=code, handler="app.handler", runtime=lambda_.Runtime.PYTHON_3_13)
