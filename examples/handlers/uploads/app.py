"""A worker that takes notifications of S3 from its queue."""

import os

import boto3
from trace_bridge import Message, sqs_handler

table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])


@sqs_handler
def handler(message: Message) -> None:
    for stored in message.s3_objects():
        table.put_item(Item={"id": stored.key, "bucket": stored.bucket, "trace_id": message.trace_id})
