"""A worker: its subscription, its queues and its function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from aws_cdk import Duration
from aws_cdk import aws_kms as kms

from .function_options import FunctionOptions
from .queue_options import QueueOptions

WorkerTracing: TypeAlias = Literal["continued", "linked", "unbridged"]


@dataclass(frozen=True, kw_only=True)
class WorkerOptions(QueueOptions, FunctionOptions):
    """A subscription, its queue with a dead-letter queue, and the function that works through it.

    Attributes:
        tracing: `"continued"`: each message continues the trace it came with, and Lambda's own tracing is
            `PassThrough`, so that nothing is recorded twice; `"linked"`: the same, and Lambda's own trace is kept
            beside it (`Active`); `"unbridged"`: what AWS does by itself, `Active` and without the bridge. Default:
            `"continued"`, but `"linked"` where `instrumentation` needs `Active`.
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
    """

    tracing: WorkerTracing | None = None
    zero_code: bool = False
    batch_size: int = 10
    max_batching_window: Duration | None = None
    max_concurrency: int | None = None
    minimum_pollers: int | None = None
    maximum_pollers: int | None = None
    event_source_metrics: bool = False
    filters: Sequence[Mapping[str, object]] | None = None
    filter_encryption: kms.IKey | None = None
