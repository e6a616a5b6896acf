"""The permission to send segments, which every traced function needs."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

ANY_RESOURCE_REASON = (
    "X-Ray's write actions do not support resource-level permissions; AWS documents them with Resource *"
)
"""Why the statement is for every resource, as an acknowledged finding says it."""


def write_segments() -> iam.PolicyStatement:
    """Returns the statement that lets a function's role send segments.

    These actions do not support resource-level permissions, so the statement is for `*`.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    """
    return iam.PolicyStatement(actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources=["*"])
