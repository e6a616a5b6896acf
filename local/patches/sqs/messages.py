"""SQS: the tracing header of a message.

Source: X-Ray Developer Guide, "Amazon SQS and AWS X-Ray"; SQS API Reference, "SendMessage": the header comes
as HTTP header, or as the system attribute `AWSTraceHeader`, which wins. It stays with the message when it is
received again. That it also stays on the way to the dead-letter queue is assumed.
"""

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from ministack.services import sqs

from local.propagation import request_context
from local.propagation.header import TraceHeader

Message = dict[str, Any]

_entries: ContextVar[Iterator[Message] | None] = ContextVar("entries", default=None)


def install() -> None:
    """Puts the header of SendMessage and SendMessageBatch into the message; refuses a malformed one."""
    build, send, send_batch = sqs._build_send_sys_attrs, sqs._act_send_message, sqs._act_send_message_batch

    def build_system_attributes(now: float, given: Message) -> Message:
        attributes: Message = build(now, given)
        header = attributes.get("AWSTraceHeader") or request_context.inbound.get()
        if header:
            _require_well_formed(header)
            attributes["AWSTraceHeader"] = header
        return attributes

    def send_message(data: Message, queue_url: str) -> Message:
        # MiniStack leaves a batch entry's system attributes behind; it sends the entries in their order.
        entries = _entries.get()
        entry = next(entries, None) if entries else None
        if entry and entry.get("MessageSystemAttributes"):
            data = {**data, "MessageSystemAttributes": entry["MessageSystemAttributes"]}
        sent: Message = send(data, queue_url)
        return sent

    def send_message_batch(data: Message, queue_url: str) -> Message:
        with request_context.using(_entries, iter(data.get("Entries") or [])):
            sent: Message = send_batch(data, queue_url)
        return sent

    sqs._build_send_sys_attrs = build_system_attributes
    sqs._act_send_message = send_message
    sqs._act_send_message_batch = send_message_batch
    sqs._HANDLERS["SendMessage"] = send_message
    sqs._HANDLERS["SendMessageBatch"] = send_message_batch


def _require_well_formed(header: str) -> None:
    # The error is the one reported for `Root=dummy;Parent=..;Sampled=0` (aws-xray-sdk-python, issue 213).
    if TraceHeader.parse(header) is None:
        raise sqs._Err(
            "InvalidParameterValue",
            f"Value {header!r} for parameter AWSTraceHeader is invalid. Reason: it must be a tracing header, "
            "Root=1-<8 hexadecimal digits>-<24 hexadecimal digits>[;Parent=<16 hexadecimal digits>][;Sampled=0|1].",
        )
