"""An ingest handler that publishes a body as it is, however large."""

import json
import os
from typing import Any

import boto3
from trace_bridge import TraceHeader, instrument

instrument()
_sns = boto3.client("sns")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Publishes the body in the message group of its customer."""
    _sns.publish(
        TopicArn=os.environ["TOPIC_ARN"], Message=event["body"], MessageGroupId=json.loads(event["body"])["customer"]
    )
    header = TraceHeader.parse(os.environ["_X_AMZN_TRACE_ID"])
    return {"statusCode": 202, "body": json.dumps({"trace_id": header.root if header else None})}
