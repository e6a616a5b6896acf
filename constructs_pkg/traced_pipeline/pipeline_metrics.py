"""Metrics that say whether a pipeline works: what callers see, what waits, what failed, what is traced."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_xray as xray
from constructs import Construct

from .checks import Check, PipelineError, names_path
from .ingest_api import IngestApi
from .metric_keywords import MetricKeywords
from .queue_worker import QueueWorker
from .trace_group import trace_count


class PipelineMetrics(Construct):
    """A pipeline; the metrics of its single hops are at `ingest`, `topic` and each worker."""

    @property
    def ingest(self) -> IngestApi:
        """The construct of the ingest API and its function."""
        raise NotImplementedError

    @property
    def worker(self) -> QueueWorker:
        """The construct of the worker."""
        raise NotImplementedError

    @property
    def trace_group(self) -> xray.CfnGroup | None:
        """The group of the pipeline's traces; None if there is none."""
        raise NotImplementedError

    def metric_server_error(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many requests the API answered with 5xx; with the statistic `Average`, the fraction of them."""
        return self.ingest.metric_server_error(**options)

    def metric_latency(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How long the API took to answer a request, in milliseconds."""
        return self.ingest.metric_latency(**options)

    def metric_approximate_age_of_oldest_message(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How long the oldest message of the worker's queue has been waiting, in seconds."""
        return self.worker.metric_approximate_age_of_oldest_message(**options)

    def metric_approximate_number_of_messages_visible(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages wait in the worker's queue."""
        return self.worker.metric_approximate_number_of_messages_visible(**options)

    def metric_dead_letter_messages(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages the worker's dead-letter queue holds; further workers have queues of their own."""
        return self.worker.metric_dead_letter_messages(**options)

    @names_path
    def metric_approximate_trace_count(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """About how many traces X-Ray recorded in the pipeline's trace group; an error where there is no group."""
        if self.trace_group is None:
            raise PipelineError(
                Check.OPTION_CONFLICT,
                "X-Ray counts traces for a trace group only, and the pipeline has none; give it "
                "trace_group=TraceGroupOptions()",
            )
        return trace_count(self.trace_group, **options)
