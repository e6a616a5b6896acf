"""The topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_xray as xray

from .words import ChecksWords


@dataclass(frozen=True, kw_only=True)
class TopicOptions(ChecksWords):
    """The topic.

    Attributes:
        fifo: Whether the messages of a group keep their order, and duplicates are dropped for five minutes. The queues
            and dead-letter queues behind the topic are then FIFO too, and publishers name a message group. Default: a
            standard topic.
        content_based_deduplication: With `fifo`: whether a message's body decides if it is a duplicate, instead of an
            id that the publisher gives. Default: on.
        fifo_throughput_scope: With `fifo`: whether SNS looks for duplicates in the whole topic, or in each message
            group alone, which lets more messages through. The queues that workers create behind the topic do the same.
            Default: the whole topic.
            https://docs.aws.amazon.com/sns/latest/dg/fifo-high-throughput.html
        max_message_size: Bytes of the largest message, its attributes included: 1024 to 1048576. Above 262144 the topic
            takes at most 100 subscriptions, of queues, functions and Firehose streams only. Default: 262144.
            https://docs.aws.amazon.com/sns/latest/dg/large-message-payloads.html
        key: Customer key that encrypts messages at rest. The AWS managed key `alias/aws/sns` is not offered: its policy
            cannot be changed to let other publishers in. Default: none.
        trace_permission: Who makes the resource policy of X-Ray that SNS needs to send segments; an account holds five
            such policies per Region. `"stack"`: the stack makes one for all its topics, unless an `AccountTracing` of
            the app says that the account has one; `"none"`: the account has one already, or another stack makes it; or
            a policy of your own, which the topic then waits for. Default: `"stack"`.
            https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html
    """

    fifo: bool = False
    content_based_deduplication: bool = True
    fifo_throughput_scope: sns.FifoThroughputScope | None = None
    max_message_size: int | None = None
    key: kms.IKey | None = None
    trace_permission: Literal["stack", "none"] | xray.CfnResourcePolicy = "stack"
