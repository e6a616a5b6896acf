"""Sending messages that belong to different traces in one call."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from ._environment import LAMBDA_TRACE_HEADER
from ._header import TraceHeader
from ._scope import current_scope

_log = logging.getLogger("trace_bridge")


def traced_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an entry of `send_message_batch`, or arguments of `send_message`, with a trace header of its own.

    One HTTP request has one trace header, so that entries collected from several messages would all continue the trace
    of whoever sends them. The system attribute `AWSTraceHeader` belongs to an entry, and SQS prefers it:
    https://docs.aws.amazon.com/xray/latest/devguide/xray-services-sqs.html. It does not count towards its size.

    SNS has no such attribute: all entries of a `publish_batch` continue the trace in which the call is made. Publish
    messages of different traces one by one, each inside its own, or send them to SQS. An entry of SNS is given back as
    it is, with a warning.
    https://docs.aws.amazon.com/sns/latest/api/API_PublishBatchRequestEntry.html

    Args:
        entry: The entry, with `Id` and `MessageBody`.

    Returns:
        A copy that continues the message being worked on, or the invocation's own trace outside of one. An entry that
        has a header already keeps it; where there is no trace to continue, the copy is as the entry was.
    """
    traced = dict(entry)
    if "Message" in traced and "MessageBody" not in traced:
        _log.warning(
            "traced_entry got an entry of SNS's publish_batch, which has no trace header of its own; publish messages "
            "of different traces one by one"
        )
        return traced
    attributes = dict(traced.get("MessageSystemAttributes") or {})
    scope = current_scope()
    if scope is not None and scope.message.recording != "none":
        header = scope.message.header_text()
    else:
        own = TraceHeader.parse(os.environ.get(LAMBDA_TRACE_HEADER))
        header = own.format() if own else None
    if header is not None and "AWSTraceHeader" not in attributes:
        attributes["AWSTraceHeader"] = {"DataType": "String", "StringValue": header}
        traced["MessageSystemAttributes"] = attributes
    return traced
