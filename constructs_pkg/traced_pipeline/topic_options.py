"""The topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aws_cdk import aws_kms as kms
from aws_cdk import aws_xray as xray

from .words import ChecksWords


@dataclass(frozen=True, kw_only=True)
class TopicOptions(ChecksWords):
    """The topic.

    Attributes:
        fifo: Keep the order of the messages of a group, and drop duplicates for five minutes. Queues and
            dead-letter queues behind the topic then are FIFO too; publishers name a message group.
            Default: a standard topic.
        content_based_deduplication: With `fifo`: a message's body decides whether it is a duplicate,
            instead of an id the publisher gives. Default: on.
        key: Customer key that encrypts messages at rest. Default: none. The AWS-managed key `alias/aws/sns` is
            no choice here: its policy cannot be changed to let other publishers in.
        trace_permission: SNS records segments only where a resource policy of X-Ray lets it, of which an
            account holds five in a Region. `"stack"`: the stack has one, shared by its topics;
            `"none"`: the account has one already, or another stack makes it; or a resource policy of
            your own, which the topic then waits for. Default: `"stack"`.
            https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html
    """

    fifo: bool = False
    content_based_deduplication: bool = True
    key: kms.IKey | None = None
    trace_permission: Literal["stack", "none"] | xray.CfnResourcePolicy = "stack"
