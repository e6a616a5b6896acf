"""What every worker behind a topic has: its subscription, its queue, and where its messages go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from .words import ChecksWords


@dataclass(frozen=True, kw_only=True)
class QueueOptions(ChecksWords):
    """A subscription and its queue with a dead-letter queue, and what the worker behind them writes to.

    Attributes:
        filter_policy: Which messages SNS delivers to the queue, by message attributes. Default: all.
        filter_policy_with_message_body: Which messages SNS delivers to the queue, by the message body; it excludes
            `filter_policy`. Default: all.
        raw_message_delivery: Whether the queue gets the published message itself, without SNS's envelope. Default: on.
        max_receive_count: Attempts before a message moves to the dead-letter queue. Default: 5, the least that AWS
            recommends, so that throttling alone moves no message.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibility_timeout: How long a received message stays hidden from other consumers, at most 12 hours. Default:
            for a function, six times its timeout plus the batching window, as AWS recommends; for containers, their
            `longest_message`.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        deduplication_scope: Behind a FIFO topic: whether the created queues look for duplicates in the whole queue, or
            in each message group alone. Default: that of the topic's `fifo_throughput_scope`, or else the whole queue.
            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
        fifo_throughput_limit: Behind a FIFO topic: whether SQS's quota of messages per second is for the whole queue,
            or for each message group (high throughput, with a `deduplication_scope` of message groups). Default:
            that of the topic's `fifo_throughput_scope`, or else the whole queue.
            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
        queue: An existing queue, which keeps its own settings. Default: one is created.
        queue_key: Customer key that encrypts the created queues; the topic's key may be used. Default: keys managed by
            SQS.
        dead_letter_queue: Where messages go that could not be delivered or processed. Default: that of the given queue;
            otherwise one is created that keeps messages for 14 days.
        table: The table the worker writes to; its name is set as `TABLE_NAME`. Default: the pipeline's table, for the
            pipeline's own worker and for added ones with the reference handler.
        table_actions: What the worker may do with the table, for example `["dynamodb:PutItem", "dynamodb:Query"]`.
            Default: `dynamodb:PutItem` for the reference handler; for code of your own, what the CDK's
            `grant_write_data` allows.
        publish_to: A topic the worker publishes to; its ARN is set as `TOPIC_ARN`. Default: none.
        message_log: Whether the bridge writes a log line for each message when it ends: its trace, how long it took and
            waited, and how it ended. Logs are charged by volume. Default: it does not.
            https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/WhatIsCloudWatchLogs.html
        message_metrics: Whether CloudWatch makes two metrics of these lines: the time a message took, and the time it
            waited in the queue; they are charged for as custom metrics. Default: it does not.
            https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/MonitoringLogData.html
    """

    filter_policy: Mapping[str, sns.SubscriptionFilter] | None = None
    filter_policy_with_message_body: Mapping[str, sns.FilterOrPolicy] | None = None
    raw_message_delivery: bool = True
    max_receive_count: int = 5
    visibility_timeout: Duration | None = None
    deduplication_scope: sqs.DeduplicationScope | None = None
    fifo_throughput_limit: sqs.FifoThroughputLimit | None = None
    queue: sqs.IQueue | None = None
    queue_key: kms.IKey | None = None
    dead_letter_queue: sqs.IQueue | None = None
    table: dynamodb.ITable | None = None
    table_actions: Sequence[str] | None = None
    publish_to: sns.ITopic | None = None
    message_log: bool = False
    message_metrics: bool = False
