"""The records of one batch: in order where order counts, side by side where it does not."""

import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from inspect import iscoroutinefunction
from typing import Any, cast

from ._bridge import continue_trace
from ._config import OnUndecided
from ._invocation import LambdaContext
from ._message import Message

_log = logging.getLogger("trace_bridge")

MessageHandler = Callable[[Message], object] | Callable[[Message], Awaitable[object]]


class Batch:
    """Runs a function once for each record, each in its own trace.

    Args:
        records: The records, of Lambda or of boto3.
        context: The handler's context; None outside Lambda.
        fifo: Whether they come from a FIFO queue: nothing of a message group is run behind a failure of that group.
        reserve_seconds: No record is begun when the invocation has less time left than this.
        on_undecided: As for `continue_trace`.
        may_begin: Asked before each record; False leaves the record, and those behind it in its lane, not done.
        on_done: Called with each record that succeeded, right after it.
    """

    def __init__(
        self,
        records: list[Any],
        context: LambdaContext | None,
        *,
        fifo: bool,
        reserve_seconds: float = 0.0,
        on_undecided: OnUndecided | None = None,
        may_begin: Callable[[], bool] | None = None,
        on_done: Callable[[Any], None] | None = None,
    ) -> None:
        self._records = records
        self._context = context
        self._remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
        self._fifo = fifo
        self._reserve_ms = reserve_seconds * 1000
        self._on_undecided = on_undecided
        self._asked = may_begin
        self._on_done = on_done
        self._begun = [False] * len(records)
        self._done = [False] * len(records)

    def not_begun(self) -> list[Any]:
        """The records that were never begun."""
        return [record for record, begun in zip(self._records, self._begun, strict=True) if not begun]

    def not_done(self) -> list[Any]:
        """The records that failed or were never begun."""
        return [record for record, done in zip(self._records, self._done, strict=True) if not done]

    def run(self, function: MessageHandler, *, workers: int) -> None:
        """Runs the records: in this thread one after another, or `workers` lanes at once."""
        lanes = self._lanes() if self._fifo or workers > 1 else [range(len(self._records))]
        if iscoroutinefunction(function):
            import asyncio  # half of this package's import, needed by coroutines alone

            asyncio.run(self._run_tasks(cast("Callable[[Message], Awaitable[object]]", function), lanes, workers))
        elif workers == 1 or len(lanes) <= 1:
            for lane in lanes:
                self._run_lane(function, lane)
        else:
            with ThreadPoolExecutor(min(workers, len(lanes)), thread_name_prefix="trace-bridge-worker") as pool:
                for _ in pool.map(lambda lane: self._run_lane(function, lane), lanes):
                    pass

    async def _run_tasks(
        self, function: Callable[[Message], Awaitable[object]], lanes: Sequence[Iterable[int]], workers: int
    ) -> None:
        import asyncio

        turn = asyncio.Semaphore(workers)

        async def in_turn(lane: Iterable[int]) -> None:
            async with turn:
                await self._run_lane_async(function, lane)

        await asyncio.gather(*(in_turn(lane) for lane in lanes))

    def _run_lane(self, function: Callable[[Message], object], lane: Iterable[int]) -> None:
        records, context, on_undecided, done = self._records, self._context, self._on_undecided, self._done
        for index in lane:
            if not self._may_begin(index):
                return
            record = records[index]
            try:
                with continue_trace(record, context, on_undecided=on_undecided):
                    function(Message(record))
            except Exception as error:  # noqa: BLE001 - any failure is that message's, and only that message's
                if self._failed(index, error):
                    return
            else:
                done[index] = True
                if self._on_done is not None:
                    self._on_done(record)

    async def _run_lane_async(self, function: Callable[[Message], Awaitable[object]], lane: Iterable[int]) -> None:
        for index in lane:
            if not self._may_begin(index):
                return
            record = self._records[index]
            try:
                with continue_trace(record, self._context, on_undecided=self._on_undecided):
                    await cast("Coroutine[Any, Any, object]", function(Message(record)))
            except Exception as error:  # noqa: BLE001 - as above
                if self._failed(index, error):
                    return
            else:
                self._done[index] = True
                if self._on_done is not None:
                    self._on_done(record)

    def _lanes(self) -> Sequence[Sequence[int]]:
        """Records that have to keep their order, together: a FIFO queue's message groups, else each by itself."""
        if not self._fifo:
            return [[index] for index in range(len(self._records))]
        groups: dict[str, list[int]] = {}
        for index, record in enumerate(self._records):
            groups.setdefault(_group_of(record), []).append(index)
        return list(groups.values())

    def _may_begin(self, index: int) -> bool:
        if self._asked is not None and not self._asked():
            return False
        remaining = self._remaining
        if remaining is None or remaining() > self._reserve_ms:
            self._begun[index] = True
            return True
        _log.warning("no time left for message %s; it is returned to the queue", id_of(self._records[index]))
        return False

    def _failed(self, index: int, error: Exception) -> bool:
        """Logs a failure; True when nothing behind it may run."""
        told = id_of(self._records[index])
        _log.error("message %s failed: %s: %s", told, type(error).__name__, error, exc_info=error)
        return self._fifo


def id_of(record: Any) -> str:
    """The message id of a record; empty where it has none, which Lambda takes as the whole batch having failed."""
    return Message(record).message_id if isinstance(record, Mapping) else ""


def _group_of(record: Any) -> str:
    return Message(record).group_id or "" if isinstance(record, Mapping) else ""
