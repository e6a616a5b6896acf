"""Metrics of a block's function."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from .metric_keywords import MetricKeywords


class FunctionMetrics(Construct):
    """A block with one function.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """

    @property
    def function(self) -> lambda_.IFunction:
        """The function."""
        raise NotImplementedError

    def metric_invocations(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How often the function ran; for a worker, how many batches there were."""
        return self.function.metric_invocations(**options)

    def metric_errors(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many invocations of the function failed; for a worker, how many batches failed as a whole."""
        return self.function.metric_errors(**options)

    def metric_throttles(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many invocations Lambda refused because there were too many at once."""
        return self.function.metric_throttles(**options)

    def metric_duration(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How long an invocation of the function took, in milliseconds; for a worker, how long a batch took."""
        return self.function.metric_duration(**options)
