"""Segment documents as JSON text: the one place that writes them by hand.

A document is written for every message. So what the messages of an invocation have in common is written once, and ids
are not escaped, as they hold nothing that needs it.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

from __future__ import annotations

import json
import platform
from functools import lru_cache
from typing import TYPE_CHECKING

from ._json import encode, quote
from ._state import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_LINKS = 100

MAX_BYTES = 64_000
"""A segment document has at most 64 kB, and one in a UDP datagram to the daemon at most 65,477 bytes.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html; the lower bound serves both.
"""

MAX_TEXT = 250
"""Longest method, URL, user agent, client address and user of AWS's own schema of segment documents."""

PREFIX = '{"format":"json","version":1}\n'
"""What stands in front of a document in a datagram to the daemon.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""


class PlaceFields:
    """Where messages are processed, as JSON whose `aws` is still open.

    Attributes:
        name: The segments' name, as X-Ray takes it.
        segment: The fields of a segment.
        subsegment: The fields of a subsegment.
    """

    __slots__ = ("name", "segment", "subsegment")

    def __init__(self, name: str, segment: str, subsegment: str) -> None:
        self.name = name
        self.segment = segment
        self.subsegment = subsegment


@lru_cache(maxsize=16)
def place_fields(name: str, function_arn: str, origin: str | None, log_group: str | None) -> PlaceFields:
    """Returns the fields that say where messages are processed.

    Args:
        name: Name of the segments; characters that X-Ray does not take are left out.
        function_arn: ARN the function was invoked by; empty outside Lambda.
        origin: The kind of compute, `AWS::Lambda::Function`, …; None where it is not known.
        log_group: Where the logs are; None where it is not known.
    """
    name = valid_name(name, otherwise="consumer")
    fields: dict[str, object] = {
        "name": name,
        "service": {
            "runtime": platform.python_implementation(),
            "runtime_version": platform.python_version(),
        },
    }
    if origin:
        fields["origin"] = origin
    if function_arn:
        fields["resource_arn"] = function_arn
    aws = encode(_aws(function_arn, log_group))[:-1]
    nested = {"name": name, "type": "subsegment"}
    return PlaceFields(name, f'{encode(fields)[1:-1]},"aws":{aws}', f'{encode(nested)[1:-1]},"aws":{aws}')


def invocation_fields(place: str, request_id: str) -> str:
    """Returns the fields that every document of an invocation has.

    Args:
        place: The fields of a segment or of a subsegment, of `PlaceFields`.
        request_id: Id of the invocation; empty outside Lambda.
    """
    return f'{place},"request_id":{quote(request_id)}}}' if request_id else f"{place}}}"


def annotations_field(message_id: str, attributes: Mapping[str, str], own: Mapping[str, object]) -> str:
    """Returns the field `annotations` of a message with a comma in front; empty where there are none.

    Args:
        message_id: Id of the message; empty where it has none.
        attributes: SQS's system attributes of the message.
        own: The handler's annotations.
    """
    fields = f',"message_id":{quote(message_id)}' if message_id else ""
    try:
        fields = f'{fields},"attempt":{int(attributes["ApproximateReceiveCount"])}'
        queue_ms = int(attributes["ApproximateFirstReceiveTimestamp"]) - int(attributes["SentTimestamp"])
        fields = f'{fields},"queue_ms":{max(0, queue_ms)}'
    except (KeyError, TypeError, ValueError, OverflowError):
        pass
    if own:
        of_sqs: dict[str, object] = json.loads(f"{{{fields[1:]}}}")
        return f',"annotations":{encode(of_sqs | dict(own))}'
    return f',"annotations":{{{fields[1:]}}}' if fields else ""


def metadata_field(metadata: Mapping[str, Mapping[str, object]]) -> str:
    """Returns the field `metadata` with a comma in front; empty where every namespace is."""
    filled = {namespace: values for namespace, values in metadata.items() if values}
    return f',"metadata":{encode(filled)}' if filled else ""


def message_document(
    segment_id: str,
    trace_id: str | None,
    start_time: float,
    end_time: float,
    parent_id: str | None,
    fields: str,
    cause: object,
    subsegments: str,
) -> str:
    """Returns the document of a message.

    Args:
        segment_id: Id of the segment.
        trace_id: Id of the message's trace.
        start_time: Seconds since the epoch.
        end_time: Seconds since the epoch; 0.0 while the message is in progress.
        parent_id: Id of the segment or subsegment above it; None where there is none.
        fields: The invocation's fields, annotations and metadata.
        cause: Why the message failed; None where it did not.
        subsegments: The documents below it, separated by commas.
    """
    if end_time and parent_id and cause is None and not subsegments:
        # Most messages, in one step.
        return (
            f'{{"id":"{segment_id}","trace_id":"{trace_id}","start_time":{start_time!r},"end_time":{end_time!r},'
            f'"parent_id":"{parent_id}",{fields}}}'
        )
    end = f'"end_time":{end_time!r}' if end_time else '"in_progress":true'
    parent = f',"parent_id":"{parent_id}"' if parent_id else ""
    failure = "" if cause is None else f',"fault":true,"cause":{encode(cause)}'
    nested = f',"subsegments":[{subsegments}]' if subsegments else ""
    return (
        f'{{"id":"{segment_id}","trace_id":"{trace_id}","start_time":{start_time!r},{end}{parent},'
        f"{fields}{failure}{nested}}}"
    )


def outcome_fields(status: int | None, cause: object) -> str:
    """Returns the fields that say how a call ended, with a comma in front; empty where it went well.

    https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html#api-segmentdocuments-errors

    Args:
        status: Status of the answer: 5xx is a fault, 4xx an error, 429 a throttle too; None where there was none.
        cause: What the call raised; None where it raised nothing. Without an answer that is a fault.
    """
    described = "" if cause is None else f',"cause":{encode(cause)}'
    if status is None:
        return f',"fault":true{described}' if described else ""
    if status < 400:
        return described
    if status >= 500:
        return f',"fault":true{described}'
    throttle = ',"throttle":true' if status == 429 else ""
    return f',"error":true{throttle}{described}'


def links_document(
    segment_id: str,
    trace_id: str,
    parent_id: str,
    start_time: float,
    end_time: float,
    messages: Sequence[tuple[str, str]],
    count: int,
) -> str:
    """Returns a subsegment of Lambda's own trace that names the traces in which messages were continued.

    Args:
        segment_id: Id of the subsegment.
        trace_id: Id of Lambda's own trace.
        parent_id: Id of Lambda's own segment.
        start_time: Seconds since the epoch.
        end_time: Seconds since the epoch.
        messages: Trace id and segment id of the first messages, at most 100.
        count: How many messages there are.
    """
    links = ",".join(f'{{"trace_id":"{trace}","segment_id":"{segment}"}}' for trace, segment in messages)
    return (
        f'{{"type":"subsegment","id":"{segment_id}","name":"trace_bridge","trace_id":"{trace_id}",'
        f'"parent_id":"{parent_id}","start_time":{start_time!r},"end_time":{end_time!r},'
        f'"annotations":{{"continued_messages":{count},"continued_trace_id":"{messages[0][0]}"}},'
        f'"metadata":{{"trace_bridge":{{"continued":[{links}]}}}}}}'
    )


def _aws(function_arn: str, log_group: str | None) -> dict[str, object]:
    aws: dict[str, object] = {"xray": {"sdk": "trace-bridge", "sdk_version": VERSION}}
    if function_arn:
        aws["function_arn"] = function_arn
        if function_arn.count(":") >= 6:
            aws["account_id"] = function_arn.split(":")[4]
    if log_group:
        aws["cloudwatch_logs"] = [{"log_group": log_group}]
    return aws


def valid_name(name: str, *, otherwise: str) -> str:
    r"""Returns a name that X-Ray takes: letters, digits, spaces and `_.:/%&#=+\\-@`, at most 200.

    Args:
        name: The name; characters that X-Ray does not take are left out.
        otherwise: The name where nothing is left of it.
    """
    kept = "".join(character for character in name if character.isalnum() or character in " _.:/%&#=+\\-@")
    return kept[:200] or otherwise
