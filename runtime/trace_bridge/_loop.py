"""The event loop that awaitables of handlers run on: one a thread, for as long as the thread lives.

What a module keeps between invocations (an HTTP client, a pool of connections, a lock) belongs to the loop it was first
used on, so a new loop for each batch would fail it from the second batch on.
"""

import asyncio
import threading
import warnings
import weakref
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context

from ._forks import process_number


class _Home(threading.local):
    """What a thread keeps.

    Attributes:
        loop: Its loop.
        deputy: Runs awaitables in another thread while a loop is running in this one.
        process: The process the two belong to; they do not survive a fork.
    """

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None
        self.deputy: ThreadPoolExecutor | None = None
        self.process = process_number()
        self.end_of_thread: _EndOfThread | None = None


class _EndOfThread:
    """Goes when the thread's own variables go."""


_home = _Home()
_inherited: list[object] = []
"""Loops of the parent process. Closing one here would change the selector that the parent still uses."""


def run(awaitable: Awaitable[object]) -> object:
    """Runs an awaitable to its end on this thread's loop, in a copy of the caller's context.

    Inside a running loop, as when an asynchronous test calls a handler, it runs on the loop of another thread, which is
    kept as well, while this thread waits.

    Returns:
        The awaitable's result.

    Raises:
        BaseException: Whatever the awaitable raises, as it is.
    """
    if _home.process != process_number():
        _inherited.append((_home.loop, _home.deputy))
        _home.__init__()  # type: ignore[misc] # the state of a new thread
        asyncio.set_event_loop(None)
    if _is_inside_loop():
        if _home.deputy is None:
            _home.deputy = ThreadPoolExecutor(1, thread_name_prefix="trace-bridge-loop")
        return _home.deputy.submit(copy_context().run, run, awaitable).result()
    loop = _own_loop()
    task = loop.create_task(outcome(awaitable))
    while not task.done():
        try:
            loop.run_until_complete(task)
        except SystemExit:
            # Raised by a task that the handler began. Whoever awaits that task gets it too.
            continue
        except BaseException:
            task.cancel()
            while not task.done():
                with suppress(BaseException):
                    loop.run_until_complete(task)
            raise
    return unpacked(task.result())


Outcome = tuple[object, BaseException | None]
"""A result, or the exception there is instead."""


async def outcome(awaitable: Awaitable[object]) -> Outcome:
    """Returns the result or the exception as a value: some exceptions asyncio does not only pass on."""
    try:
        return await awaitable, None
    except BaseException as error:  # noqa: BLE001 - raised again where the handler was called
        return None, error


def unpacked(of: Outcome) -> object:
    """Returns the result of an outcome; raises its exception."""
    value, error = of
    if error is not None:
        raise error
    return value


def _is_inside_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _own_loop() -> asyncio.AbstractEventLoop:
    """This thread's loop, closed when the thread or the process ends."""
    loop = _home.loop
    if loop is None or loop.is_closed() or loop.is_running():
        loop = _home.loop = _current_or_new()
        _home.end_of_thread = _EndOfThread()
        weakref.finalize(_home.end_of_thread, _close, loop, _home.process)
    return loop


def _current_or_new() -> asyncio.AbstractEventLoop:
    """Returns the loop that the application set for this thread, as objects may be bound to it; else sets a new one."""
    with warnings.catch_warnings(), suppress(RuntimeError):
        # Python 3.12 and 3.13 warn where they make one, 3.14 raises.
        warnings.simplefilter("ignore", DeprecationWarning)
        current = asyncio.get_event_loop()
        if not current.is_closed() and not current.is_running():
            return current
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    return loop


def _close(loop: asyncio.AbstractEventLoop, process: int) -> None:
    """Cancels what still runs on a loop and closes it, in the order of `asyncio.run`."""
    if process != process_number():
        _inherited.append(loop)
        return
    if loop.is_closed() or loop.is_running():
        return
    # At the end of the process no thread can be started any more, which the last of these may want to.
    with suppress(RuntimeError):
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(_all(tasks))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


async def _all(tasks: set["asyncio.Task[object]"]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
