"""Metrics of a worker's queue and of its dead-letter queue."""

from __future__ import annotations

from typing import Unpack

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from .checks import Check, PipelineError, names_path
from .metric_keywords import MetricKeywords


class QueueMetrics(Construct):
    """A worker behind a queue.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """

    @property
    def queue(self) -> sqs.IQueue:
        """The queue."""
        raise NotImplementedError

    @property
    def dead_letter_queue(self) -> sqs.IQueue | None:
        """The queue for what fails too often; None where it is not known."""
        raise NotImplementedError

    def metric_approximate_age_of_oldest_message(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How long the oldest message of the queue has been waiting, in seconds."""
        return self.queue.metric_approximate_age_of_oldest_message(**options)

    def metric_approximate_number_of_messages_visible(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages wait in the queue."""
        return self.queue.metric_approximate_number_of_messages_visible(**options)

    def metric_approximate_number_of_messages_not_visible(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages of the queue the worker has received, and not yet deleted."""
        return self.queue.metric_approximate_number_of_messages_not_visible(**options)

    @names_path
    def metric_dead_letter_messages(self, **options: Unpack[MetricKeywords]) -> cloudwatch.Metric:
        """How many messages the worker's dead-letter queue holds; an error where that queue is not known."""
        if self.dead_letter_queue is None:
            raise PipelineError(
                Check.QUEUE_NOT_MANAGED,
                f"queue {self.queue.node.path} is imported, so that the dead-letter queue behind it is not known here; "
                "take the metric from that queue: metric_approximate_number_of_messages_visible()",
            )
        return self.dead_letter_queue.metric_approximate_number_of_messages_visible(**options)
