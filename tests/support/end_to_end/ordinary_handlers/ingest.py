"""What an ordinary team writes behind its API: no tracing, no library."""

import json
import os
from typing import Any

import boto3

sns = boto3.client("sns")


def handler(event: Any, context: Any) -> dict[str, object]:
    sns.publish(TopicArn=os.environ["TOPIC_ARN"], Message=event["body"])
    return {"statusCode": 202, "body": json.dumps({"status": "accepted"})}
