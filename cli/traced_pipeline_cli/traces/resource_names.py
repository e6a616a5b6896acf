"""What a node is called: people know a table or a queue by its own name, not by its service's."""

from __future__ import annotations

from .model import Segment

# X-Ray names an inferred segment after the service and keeps the resource here:
# https://docs.aws.amazon.com/xray/latest/devguide/xray-api-gettingdata.html.
_FIELDS = ("table_name", "queue_url", "topic_arn", "bucket_name", "function_name")


def resource_name(segment: Segment) -> str:
    """Returns the name of the resource an inferred segment stands for; any other segment's own name."""
    if not segment.inferred:
        return segment.name
    names = segment.aws.get("resource_names")
    candidates = [*(names if isinstance(names, list) else []), *(segment.aws.get(field) for field in _FIELDS)]
    text = next((name for name in candidates if isinstance(name, str) and name), segment.name)
    # Of a queue's URL or a topic's ARN the last part.
    return text.rstrip("/").rsplit("/", 1)[-1].rsplit(":", 1)[-1] if "://" in text or text.startswith("arn:") else text
