"""A chain over two stacks: the worker of the first pipeline publishes to the topic of the second.

The trace goes on over both topics and both queues. The two stacks share one of the five resource policies with which
an account lets SNS send segments to X-Ray.
"""

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_sns as sns
from constructs import Construct
from traced_pipeline import (
    IngestOptions,
    QueueWorker,
    SnsTracePermission,
    TopicOptions,
    TracedPipeline,
    TracedTopic,
    WorkerOptions,
)


class Shipping(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.topic = TracedTopic(self, "Shipments").topic
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(self, "Shipped", partition_key=key)
        QueueWorker(self, "Ship", topic=self.topic, options=WorkerOptions(table=table))


class Ordering(Stack):
    def __init__(self, scope: Construct, construct_id: str, *, shipments: sns.ITopic) -> None:
        super().__init__(scope, construct_id)
        shared = SnsTracePermission.of(shipments).resource_policy
        orders = TracedPipeline(
            self,
            "Orders",
            ingest=IngestOptions(path="/orders"),
            topic=TopicOptions(trace_permission=shared),
            worker=WorkerOptions(publish_to=shipments),
        )
        CfnOutput(self, "ApiUrl", value=orders.url)


if __name__ == "__main__":
    app = App()
    Ordering(app, "Ordering", shipments=Shipping(app, "Shipping").topic)
    app.synth()
