"""A handler of one message, made the handler of a batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Self, TypedDict, overload

from . import _state
from ._bridge import trace_batch
from ._config import ENVELOPES, ON_UNDECIDED, Envelope, OnUndecided, checked_choice, checked_number
from ._events import records_of
from ._failures import BatchFailedError
from ._instrument import instrument
from ._invocation import LambdaContext
from ._lanes import Batch, MessageHandler
from ._logs import trace_logs
from ._record import queue_arn_of


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
    *,
    max_workers: int | None = None,
    reserve_ms: int | None = None,
    raise_if_all_failed: bool | None = None,
    envelope: Envelope | None = None,
    on_undecided: OnUndecided | None = None,
) -> Callable[[MessageHandler], BatchHandler]: ...


def sqs_handler(
    handler: MessageHandler | None = None,
    /,
    *,
    max_workers: int | None = None,
    reserve_ms: int | None = None,
    raise_if_all_failed: bool | None = None,
    envelope: Envelope | None = None,
    on_undecided: OnUndecided | None = None,
) -> BatchHandler | Callable[[MessageHandler], BatchHandler]:
    """Makes a function of one message the Lambda handler of a queue: each message in its own trace.

    The event source mapping has to report batch item failures (`QueueWorker` sets it): a message whose function raises
    is returned as failed and delivered again, the others are done. An awaitable that the function returns is awaited,
    on one event loop for all invocations. On a FIFO queue nothing of a message group is run behind a failure of that
    group. Near the end of the invocation's time the messages not begun are returned as failed rather than lost. AWS
    calls are recorded: the decorator calls `instrument()`.

    Args:
        handler: The function, `def` or `async def`; its result is ignored.
        max_workers: How many messages are worked on at once: threads for `def`, tasks for `async def`; the groups
            of a FIFO queue side by side, each in order. Default: `TRACE_BRIDGE_MAX_WORKERS`, else one after another.
        reserve_ms: Milliseconds before the end of the invocation at which no further message is begun.
            Default: `TRACE_BRIDGE_RESERVE_MS`, else each message's equal part of the invocation's time, at least one
            second (or a quarter of a time that is shorter than four).
        raise_if_all_failed: Whether to raise `BatchFailedError` when at least one message failed and none succeeded.
            Default: `TRACE_BRIDGE_RAISE_IF_ALL_FAILED`, else on.
        envelope: As for `Message`.
        on_undecided: As for `continue_trace`.

    Returns:
        `handler(event, context) -> {"batchItemFailures": [...]}`. It raises ValueError for an event that is no batch
        of SQS messages, and BatchFailedError when every message that was begun failed.

    Raises:
        TypeError: The handler cannot be called.
        ConfigurationError: An argument has a value that means nothing.
    """
    options = BatchOptions.of(
        max_workers=max_workers,
        reserve_ms=reserve_ms,
        raise_if_all_failed=raise_if_all_failed,
        envelope=envelope,
        on_undecided=on_undecided,
    )

    def decorate(function: MessageHandler) -> BatchHandler:
        if not callable(function):
            raise TypeError(f"the handler is {type(function).__name__}; expected a function of one Message")
        instrument()
        trace_logs()

        @wraps(function)
        def handle(event: Mapping[str, Any], context: LambdaContext) -> BatchResponse:
            return run_batch(function, records_of(event), context, options=options)

        return handle

    return decorate if handler is None else decorate(handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchOptions:
    """How the messages of a batch are run; the fields are as the arguments of `sqs_handler`."""

    max_workers: int
    reserve_ms: float | None
    raise_if_all_failed: bool
    envelope: Envelope | None
    on_undecided: OnUndecided | None

    @classmethod
    def of(
        cls,
        *,
        max_workers: int | None = None,
        reserve_ms: int | None = None,
        raise_if_all_failed: bool | None = None,
        envelope: Envelope | None = None,
        on_undecided: OnUndecided | None = None,
    ) -> Self:
        """Returns the options, with the settings where there is no argument.

        Raises:
            ConfigurationError: An argument has a value that means nothing.
        """
        settings = _state.settings
        workers = checked_number("max_workers", settings.max_workers if max_workers is None else max_workers, 1, 1000)
        reserve = settings.reserve_ms if reserve_ms is None else reserve_ms
        raises = settings.raise_if_all_failed if raise_if_all_failed is None else raise_if_all_failed
        return cls(
            max_workers=int(workers),
            reserve_ms=None if reserve is None else checked_number("reserve_ms", reserve, 0, 900_000),
            raise_if_all_failed=checked_choice("raise_if_all_failed", raises, (True, False)),
            envelope=None if envelope is None else checked_choice("envelope", envelope, ENVELOPES),
            on_undecided=None if on_undecided is None else checked_choice("on_undecided", on_undecided, ON_UNDECIDED),
        )


def run_batch(
    function: MessageHandler,
    records: list[Any],
    context: LambdaContext,
    *,
    options: BatchOptions,
    check: Callable[[object], None] | None = None,
) -> BatchResponse:
    """Runs a function once for each record of a batch and sends the batch's documents.

    Args:
        function: The function.
        records: The records.
        context: The handler's context.
        options: How they are run.
        check: As for `Batch`.

    Returns:
        The messages that failed or were not begun.

    Raises:
        BatchFailedError: At least one message failed and none succeeded.
    """
    batch = Batch(
        records,
        context,
        fifo=_is_fifo(records),
        reserve_ms=options.reserve_ms,
        on_undecided=options.on_undecided,
        envelope=options.envelope,
        check=check,
    )
    with trace_batch(context):
        batch.run(function, workers=options.max_workers)
    if options.raise_if_all_failed and batch.has_failed:
        failures = batch.failures()
        failed, not_begun = tuple(message_id for message_id, _ in failures), tuple(batch.not_begun_ids())
        raise BatchFailedError(failed, not_begun) from failures[0][1]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in batch.not_done_ids()]}


def _is_fifo(records: list[Any]) -> bool:
    """Returns whether the records come from a FIFO queue, whose name ends in `.fifo`; all are of the same queue."""
    for record in records:
        arn = queue_arn_of(record)
        if arn:
            return arn.endswith(".fifo")
    return False
