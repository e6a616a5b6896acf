"""A resolver's function: it publishes the arguments of a mutation."""

import json
import os
from typing import Any

import boto3
from trace_bridge import instrument

instrument()
topic = boto3.resource("sns").Topic(os.environ["TOPIC_ARN"])


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    order = event["arguments"]
    topic.publish(Message=json.dumps(order))
    return {"id": order["id"]}
