"""A handler of one message, made the handler of a batch."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, overload

from . import _state
from ._config import ENVELOPES, ON_UNDECIDED, checked_choice, checked_number
from ._instrument import instrument
from ._logs import trace_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypedDict

    from ._config import Envelope, OnUndecided
    from ._invocation import LambdaContext
    from ._lanes import MessageHandler

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
    options = BatchOptions(
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

        run_batch: Callable[..., BatchResponse] | None = None

        @wraps(function)
        def handle(event: Mapping[str, Any], context: LambdaContext) -> BatchResponse:
            nonlocal run_batch
            if run_batch is None:
                from . import _running

                run_batch = _running.run_batch
            return run_batch(function, event, context, options=options)

        return handle

    return decorate if handler is None else decorate(handler)


class BatchOptions:
    """How the messages of a batch are run, with the settings where there is no argument.

    The arguments and attributes are as the arguments of `sqs_handler`.

    Raises:
        ConfigurationError: An argument has a value that means nothing.
    """

    __slots__ = ("envelope", "max_workers", "on_undecided", "raise_if_all_failed", "reserve_ms")

    def __init__(
        self,
        *,
        max_workers: int | None = None,
        reserve_ms: int | None = None,
        raise_if_all_failed: bool | None = None,
        envelope: Envelope | None = None,
        on_undecided: OnUndecided | None = None,
    ) -> None:
        settings = _state.settings
        workers = checked_number("max_workers", settings.max_workers if max_workers is None else max_workers, 1, 1000)
        reserve = settings.reserve_ms if reserve_ms is None else reserve_ms
        raises = settings.raise_if_all_failed if raise_if_all_failed is None else raise_if_all_failed
        self.max_workers = int(workers)
        self.reserve_ms = None if reserve is None else checked_number("reserve_ms", reserve, 0, 900_000)
        self.raise_if_all_failed = checked_choice("raise_if_all_failed", raises, (True, False))
        self.envelope = None if envelope is None else checked_choice("envelope", envelope, ENVELOPES)
        self.on_undecided = None if on_undecided is None else checked_choice("on_undecided", on_undecided, ON_UNDECIDED)
