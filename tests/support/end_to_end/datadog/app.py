"""Stands in for Datadog's Forwarder: logs each line that CloudWatch Logs brings, with the log group that it is of."""

import base64
import gzip
import json
from typing import Any


def handler(event: dict[str, Any], context: object) -> None:
    """Gets what a subscription filter delivers.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html
    """
    brought = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    for line in brought["logEvents"]:
        forwarded = {"group": brought["logGroup"], "message": line["message"]}
        print(json.dumps({"forwarded": forwarded}))  # noqa: T201 - it is the log line
