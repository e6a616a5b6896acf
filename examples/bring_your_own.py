"""A pipeline of resources that are there already: each is wired in, and what cannot be wired is warned about.

The platform team's stack holds a topic and a table. The shop knows them by their ARNs only, and brings a queue and a
function of its own.
"""

from pathlib import Path

from aws_cdk import Acknowledgment, App, CfnOutput, Duration, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct
from traced_pipeline import Check, IngestOptions, TracedPipeline, WorkerOptions

HANDLERS = Path(__file__).parent / "handlers"
TOPIC, TABLE = "platform-orders", "platform-shipments"


class Platform(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        # The account lets SNS send the topic's segments: account.py.
        sns.Topic(self, "Orders", topic_name=TOPIC, tracing_config=sns.TracingConfig.ACTIVE)
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        dynamodb.Table(self, "Shipments", table_name=TABLE, partition_key=key)


class Shop(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        topic_arn = self.format_arn(service="sns", resource=TOPIC)
        failed = sqs.Queue(self, "Failed", retention_period=Duration.days(14))
        queue = sqs.Queue(
            self,
            "Work",
            visibility_timeout=Duration.minutes(1),
            dead_letter_queue=sqs.DeadLetterQueue(queue=failed, max_receive_count=5),
        )
        ship = lambda_.Function(
            self,
            "Ship",
            code=lambda_.Code.from_asset(str(HANDLERS / "shipping")),
            handler="app.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            timeout=Duration.seconds(10),
        )
        topic = sns.Topic.from_topic_arn(self, "Orders", topic_arn)
        orders = TracedPipeline(
            self,
            "Pipeline",
            ingest=IngestOptions(path="/orders"),
            topic=topic,
            worker=WorkerOptions(queue=queue, handler=ship),
            table=dynamodb.Table.from_table_name(self, "Shipments", TABLE),
        )
        reason = "the platform team traces its topic"
        Validations.of(topic).acknowledge(Acknowledgment(id=Check.TOPIC_NOT_MANAGED.value, reason=reason))
        CfnOutput(self, "ApiUrl", value=orders.url)


if __name__ == "__main__":
    app = App()
    platform = Platform(app, "Platform")
    Shop(app, "Shop").add_stack_dependency(platform)  # add_dependency, with aws-cdk-lib 2.253
    app.synth()
