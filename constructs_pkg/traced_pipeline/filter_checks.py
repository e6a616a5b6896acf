"""Filters that cannot work as they are given."""

from __future__ import annotations

import json
from collections.abc import Mapping

from aws_cdk import Token
from constructs import Construct

from .checks import Check, PipelineError, warn
from .queue_options import QueueOptions
from .worker_options import WorkerOptions

# https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
_ENVELOPE = {
    "Type",
    "MessageId",
    "TopicArn",
    "Subject",
    "Message",
    "Timestamp",
    "SequenceNumber",
    "SignatureVersion",
    "Signature",
    "SigningCertURL",
    "UnsubscribeURL",
    "MessageAttributes",
}


def check_filter_policies(options: QueueOptions) -> None:
    """Checks the filter policies of a worker's subscription against each other.

    Raises:
        PipelineError: Both are given, of which a subscription has one.
            https://docs.aws.amazon.com/sns/latest/dg/sns-message-filtering-scope.html
    """
    if options.filter_policy is not None and options.filter_policy_with_message_body is not None:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "filter_policy and filter_policy_with_message_body are given, but a subscription filters by the one or the "
            "other; give one, or a worker for each",
        )


def check_filters(scope: Construct, options: WorkerOptions) -> None:
    """Checks Lambda's filters of a worker's messages by themselves, and against what its queue holds.

    Raises:
        PipelineError: One is no filter, or there is none to encrypt.
    """
    if options.filter_encryption is not None and not options.filters:
        raise PipelineError(
            Check.OPTION_CONFLICT,
            "filter_encryption is given without filters to encrypt; give filters, or leave it out",
        )
    for pattern in options.filters or ():
        _check_pattern(pattern)
    if options.raw_message_delivery:
        return
    strangers = {name for pattern in options.filters or () for name in _body_fields(pattern.get("pattern"))} - _ENVELOPE
    if strangers:
        warn(
            scope,
            Check.FILTER_ON_ENVELOPE,
            f"filters ask for {', '.join(sorted(strangers))} in the body, but without raw_message_delivery the body is "
            "SNS's envelope, which has no such field: Lambda will delete every message; leave raw_message_delivery on",
        )


def _check_pattern(pattern: Mapping[str, object]) -> None:
    text = pattern.get("pattern")
    if isinstance(text, str) and (Token.is_unresolved(text) or _is_object(text)) and len(pattern) == 1:
        return
    raise PipelineError(
        Check.OPTION_VALUE,
        f"WorkerOptions.filters holds {dict(pattern)!r}, but each must be made by lambda_.FilterCriteria.filter",
    )


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _body_fields(pattern: object) -> set[str]:
    if not isinstance(pattern, str) or Token.is_unresolved(pattern):
        return set()
    parsed = json.loads(pattern)
    body = parsed.get("body") if isinstance(parsed, dict) else None
    return {name for name in body if not name.startswith("$")} if isinstance(body, dict) else set()
