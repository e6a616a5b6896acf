"""Which events are batches of SQS messages."""

from collections.abc import Mapping
from typing import Any, NoReturn

_SQS = "aws:sqs"
_EXPECTED = 'expected the event of an SQS event source mapping, {"Records": [{"eventSource": "aws:sqs", …}, …]}'


def records_of(event: object) -> list[Any]:
    """Returns the records of an SQS event.

    In an event made by hand, as for a unit test, they need not name their source.


    Raises:
        ValueError: The event is no batch of SQS messages; the message says what came.
    """
    if type(event) is not dict and not isinstance(event, Mapping):
        raise ValueError(f"the event is {type(event).__name__}; {_EXPECTED}")
    records = event.get("Records")
    if not isinstance(records, list):
        keys = sorted(map(str, event))[:10]
        raise ValueError(f"the event has no list of Records but the keys {keys}; {_EXPECTED}")  # noqa: TRY004
    for record in records:
        if not (type(record) is dict and record.get("eventSource") == _SQS):
            _check_record(record)
    return records


def is_sqs_batch(event: object) -> bool:
    """Returns whether an event is a batch of SQS messages, every record of which says so."""
    records = event.get("Records") if isinstance(event, Mapping) else None
    return (
        isinstance(records, list)
        and bool(records)
        and all(isinstance(record, Mapping) and record.get("eventSource") == _SQS for record in records)
    )


def _check_record(record: object) -> None:
    if not isinstance(record, Mapping):
        _refuse(f"hold {type(record).__name__}")
    # SNS writes EventSource: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html.
    source = record.get("eventSource") or record.get("EventSource")
    if source is not None and source != _SQS:
        _refuse(f"come from {source!r}")
    if source is None and "messageId" not in record:
        _refuse(f"have the keys {sorted(map(str, record))[:10]}")


def _refuse(what: str) -> NoReturn:
    raise ValueError(f"the event's records {what}; {_EXPECTED}")
