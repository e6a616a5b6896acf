"""A handler of one message, made the handler of a batch."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypedDict, overload

from . import _state
from ._bridge import trace_batch
from ._config import ON_UNDECIDED, OnUndecided, checked_choice, checked_number
from ._instrument import instrument
from ._invocation import LambdaContext
from ._lanes import Batch, MessageHandler, id_of


class ItemFailure(TypedDict):
    """One message to be delivered again."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """What Lambda expects of a handler with partial batch responses.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
    """

    batchItemFailures: list[ItemFailure]


BatchHandler = Callable[[Mapping[str, Any], LambdaContext], BatchResponse]


@overload
def sqs_handler(handler: MessageHandler, /) -> BatchHandler: ...


@overload
def sqs_handler(
    *, max_workers: int | None = None, reserve_ms: int | None = None, on_undecided: OnUndecided | None = None
) -> Callable[[MessageHandler], BatchHandler]: ...


def sqs_handler(
    handler: MessageHandler | None = None,
    /,
    *,
    max_workers: int | None = None,
    reserve_ms: int | None = None,
    on_undecided: OnUndecided | None = None,
) -> BatchHandler | Callable[[MessageHandler], BatchHandler]:
    """Makes a function of one message the Lambda handler of a queue: each message in its own trace.

    The event source mapping has to report batch item failures (`QueueWorker` sets it): a message whose function raises
    is returned as failed and delivered again, the others are done. On a FIFO queue nothing of a message group is run
    behind a failure of that group. Near the end of the invocation's time the messages not begun are returned as failed
    rather than lost. AWS calls are recorded: the decorator calls `instrument()`.

    Args:
        handler: The function, `def` or `async def`; its result is ignored.
        max_workers: How many messages are worked on at once: threads for `def`, tasks for `async def`; the groups
            of a FIFO queue side by side, each in order. Default: `TRACE_BRIDGE_MAX_WORKERS`, else one after another.
        reserve_ms: Milliseconds before the end of the invocation at which no further message is begun.
            Default: `TRACE_BRIDGE_RESERVE_MS`, else 1000.
        on_undecided: As for `continue_trace`.

    Returns:
        `handler(event, context) -> {"batchItemFailures": [...]}`. It raises ValueError for an event that is no batch
        of SQS messages.

    Raises:
        ConfigurationError: An argument has a value that means nothing.
    """
    workers = int(
        checked_number("max_workers", _state.settings.max_workers if max_workers is None else max_workers, 1, 1000)
    )
    reserve = checked_number("reserve_ms", _state.settings.reserve_ms if reserve_ms is None else reserve_ms, 0, 900_000)
    if on_undecided is not None:
        checked_choice("on_undecided", on_undecided, ON_UNDECIDED)

    def decorate(function: MessageHandler) -> BatchHandler:
        instrument()

        @wraps(function)
        def handle(event: Mapping[str, Any], context: LambdaContext) -> BatchResponse:
            records = records_of(event)
            batch = Batch(
                records,
                context,
                fifo=_is_fifo(records),
                reserve_seconds=reserve / 1000,
                on_undecided=on_undecided,
            )
            with trace_batch(context):
                batch.run(function, workers=workers)
            return {"batchItemFailures": [{"itemIdentifier": id_of(record)} for record in batch.not_done()]}

        return handle

    return decorate if handler is None else decorate(handler)


def records_of(event: object) -> list[Any]:
    """The records of an SQS event.

    Raises:
        ValueError: The event is no batch of SQS messages; the message says what came.
    """
    expected = 'expected the event of an SQS event source mapping, {"Records": [{"eventSource": "aws:sqs", …}, …]}'
    if not isinstance(event, Mapping):
        raise ValueError(f"the event is {type(event).__name__}; {expected}")  # noqa: TRY004 - the documented one
    records = event.get("Records")
    if not isinstance(records, list):
        keys = sorted(map(str, event))[:10]
        raise ValueError(f"the event has no list of Records but the keys {keys}; {expected}")  # noqa: TRY004
    for record in records:
        if type(record) is dict or isinstance(record, Mapping):
            source = record.get("eventSource")
            if source != "aws:sqs" and source is not None:
                raise ValueError(f"the event's records come from {source!r}; {expected}")
    return records


def _is_fifo(records: list[Any]) -> bool:
    """Whether the records come from a FIFO queue, whose name ends in `.fifo`: all of an event are of one queue."""
    for one in records:
        if isinstance(one, Mapping) and one.get("eventSourceARN"):
            return str(one["eventSourceARN"]).endswith(".fifo")
    return False
