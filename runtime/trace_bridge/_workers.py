"""Worker threads of a batch with one event loop for all."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable, Iterable

    RunAwaitable = Callable[[Awaitable[object]], object]
    _Lane = Iterable[int]


def run_in_threads(work: Callable[[_Lane, RunAwaitable], None], lanes: Iterable[_Lane], *, workers: int) -> None:
    """Does the work of each lane in one of several threads.

    Args:
        work: Gets a lane, and the function by which its awaitables are run: side by side with those of other lanes, on
            the loop of the calling thread, which has nothing to do but wait.
        lanes: The lanes.
        workers: How many threads.
    """
    shared = _SharedLoop()
    with ThreadPoolExecutor(workers, thread_name_prefix="trace-bridge-worker") as pool:
        shared.wait([pool.submit(work, lane, shared.run) for lane in lanes])


class _SharedLoop:
    def __init__(self) -> None:
        self._events: SimpleQueue[Future[None] | None] = SimpleQueue()
        self._loop: Future[AbstractEventLoop] = Future()

    def run(self, awaitable: Awaitable[object]) -> object:
        """Runs an awaitable to its end, called in a worker thread."""
        from asyncio import run_coroutine_threadsafe

        from ._loop import outcome, unpacked

        self._events.put(None)
        return unpacked(run_coroutine_threadsafe(outcome(awaitable), self._loop.result()).result())

    def wait(self, work: list[Future[None]]) -> None:
        """Waits for the end of the threads' work, in the thread that owns the loop. It runs from the first need on."""
        for future in work:
            future.add_done_callback(self._events.put)
        for _ in work:
            if self._events.get() is None:
                from ._loop import run

                run(self._serve(work))
                break
        for future in work:
            future.result()

    async def _serve(self, work: list[Future[None]]) -> None:
        from asyncio import get_running_loop, wait, wrap_future

        self._loop.set_result(get_running_loop())
        await wait([wrap_future(future) for future in work])
