"""The permission to send segments, which every traced function needs."""

from __future__ import annotations

from aws_cdk import aws_iam as iam


def write_segments() -> iam.PolicyStatement:
    """Allow to send segments, as a function's role needs it.

    X-Ray has no resources to name, so the statement is for `*`.
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
    """
    return iam.PolicyStatement(actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"], resources=["*"])
