"""The batch of an invocation: run, sent, and answered as Lambda expects it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._bridge import trace_batch
from ._events import records_of
from ._failures import BatchFailedError
from ._lanes import Batch
from ._message import queue_arn_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._batch import BatchOptions, BatchResponse
    from ._invocation import LambdaContext
    from ._lanes import MessageHandler


def run_batch(
    function: MessageHandler,
    event: object,
    context: LambdaContext,
    *,
    options: BatchOptions,
    check: Callable[[object], None] | None = None,
) -> BatchResponse:
    """Runs a function once for each record of a batch and sends the batch's documents.

    Args:
        function: The function.
        event: The event of the queue's event source mapping.
        context: The handler's context.
        options: How they are run.
        check: As for `Batch`.

    Returns:
        The messages that failed or were not begun.

    Raises:
        ValueError: The event is no batch of SQS messages.
        BatchFailedError: At least one message failed and none succeeded.
    """
    records = records_of(event)
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
