"""An ordinary pipeline of the CDK's own constructs, and the same adopted and upgraded: three cloud assemblies.

Run as `python -m tests.support.end_to_end.ordinary_app FOLDER`.
"""

import sys
from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from traced_pipeline import IngestOptions, TracedPipeline, TraceEverything, WorkerOptions

NAME = "Ordinary"
_CODE = str(Path(__file__).parent / "ordinary_handlers")


def main(folder: Path) -> None:
    """Leaves an assembly in each of the folders `before`, `adopted` and `upgraded`."""
    before = App(outdir=str(folder / "before"))
    WiredByHand(before, NAME)
    before.synth()
    adopted = App(outdir=str(folder / "adopted"))
    WiredByHand(adopted, NAME)
    TraceEverything.below(adopted, bridge=True)
    adopted.synth()
    upgraded = App(outdir=str(folder / "upgraded"))
    WiredByLibrary(upgraded, NAME)
    TraceEverything.below(upgraded, bridge=True)
    upgraded.synth()


class Parts(Stack):
    """API, functions, topic, queue and table, not yet wired."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic")
        self.queue = sqs.Queue(self, "Queue", visibility_timeout=Duration.seconds(60))
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.table = dynamodb.TableV2(self, "Table", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        self.ingest = self._function("Ingest", TOPIC_ARN=self.topic.topic_arn)
        self.worker = self._function("Worker", TABLE_NAME=self.table.table_name)
        self.api = apigateway.RestApi(self, "Api", cloud_watch_role=False)
        CfnOutput(self, "ApiUrl", value=self.api.url)

    def _function(self, name: str, **environment: str) -> lambda_.Function:
        return lambda_.Function(
            self,
            name,
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler=f"{name.lower()}.handler",
            code=lambda_.Code.from_asset(_CODE, exclude=["**/__pycache__"]),
            environment=environment,
            timeout=Duration.seconds(10),
        )


class WiredByHand(Parts):
    """As the CDK's own constructs wire it."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.api.root.add_method("POST", apigateway.LambdaIntegration(self.ingest))
        self.topic.grant_publish(self.ingest)
        self.topic.add_subscription(subscriptions.SqsSubscription(self.queue))
        self.worker.add_event_source(event_sources.SqsEventSource(self.queue))
        self.table.grant_write_data(self.worker)


class WiredByLibrary(Parts):
    """As `TracedPipeline` wires the same resources."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        resource = self.worker.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        resource.handler = "trace_bridge.auto.handler"
        self.worker.add_environment("TRACE_BRIDGE_HANDLER", "worker.handler")
        TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(api=self.api, handler=self.ingest, path="/", authorizer="none"),
            topic=self.topic,
            worker=WorkerOptions(handler=self.worker, queue=self.queue, raw_message_delivery=False),
            table=self.table,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
