"""A group of the traces of a pipeline, with metrics of its own."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_xray as xray
from constructs import Construct

from .checks import Check, PipelineError
from .metric_keywords import MetricKeywords
from .names import account_wide_name
from .option_checks import check_options
from .tracing_options import TraceGroupOptions

_GROUP_NAME_LENGTH = 32


def trace_group(
    scope: Construct, construct_id: str, *, stage_service_name: str, options: TraceGroupOptions
) -> xray.CfnGroup:
    """Creates a group of traces.

    Args:
        scope: Where to create it; its path gives the group's name.
        construct_id: Id of the group.
        stage_service_name: Name of the API's stage as X-Ray knows it, for the default filter expression.
        options: What the group holds.

    Raises:
        PipelineError: Notifications are asked for without insights.
    """
    check_options(options)
    if options.notifications and not options.insights:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "notifications of a trace group tell of its insights, which are off; turn insights on",
        )
    return xray.CfnGroup(
        scope,
        construct_id,
        group_name=account_wide_name(scope, max_length=_GROUP_NAME_LENGTH),
        filter_expression=options.filter_expression or f'service("{stage_service_name}")',
        insights_configuration=xray.CfnGroup.InsightsConfigurationProperty(
            insights_enabled=options.insights, notifications_enabled=options.notifications
        ),
    )


def trace_count(group: xray.CfnGroup, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
    """Returns the one metric that X-Ray has of a group: about how many traces it recorded, sampled requests alone.

    AWS documents that CloudWatch gets this number each minute, not what it is called. Its name and namespace are those
    of AWS's workshop; the name of its dimension is assumed.
    https://docs.aws.amazon.com/xray/latest/devguide/xray-console-groups.html
    https://github.com/aws-samples/serverless-observability-workshop (workshop/content/070_tracing/xray_groups.md)

    Args:
        group: The group.
        options: Keywords of the CDK's `MetricOptions`. Default: the sum of 5 minutes.
    """
    keywords: MetricKeywords = {"dimensions_map": {"GroupName": group.group_name}, "statistic": "Sum", **options}
    return cloudwatch.Metric(namespace="AWS/X-Ray", metric_name="ApproximateTraceCount", **keywords).attach_to(group)
