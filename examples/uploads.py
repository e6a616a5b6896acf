"""S3 in front of a pipeline: a bucket notifies a topic, and a worker takes the notifications from its queue.

The trace of whoever stores an object goes on: S3 propagates the header of the call to its subscribers. It sends no
segment, so that the map shows the bucket only where the sender recorded its call. By way of EventBridge the header is
lost, as those are events of an AWS service: https://docs.aws.amazon.com/xray/latest/devguide/xray-services-s3.html
"""

from pathlib import Path

from aws_cdk import App, CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_s3_notifications as notifications
from constructs import Construct
from traced_pipeline import Handler, QueueWorker, TracedTopic, WorkerOptions

HANDLERS = Path(__file__).parent / "handlers"


class Uploads(Stack):
    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.bucket = s3.Bucket(self, "Bucket", enforce_ssl=True)
        topic = TracedTopic(self, "Stored").topic
        self.bucket.add_event_notification(s3.EventType.OBJECT_CREATED, notifications.SnsDestination(topic))
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        table = dynamodb.TableV2(self, "Objects", partition_key=key)
        handler = Handler(HANDLERS / "uploads", "app.handler")
        QueueWorker(self, "Index", topic=topic, options=WorkerOptions(handler=handler, table=table))
        CfnOutput(self, "BucketName", value=self.bucket.bucket_name)


if __name__ == "__main__":
    app = App()
    Uploads(app, "Uploads")
    app.synth()
