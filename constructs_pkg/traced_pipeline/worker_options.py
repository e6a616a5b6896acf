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
        tracing: `"continued"`: each message goes on in the trace it came with, and Lambda's own
            tracing of the function is `PassThrough`, so that nothing is recorded twice; `"linked"`:
            Lambda's own trace is kept beside it (`Active`); `"unbridged"`: what AWS does by itself,
            `Active` and without the bridge. Default: `"continued"`.
        zero_code: Let the bridge call the handler once for each message, with an event of that one
            record; the function's code needs no change. Default: off.
        batch_size: Most messages given to one invocation: 1 to 10000, with `fifo` at most 10; more
            than 10 needs a `max_batching_window`. Default: 10.
        max_batching_window: How long Lambda may wait to fill a batch, at most 5 minutes; not with `fifo`. Default:
            not at all.
        max_concurrency: Most invocations at once for this queue, 2 to 1000; unlike a reserved concurrency
            it does not send throttled messages towards the dead-letter queue. Default: no limit of its
            own.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
        filters: Messages Lambda passes to the function, by patterns of `FilterCriteria.filter`; the
            others are deleted from the queue. Default: all.
        filter_policy: Messages SNS delivers to the queue, by message attributes. Default: all.
        filter_policy_with_message_body: The same by the message's body, instead. Default: all.
        raw_message_delivery: Put the published message itself into the queue, without SNS's envelope.
            Default: on.
        max_receive_count: Attempts before a message goes to the dead-letter queue. Default: 5, the least that AWS
            recommends, so that throttling alone takes no message there.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        visibility_timeout: How long a message given to the function stays hidden from others, at most 12 hours.
            Default: six times the function's timeout plus the batching window, as AWS recommends.
            https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        queue: A queue to use, with its own settings. Default: one is created.
        queue_key: Customer key that encrypts the created queues; it may be the topic's. Default: keys of SQS.
        dead_letter_queue: Where messages end that could not be delivered or processed. Default: the given
            queue's own, otherwise one is created that keeps them 14 days.
        table: Table the worker writes to; its name comes as `TABLE_NAME`. Default: the pipeline's, for
            the pipeline's own worker and for added ones that run the reference handler.
        table_actions: What the function may do with the table, for example
            `["dynamodb:PutItem", "dynamodb:Query"]`. Default: `dynamodb:PutItem` for the reference handler, which does
            nothing else; for a handler of your own what `grant_write_data` of the CDK allows.
        publish_to: Topic of a further pipeline; its ARN comes as `TOPIC_ARN`. Default: none.
    """

    tracing: WorkerTracing = "continued"
    zero_code: bool = False
    batch_size: int = 10
    max_batching_window: Duration | None = None
    max_concurrency: int | None = None
    filters: Sequence[Mapping[str, object]] | None = None
    filter_policy: Mapping[str, sns.SubscriptionFilter] | None = None
    filter_policy_with_message_body: Mapping[str, sns.FilterOrPolicy] | None = None
    raw_message_delivery: bool = True
    max_receive_count: int = 5
    visibility_timeout: Duration | None = None
    queue: sqs.IQueue | None = None
    queue_key: kms.IKey | None = None
    dead_letter_queue: sqs.IQueue | None = None
    table: dynamodb.ITable | None = None
    table_actions: Sequence[str] | None = None
    publish_to: sns.ITopic | None = None
