"""What the engine writes in a message's span, as the engine for X-Ray writes it in a document."""

from typing import Any

from .._otel_message import ATTEMPT, INVOCATION_ID, INVOKED_ARN, MESSAGE_ID, QUEUE_MS
from ._values import text_of

_ANNOTATIONS = {MESSAGE_ID: "message_id", ATTEMPT: "attempt", QUEUE_MS: "queue_ms"}


def take_message(attributes: dict[str, Any]) -> dict[str, object]:
    """Takes a message's annotations, as the engine for X-Ray has them, out of a span's attributes.

    Args:
        attributes: The attributes that no block has taken yet.
    """
    if ATTEMPT not in attributes:
        return {}
    return {name: attributes.pop(key) for key, name in _ANNOTATIONS.items() if key in attributes}


def take_invocation(attributes: dict[str, Any], aws: dict[str, Any]) -> str:
    """Takes the invocation out of a span's attributes, into its `aws` block.

    Args:
        attributes: The attributes that no block has taken yet.
        aws: The block.

    Returns:
        The ARN the function was invoked by; empty where the span does not say it.
    """
    request_id, arn = text_of(attributes.pop(INVOCATION_ID, None)), text_of(attributes.pop(INVOKED_ARN, None))
    if request_id:
        aws["request_id"] = request_id
    if arn:
        aws["function_arn"] = arn
        if arn.count(":") >= 6:
            aws["account_id"] = arn.split(":")[4]
    return arn
