"""A worker: its subscription, its queues and its function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from .function_options import FunctionOptions

WorkerTracing: TypeAlias = Literal["continued", "linked", "unbridged"]


@dataclass(frozen=True, kw_only=True)
class WorkerOptions(FunctionOptions):
    """A subscription, its queue with a dead-letter queue, and the function that works through it.

    Attributes:
        tracing: `"continued"`: each message continues the trace it came with, and Lambda's own tracing is
            `PassThrough`, so that nothing is recorded twice; `"linked"`: the same, and Lambda's own trace is kept
            beside it (`Active`); `"unbridged"`: what AWS does by itself, `Active` and without the bridge. Default:
            `"continued"`.
        zero_code: Whether the bridge calls the handler once per message, with an event of that one record; the
            function's code needs no change. Default: off.
        batch_size: Most messages per invocation: 1 to 10000, with `fifo` at most 10; more than 10 need a
            `max_batching_window`. Default: 10.
        max_batching_window: Longest time that Lambda waits to fill a batch, at most 5 minutes; not with `fifo`.
            Default: it does not wait.
        max_concurrency: Most concurrent invocations for this queue, 2 to 1000. Unlike reserved concurrency, it does not
            drive throttled messages towards the dead-letter queue. Default: no limit of its own.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
        minimum_pollers: Fewest event pollers that Lambda keeps for this queue, 2 to 200 (provisioned mode); not with
            `max_concurrency`. Default: with `maximum_pollers` 2; otherwise Lambda scales its pollers by itself.
            https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html
        maximum_pollers: Most event pollers that Lambda uses for this queue, 2 to 10000 (provisioned mode); not with
            `max_concurrency`. Default: with `minimum_pollers` 200; otherwise Lambda scales its pollers by itself.
            https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedPollerConfig.html
        event_source_metrics: Whether CloudWatch gets metrics of how many messages were polled, filtered out, passed to
            the function, and deleted; they are charged for. Default: it does not.
            https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        filters: Which messages Lambda passes to the function, as patterns made by `FilterCriteria.filter`; it deletes
            the others from the queue. Default: all.
        filter_encryption: Customer key for `filters`, which show in plain text otherwise. Default: none.
            https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
        filter_policy: Which messages SNS delivers to the queue, by message attributes. Default: all.
        filter_policy_with_message_body: Which messages SNS delivers to the queue, by the message body; it excludes
            `filter_policy`. Default: all.
        raw_message_delivery: Whether the queue gets the published message itself, without SNS's envelope. Default: on.
        max_receive_count: Attempts before a message moves to the dead-letter queue. Default: 5, the least that AWS
            recommends, so that throttling alone moves no message.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibility_timeout: How long a received message stays hidden from other consumers, at most 12 hours. Default:
            six times the function's timeout plus the batching window, as AWS recommends.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        deduplication_scope: Behind a FIFO topic: whether the created queues look for duplicates in the whole queue, or
            in each message group alone. Default: as the topic's `fifo_throughput_scope` says; in the whole queue.
            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
        fifo_throughput_limit: Behind a FIFO topic: whether SQS's quota of messages per second is for the whole queue,
            or for each message group (high throughput, with a `deduplication_scope` of message groups). Default: as the
            topic's `fifo_throughput_scope` says; for the whole queue.
            https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/high-throughput-fifo.html
        queue: An existing queue, which keeps its own settings. Default: one is created.
        queue_key: Customer key that encrypts the created queues; the topic's key may be used. Default: keys managed by
            SQS.
        dead_letter_queue: Where messages go that could not be delivered or processed. Default: that of the given queue;
            otherwise one is created that keeps messages for 14 days.
        table: The table the worker writes to; its name is set as `TABLE_NAME`. Default: the pipeline's table, for the
            pipeline's own worker and for added ones with the reference handler.
        table_actions: What the function may do with the table, for example `["dynamodb:PutItem", "dynamodb:Query"]`.
            Default: `dynamodb:PutItem` for the reference handler; for a handler of your own, what the CDK's
            `grant_write_data` allows.
        publish_to: A topic the worker publishes to; its ARN is set as `TOPIC_ARN`. Default: none.
    """

    tracing: WorkerTracing = "continued"
    zero_code: bool = False
    batch_size: int = 10
    max_batching_window: Duration | None = None
    max_concurrency: int | None = None
    minimum_pollers: int | None = None
    maximum_pollers: int | None = None
    event_source_metrics: bool = False
    filters: Sequence[Mapping[str, object]] | None = None
    filter_encryption: kms.IKey | None = None
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
