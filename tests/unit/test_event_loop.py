"""Asynchronous handlers on a warm start: what a module keeps stays usable, since there is one loop for it."""

import asyncio
import multiprocessing
import os
import re
import subprocess
import sys
import threading
import warnings
from typing import Any

import pytest
from trace_bridge import BatchFailedError, Message, sqs_handler

from harness.local_aws import ROOT as CHECKOUT
from tests.support import bridge
from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

SEVERAL = event(*(record(number, trace=header(trace_id(number))) for number in range(1, 4)))
NOTHING_FAILED: dict[str, Any] = {"batchItemFailures": []}


class Client:
    """Like an HTTP client or a pool of connections: it belongs to the loop it was first used on."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> None:
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if loop is not self._loop:
            raise RuntimeError("bound to a different event loop")
        async with self._lock:
            await asyncio.sleep(0.001)


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("is_async", [True, False], ids=["async def", "lambda"])
def test_a_client_of_the_module_works_in_every_invocation(
    process: Process, client: Client, workers: int, is_async: bool
) -> None:
    async def work(_message: Message) -> None:
        await client.get()

    handler = sqs_handler(max_workers=workers)(work if is_async else lambda m: work(m))
    for _ in range(3):
        assert handler(SEVERAL, LambdaContext()) == NOTHING_FAILED


def test_messages_of_threads_share_the_loop_side_by_side(process: Process) -> None:
    together = asyncio.Barrier(3)

    async def work(_message: Message) -> None:
        async with asyncio.timeout(20):
            await together.wait()

    assert sqs_handler(max_workers=3)(lambda m: work(m))(SEVERAL, LambdaContext()) == NOTHING_FAILED


def test_an_asynchronous_test_can_call_an_asynchronous_handler(process: Process, client: Client) -> None:
    ran = []

    @sqs_handler(max_workers=3)
    async def handler(message: Message) -> None:
        await client.get()
        ran.append(message.message_id)

    async def test() -> None:
        for _ in range(2):
            assert handler(SEVERAL, LambdaContext()) == NOTHING_FAILED

    asyncio.run(test())
    assert len(ran) == 6
    assert [document["trace_id"] for document in process.documents()] == [trace_id(n) for n in (1, 2, 3)] * 2


def test_a_handler_can_call_another_handler(process: Process) -> None:
    ran = []

    @sqs_handler
    async def inner(message: Message) -> None:
        await asyncio.sleep(0)
        ran.append(message.message_id)

    @sqs_handler
    async def middle(_message: Message) -> None:
        assert inner(SEVERAL, LambdaContext()) == NOTHING_FAILED

    @sqs_handler
    async def outer(_message: Message) -> None:
        assert middle(event(record(9)), LambdaContext()) == NOTHING_FAILED

    assert outer(event(record(10)), LambdaContext()) == NOTHING_FAILED
    assert ran == ["message-1", "message-2", "message-3"]


def test_the_loop_that_the_application_set_is_used(process: Process) -> None:
    seen: list[asyncio.AbstractEventLoop] = []

    @sqs_handler
    async def handler(_message: Message) -> None:
        seen.append(asyncio.get_running_loop())

    own = asyncio.new_event_loop()

    def invoke() -> None:
        asyncio.set_event_loop(own)
        for _ in range(2):
            handler(event(record(1)), LambdaContext())

    thread = threading.Thread(target=invoke)
    thread.start()
    thread.join()
    assert seen == [own, own]


def test_a_loop_ends_with_its_thread_and_what_runs_on_it_is_cancelled(process: Process) -> None:
    seen: list[asyncio.AbstractEventLoop] = []
    cancelled = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cancelled.set()

    tasks = []

    @sqs_handler
    async def handler(_message: Message) -> None:
        seen.append(asyncio.get_running_loop())
        tasks.append(asyncio.create_task(forever()))
        await asyncio.sleep(0)

    thread = threading.Thread(target=handler, args=[event(record(1)), LambdaContext()])
    thread.start()
    thread.join()
    assert cancelled.wait(10)
    assert seen[0].is_closed()


_AT_EXIT = """
import asyncio, atexit, sys
from trace_bridge import sqs_handler
async def forever():
    try:
        await asyncio.get_running_loop().create_future()
    finally:
        print("cancelled")
