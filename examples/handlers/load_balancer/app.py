"""A load balancer's target: it publishes the request's body."""

import os
from typing import Any

import boto3
from trace_bridge import TraceHeader, instrument, subsegment

instrument()
topic = boto3.resource("sns").Topic(os.environ["TOPIC_ARN"])


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    header = TraceHeader.parse(event["headers"].get("x-amzn-trace-id"))
    with subsegment("publish") as part:
        if header:
            part.put_annotation("load_balancer_trace_id", header.root)
        topic.publish(Message=event["body"])
    return {"statusCode": 202, "headers": {"Content-Type": "application/json"}, "body": "{}"}
