"""The keywords that every `metric_*` method takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch


class MetricKeywords(TypedDict, total=False):
    """The keywords of `aws_cloudwatch.MetricOptions`, as the CDK's own `metric_*` methods take them.

    Attributes:
        account: Account that the metric is read from. Default: that of the stack it is used in.
        color: Colour in graphs, in hexadecimal digits. Default: CloudWatch chooses.
        dimensions_map: Dimensions, instead of those of the resource. Default: those of the resource.
        id: Name of the metric in a widget's JSON. Default: none.
        label: Label in graphs. Default: CloudWatch makes one.
        period: How long a data point is. Default: 5 minutes.
        region: Region that the metric is read from. Default: that of the stack it is used in.
        stack_account: Account of the stack that the metric belongs to. Default: that of the resource.
        stack_region: Region of the stack that the metric belongs to. Default: that of the resource.
        statistic: How samples become a data point, such as `Sum` or `p99`. Default: each metric's own.
        unit: Only samples of this unit. Default: all.
        visible: Whether a graph shows the metric. Default: it does.
    """

    account: str | None
    color: str | None
    dimensions_map: Mapping[str, str] | None
    id: str | None
    label: str | None
    period: Duration | None
    region: str | None
    stack_account: str | None
    stack_region: str | None
    statistic: str | None
    unit: cloudwatch.Unit | None
    visible: bool | None
