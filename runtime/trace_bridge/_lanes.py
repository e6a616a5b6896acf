"""The records of one batch: in order where order counts, side by side where it does not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial
from time import time
from typing import TYPE_CHECKING

from . import _forks
from ._bridge import continue_trace, new_tracer
from ._header import SAMPLED, canonical_header
from ._message import Message, message_id_of
from ._reserve import Reserve
from ._safely import safely
from ._scope import enter_scope, inherited_scope, new_object

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from ._config import Envelope, OnUndecided
    from ._invocation import LambdaContext
    from ._segment import MessageSegment
    from ._tracer import Tracer
    from ._workers import RunAwaitable

    MessageHandler = Callable[[Message], object] | Callable[[Message], Awaitable[object]]

_log = logging.getLogger("trace_bridge")


class Batch:
    """Runs a function once for each record, each in its own trace.

    Args:
        records: The records, of Lambda or of boto3.
        context: The handler's context; None outside Lambda.
        fifo: Whether they come from a FIFO queue: nothing of a message group is run behind a failure of that group.
        reserve_ms: No record is begun when the invocation has less time left than this. Default: as `Reserve` says.
        on_undecided: As for `continue_trace`.
        envelope: As for `Message`.
        check: Called with what the function returned, once it is finished; raises where that means a failure.
        may_begin: Asked before each record; False leaves the record, and those behind it in its lane, not done.
        on_done: Called with each record that succeeded, right after it.
    """

    def __init__(
        self,
        records: list[Any],
        context: LambdaContext | None,
        *,
        fifo: bool,
        reserve_ms: float | None = None,
        on_undecided: OnUndecided | None = None,
        envelope: Envelope | None = None,
        check: Callable[[object], None] | None = None,
        may_begin: Callable[[], bool] | None = None,
        on_done: Callable[[Any], None] | None = None,
    ) -> None:
        self._records = records
        # Taken before the handler may change its record.
        self._ids = [
            message_id
            if type(record) is dict and type(message_id := record.get("messageId")) is str
            else message_id_of(record)  # called for unusual records only, as a call costs more than this test
            for record in records
        ]
        self._context = context
        self._fifo = fifo
        self._reserve_ms = reserve_ms
        self._reserve: Reserve | None = None
        self._on_undecided = on_undecided
        self._message: Callable[[Any], Message] = Message if envelope is None else partial(Message, envelope=envelope)
        self._check = check
        self._asked = may_begin
        self._may_begin = _always
        self._on_done = on_done
        self._begun = [False] * len(records)
        self._done = [False] * len(records)
        self._failures: dict[int, BaseException] = {}
        self._behind: list[int] = []

    @property
    def _late(self) -> bool:
        """Whether a record was not begun for want of time."""
        return self._reserve is not None and self._reserve.refused

    def not_begun(self) -> list[Any]:
        """Returns the records that were never begun."""
        return [record for record, begun in zip(self._records, self._begun, strict=True) if not begun]

    def not_done_ids(self) -> list[str]:
        """Returns the ids of the records that failed or were never begun; empty where a record has none.

        Lambda takes an empty one as the whole batch having failed.
        """
        if all(self._done):
            return []
        return [message_id for message_id, done in zip(self._ids, self._done, strict=True) if not done]

    def not_begun_ids(self) -> list[str]:
        """Returns the ids of the records that were never begun."""
        return [message_id for message_id, begun in zip(self._ids, self._begun, strict=True) if not begun]

    def failures(self) -> list[tuple[str, BaseException]]:
        """Returns the ids of the records that failed and what they raised, in the order of the batch."""
        return [(self._ids[index], self._failures[index]) for index in sorted(self._failures)]

    @property
    def has_failed(self) -> bool:
        """Whether at least one record failed and none succeeded."""
        return bool(self._failures) and not any(self._done)

    def run(self, function: MessageHandler, *, workers: int) -> None:
        """Runs the records: in this thread one after another, or `workers` lanes at once."""
        lanes = self._lanes() if self._fifo or workers > 1 else [range(len(self._records))]
        at_once = min(workers, len(lanes))
        self._reserve = Reserve.of(
            self._context, reserve_ms=self._reserve_ms, records=len(self._records), at_once=at_once
        )
        self._may_begin = self._gate()
        if at_once <= 1:
            self._run_lanes(function, lanes, _run)
        else:
            self._run_side_by_side(function, lanes, at_once)
        if self._late or self._behind:
            self._log_not_begun()

    def _run_side_by_side(self, function: MessageHandler, lanes: Sequence[Iterable[int]], workers: int) -> None:
        from ._results import is_async
        from ._workers import run_in_threads

        if is_async(function):
            _run(self._run_tasks(function, lanes, workers))
        else:
            run_in_threads(lambda lane, run: self._run_lanes(function, [lane], run), lanes, workers=workers)

    async def _run_tasks(
        self, function: Callable[[Message], object], lanes: Sequence[Iterable[int]], workers: int
    ) -> None:
        import asyncio

        turn = asyncio.Semaphore(workers)

        async def in_turn(lane: Iterable[int]) -> None:
            async with turn:
                for index in lane:
                    if not self._may_begin():
                        return
                    self._begun[index] = True
                    # A task of its own, so that a message that cancels its task cancels no other.
                    task = asyncio.ensure_future(self._attempt(function, index))
                    await asyncio.wait([task])
                    error, segment = (asyncio.CancelledError(), None) if task.cancelled() else task.result()
                    if error is None:
                        self._succeeded(index)
                    elif self._failed(index, error, lane, segment):
                        return

        await asyncio.gather(*(in_turn(lane) for lane in lanes))

    async def _attempt(
        self, function: Callable[[Message], object], index: int
    ) -> tuple[BaseException | None, MessageSegment | None]:
        """Runs a record; returns what it failed with, and its segment."""
        from ._results import finish_async

        record = self._records[index]
        segment = None
        try:
            with continue_trace(record, self._context, on_undecided=self._on_undecided) as segment:
                result = await finish_async(function(self._message(record)))
                if self._check is not None:
                    self._check(result)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - any failure is that message's, and only that message's
            return error, segment
        return None, segment

    def _run_lanes(
        self, function: Callable[[Message], object], lanes: Iterable[Iterable[int]], run: RunAwaitable
    ) -> None:
        """Runs lanes one after another, in one thread."""
        tracer = new_tracer(self._context, self._on_undecided)
        try:
            for lane in lanes:
                self._run_lane(function, lane, tracer, run)
        finally:
            tracer.close()

    def _run_lane(  # noqa: C901 - long, as each function it were split into would be a call a message
        self, function: Callable[[Message], object], lane: Iterable[int], tracer: Tracer, run: RunAwaitable
    ) -> None:
        records, message, begin, end = self._records, self._message, tracer.begin, tracer.end
        may_begin, begun, done, on_done = self._may_begin, self._begun, self._done, self._on_done
        invocation, plain_in, unrecorded = tracer.invocation, tracer.plain_in, tracer.unrecorded
        for index in lane:
            if not may_begin():
                return
            begun[index] = True
            record, unsampled = records[index], None
            segment: MessageSegment | None = None
            try:
                if (
                    unrecorded is not None
                    and type(record) is dict
                    and type(attributes := record.get("attributes")) is dict
                    and type(header := attributes.get("AWSTraceHeader")) is str
                    and header[SAMPLED:] == "0"
                    and canonical_header(header) is not None
                    and plain_in == _forks.number
                    and inherited_scope() is None
                ):
                    # Does what `tracer.begin` does, without its calls, which are most of what such a message costs.
                    tracer.before = None
                    tracer.unsampled += 1
                    segment = unsampled = new_object(unrecorded)
                    unsampled.invocation, unsampled.record, unsampled.header = invocation, record, header
                    enter_scope(unsampled)
                else:
                    segment = begin(record)
                try:
                    result = function(message(record))
                    if result is not None:
                        self._finish(result, run)
                except BaseException as error:
                    end(segment, error)
                    raise
                if unsampled is not None and inherited_scope() is unsampled:
                    # Does what `tracer.end` does.
                    enter_scope(None)
                    unsampled.end_time = time()
                else:
                    end(segment, None)
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001 - any failure is that message's alone
                if self._failed(index, error, lane, segment):
                    return
            else:
                done[index] = True
                if on_done is not None:
                    on_done(record)

    def _lanes(self) -> Sequence[Sequence[int]]:
        """Returns the records in groups that keep their order: a FIFO queue's message groups, else each by itself."""
        if not self._fifo:
            return [[index] for index in range(len(self._records))]
        groups: dict[str, list[int]] = {}
        for index, record in enumerate(self._records):
            groups.setdefault(_group_of(record), []).append(index)
        return list(groups.values())

    def _finish(self, result: object, run: RunAwaitable) -> None:
        from ._results import finish

        result = finish(result, run)
        if self._check is not None:
            self._check(result)

    def _gate(self) -> Callable[[], bool]:
        """Returns what is asked before each record, in one call."""
        asked, reserve = self._asked, self._reserve
        if reserve is None:
            return asked or _always
        if asked is None:
            return reserve.has_time
        return lambda: asked() and reserve.has_time()

    def _succeeded(self, index: int) -> None:
        self._done[index] = True
        if self._on_done is not None:
            self._on_done(self._records[index])

    def _failed(self, index: int, error: BaseException, lane: Iterable[int], segment: MessageSegment | None) -> bool:
        """Notes and logs a failure; True when nothing behind it may run."""
        self._failures[index] = error
        # `logging.config` disables what loggers there are, and nothing else tells of the failure.
        _log.disabled = False
        with safely(_lines_about, segment) or nullcontext():
            self._log_failure(index, error)
        if self._fifo:
            self._behind += [other for other in lane if other > index]
        return self._fifo

    def _log_failure(self, index: int, error: BaseException) -> None:
        kind, text = type(error).__name__, safely(str, error)
        if text is None:  # of an exception without readable text, the log has the type alone
            _log.error("message %s failed: %s", self._ids[index], kind)
        else:
            _log.error("message %s failed: %s: %s", self._ids[index], kind, text, exc_info=error)

    def _log_not_begun(self) -> None:
        """Logs which messages were never begun, and why: each of them has lost one of its attempts."""
        behind = set(self._behind)
        late = [index for index, begun in enumerate(self._begun) if not begun and index not in behind]
        if late and self._late:
            _log.warning(
                "%d of %d messages were never begun: %s; each is returned to the queue and has lost one attempt. "
                "Give the function a smaller batch size or a longer time-out, or work on more messages at once "
                "(max_workers). Never begun: %s",
                len(late),
                len(self._records),
                self._reserve,
                self._listed(late),
            )
        if behind:
            _log.warning(
                "%d of %d messages were never begun: an earlier message of their message group failed; each is "
                "returned to the queue and has lost one attempt. Never begun: %s",
                len(behind),
                len(self._records),
                self._listed(sorted(behind)),
            )

    def _listed(self, indexes: Iterable[int]) -> str:
        return ", ".join(self._ids[index] for index in indexes)


def _always() -> bool:
    return True


def _run(awaitable: Awaitable[object]) -> object:
    from ._loop import run  # asyncio is half of this package's import, needed by awaitables alone

    return run(awaitable)


def _lines_about(segment: MessageSegment | None) -> AbstractContextManager[None]:
    """Has lines be about a message that is over."""
    # The first failure imports this, and fails no other message where that fails: it may be for want of files.
    from ._log_fields import log_fields_of, logged_with

    return logged_with(None if segment is None else safely(log_fields_of, segment))


def _group_of(record: Any) -> str:
    return Message(record).group_id or "" if isinstance(record, Mapping) else ""
