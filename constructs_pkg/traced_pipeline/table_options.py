"""The table."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms

from .words import ChecksWords


@dataclass(frozen=True, kw_only=True)
class TableOptions(ChecksWords):
    """The table, with the partition key `id` (a string), on-demand capacity and point-in-time recovery.

    Attributes:
        key: Customer key that encrypts the table; the stack then needs a Region. Default: a key that DynamoDB owns,
            free of charge, whose use does not show in CloudTrail.
        removal_policy: What happens to the table when it is removed from the stack. Default: the pipeline's policy,
            which keeps it unless set otherwise.
    """

    key: kms.IKey | None = None
    removal_policy: RemovalPolicy | None = None