tasks = []
@sqs_handler
async def handler(message):
    await asyncio.to_thread(int)
    tasks.append(asyncio.create_task(forever()))
    await asyncio.sleep(0)
print(handler({"Records": [{"messageId": "m", "body": ""}]}, None))
"""


@pytest.mark.program
def test_the_end_of_the_process_closes_the_loop_without_a_word() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", _AT_EXIT],
        cwd=CHECKOUT,
        env={**os.environ, "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "{'batchItemFailures': []}\ncancelled\n"
    assert not re.search("unclosed|never awaited|destroyed|Traceback", ran.stderr), ran.stderr


def _in_child(connection: Any, handler: Any) -> None:
    connection.send(handler(SEVERAL, LambdaContext()))


def test_a_forked_process_has_a_loop_of_its_own(process: Process) -> None:
    process.set(enabled=False)

    @sqs_handler
    async def handler(_message: Message) -> None:
        await asyncio.sleep(0.001)

    assert handler(SEVERAL, LambdaContext()) == NOTHING_FAILED
    ours, theirs = multiprocessing.Pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads, which is what is tested
        child = multiprocessing.get_context("fork").Process(target=_in_child, args=[theirs, handler])
        child.start()
    assert ours.poll(20)
    assert ours.recv() == NOTHING_FAILED
    child.join()
    assert handler(SEVERAL, LambdaContext()) == NOTHING_FAILED


class _OwnError(BaseException):
    pass


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, GeneratorExit, _OwnError])
def test_whatever_one_message_raises_fails_that_message_alone(
    process: Process, error: type[BaseException], workers: int
) -> None:
    def sync(message: Message) -> None:
        if message.message_id == "message-2":
            raise error

    async def simple(message: Message) -> None:
        await asyncio.sleep(0)
        sync(message)

    async def in_a_task(message: Message) -> None:
        await asyncio.create_task(simple(message))

    for function in (sync, simple, in_a_task):
        assert sqs_handler(max_workers=workers)(function)(SEVERAL, LambdaContext()) == {
            "batchItemFailures": [{"itemIdentifier": "message-2"}]
        }
    faults = [document.get("fault", False) for document in process.documents()]
    assert (len(faults), faults.count(True)) == (9, 3)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_message_that_cancels_its_task_cancels_no_other(process: Process, workers: int) -> None:
    @sqs_handler(max_workers=workers)
    async def handler(message: Message) -> None:
        if message.message_id == "message-2":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        else:
            await asyncio.sleep(0.001)

    assert handler(SEVERAL, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}


def test_a_keyboard_interrupt_ends_the_batch(process: Process) -> None:
    ended = []

    def sync(_message: Message) -> None:
        raise KeyboardInterrupt

    async def async_(message: Message) -> None:
        try:
            if message.message_id == "message-1":
                raise KeyboardInterrupt
        finally:
            ended.append(True)

    for function in (sync, async_):
        with pytest.raises(KeyboardInterrupt):
            sqs_handler(function)(SEVERAL, LambdaContext())
    with pytest.raises(KeyboardInterrupt):
        sqs_handler(max_workers=3)(async_)(SEVERAL, LambdaContext())
    assert ended


def test_a_stopped_loop_is_a_failure_of_its_message(process: Process) -> None:
    @sqs_handler
    async def handler(message: Message) -> None:
        if message.message_id == "message-1":
            asyncio.get_running_loop().stop()
            await asyncio.sleep(1)

    assert handler(SEVERAL, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}


def test_a_closed_loop_is_replaced(process: Process) -> None:
    @sqs_handler
    async def handler(message: Message) -> None:
        await asyncio.sleep(0)

    def invoke() -> None:
        handler(SEVERAL, LambdaContext())
        bridge.close_loop()
        answers.append(handler(SEVERAL, LambdaContext()))

    answers: list[Any] = []
    thread = threading.Thread(target=invoke)
    thread.start()
    thread.join()
    assert answers == [NOTHING_FAILED]


def test_a_failed_batch_of_an_async_handler_names_its_cause(process: Process) -> None:
    @sqs_handler
    async def handler(_message: Message) -> None:
        raise KeyError("one")

    with pytest.raises(BatchFailedError) as raised:
        handler(SEVERAL, LambdaContext())
    assert isinstance(raised.value.__cause__, KeyError)
