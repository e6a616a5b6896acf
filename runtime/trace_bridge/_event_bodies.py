"""What AWS services write as a message's body, read where a handler says whose it is.

Nothing in a body decides it: whoever may send to a queue chooses a body's words.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

_TEST_EVENT = "s3:TestEvent"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventBridgeEvent:
    """An event that a rule of EventBridge delivered.

    https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html

    Attributes:
        id: Its id; a replayed event has another.
        source: Who sent it, `Source` of PutEvents.
        detail_type: What happened, `DetailType` of PutEvents.
        detail: The sender's own part, parsed.
        time: When it happened, as text in UTC.
        account: The account it comes from.
        region: The Region it comes from.
        resources: ARNs of what it is about.
    """

    id: str
    source: str
    detail_type: str
    detail: Any
    time: str
    account: str
    region: str
    resources: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Object:
    """An object that S3 notifies of.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html

    Attributes:
        event_name: What happened, such as `ObjectCreated:Put`.
        bucket: Name of the bucket.
        key: The object's key, decoded; S3 writes it as in a URL.
        size: Bytes; None where S3 does not say, as for a deleted object.
        etag: Its ETag; None where S3 does not say.
        version_id: Its version; None in a bucket without versions.
        sequencer: Of two events about one key, the one with the greater value came later; None where S3 does not say.
    """

    event_name: str
    bucket: str
    key: str
    size: int | None
    etag: str | None
    version_id: str | None
    sequencer: str | None


def eventbridge_event(
    body: str,
    *,
    message_id: str,
    parse_float: Callable[[str], Any] | None,
    parse_int: Callable[[str], Any] | None,
) -> EventBridgeEvent:
    """Reads a body as an event of EventBridge.

    Raises:
        ValueError: It is none.
    """
    event = _parsed(body, message_id, parse_float=parse_float, parse_int=parse_int)
    if not isinstance(event, dict) or not {"id", "source", "detail-type", "detail"} <= event.keys():
        raise ValueError(
            f"message {message_id or '(no id)'} has a body that is no event of EventBridge (a JSON object with id, "
            "source, detail-type and detail); use message.json(), or leave the rule's target without an input "
            "transformer"
        )
    resources = event.get("resources")
    return EventBridgeEvent(
        id=str(event["id"]),
        source=str(event["source"]),
        detail_type=str(event["detail-type"]),
        detail=event["detail"],
        time=str(event.get("time", "")),
        account=str(event.get("account", "")),
        region=str(event.get("region", "")),
        resources=tuple(map(str, resources)) if isinstance(resources, list) else (),
    )


def s3_objects(body: str, *, message_id: str) -> tuple[S3Object, ...]:
    """Reads a body as a notification of S3.

    Raises:
        ValueError: It is none.
    """
    notification = _parsed(body, message_id)
    if isinstance(notification, dict) and notification.get("Event") == _TEST_EVENT:
        return ()
    records = notification.get("Records") if isinstance(notification, dict) else None
    try:
        return tuple(_object(record) for record in records or _none_of_s3())
    except (AttributeError, KeyError, TypeError):
        raise ValueError(
            f"message {message_id or '(no id)'} has a body that is no notification of S3 (a JSON object with Records, "
            "each with eventName and s3); use message.json()"
        ) from None


def _none_of_s3() -> list[Mapping[str, Any]]:
    raise KeyError("Records")


def _object(record: Mapping[str, Any]) -> S3Object:
    stored: Mapping[str, Any] = record["s3"]["object"]
    return S3Object(
        event_name=record["eventName"],
        bucket=record["s3"]["bucket"]["name"],
        key=unquote_plus(stored["key"]),
        size=stored.get("size"),
        etag=stored.get("eTag"),
        version_id=stored.get("versionId"),
        sequencer=stored.get("sequencer"),
    )


def _parsed(
    body: str,
    message_id: str,
    *,
    parse_float: Callable[[str], Any] | None = None,
    parse_int: Callable[[str], Any] | None = None,
) -> Any:
    try:
        return json.loads(body, parse_float=parse_float, parse_int=parse_int)
    except ValueError as error:
        raise ValueError(
            f"message {message_id or '(no id)'} has a body that is not JSON: {error}; use message.body for text"
        ) from error
