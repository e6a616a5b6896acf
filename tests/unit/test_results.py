"""What a handler returns: a message is done when its work is, and work that nobody does is a failure."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NoReturn

import pytest
from trace_bridge import BatchFailedError, Message, sqs_handler

from tests.support.bridge import current_scope
from tests.support.lambda_events import LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

SEVERAL = event(*(record(number, trace=header(trace_id(number))) for number in range(1, 4)))
ALL = ["message-1", "message-2", "message-3"]

done: list[tuple[str, str | None]] = []
pool = ThreadPoolExecutor(1)


@pytest.fixture(autouse=True)
def _nothing_done() -> None:
    done.clear()


async def work(message: Message) -> None:
    await asyncio.sleep(0)
    scope = current_scope()
    if message.message_id == "message-2":
        raise KeyError("two")
    done.append((message.message_id, scope.message.trace_id if scope else None))


def logged(function: Callable[[Message], object]) -> Callable[[Message], object]:
    @functools.wraps(function)
    def inner(message: Message) -> object:
        return function(message)

    return inner


class Worker:
    async def __call__(self, message: Message) -> None:
        await work(message)


class Awaitable:
    def __init__(self, message: Message) -> None:
        self._message = message

    def __await__(self) -> Any:
        return work(self._message).__await__()


async def in_two_steps(message: Message) -> object:
    return work(message)


async def as_a_task(message: Message) -> object:
    return asyncio.create_task(work(message))


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    "handler",
    [logged(work), Worker(), lambda m: work(m), functools.partial(work), Awaitable, in_two_steps, as_a_task],
    ids=["decorator", "async call", "lambda", "partial", "awaitable object", "coroutine of a coroutine", "task"],
)
def test_what_is_returned_to_be_awaited_is_awaited_in_the_messages_trace(
    process: Process, handler: Any, workers: int
) -> None:
    answer = sqs_handler(max_workers=workers)(handler)(SEVERAL, LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    assert sorted(done) == [("message-1", trace_id(1)), ("message-3", trace_id(3))]
    faults = {document["annotations"]["message_id"]: document.get("fault", False) for document in process.documents()}
    assert faults == {"message-1": False, "message-2": True, "message-3": False}


def test_the_future_of_an_executor_is_waited_for(process: Process) -> None:
    def slowly(message: Message) -> None:
        if message.message_id == "message-2":
            raise KeyError("two")
        done.append((message.message_id, None))

    @sqs_handler
    def handler(message: Message) -> Future[None]:
        return pool.submit(slowly, message)

    @sqs_handler
    async def async_handler(message: Message) -> Future[None]:
        return pool.submit(slowly, message)

    for each in (handler, async_handler):
        done.clear()
        assert each(SEVERAL, LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
        assert [message_id for message_id, _ in done] == ["message-1", "message-3"]


def generator(message: Message) -> Iterator[None]:
    done.append((message.message_id, None))
    yield


async def async_generator(message: Message) -> AsyncIterator[None]:
    done.append((message.message_id, None))
    yield


async def returns_generator(message: Message) -> object:
    return generator(message)


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (generator, "returned a generator, whose code runs only while it is iterated over"),
        (async_generator, "returned a async generator, whose code"),
        (returns_generator, "returned a generator, whose code"),
        (lambda m: map(done.append, [(m.message_id, None)]), "returned a map, whose code"),
        (lambda m: [work(m), work(m)], "returned a list of awaitables, which nobody awaits"),
    ],
    ids=["generator", "async generator", "async def", "map", "list"],
)
def test_what_nobody_would_run_is_a_failure_that_says_so(
    process: Process, handler: Any, message: str, workers: int
) -> None:
    with pytest.raises(BatchFailedError) as raised:
        sqs_handler(max_workers=workers)(handler)(SEVERAL, LambdaContext())
    assert list(raised.value.message_ids) == ALL
    assert message in str(raised.value.__cause__)
    assert done == []


def test_any_other_result_is_ignored(process: Process) -> None:
    for result in (None, 0, False, "text", {"batchItemFailures": ["x"]}, [1, 2], iter([1])):
        assert sqs_handler(lambda _m, r=result: r)(SEVERAL, LambdaContext()) == {"batchItemFailures": []}


class _ReadOnce(list[int]):
    def __iter__(self) -> NoReturn:
        raise LookupError("already read")


def test_a_result_of_the_applications_own_kind_is_not_read(process: Process) -> None:
    assert sqs_handler(lambda _message: _ReadOnce([1]))(SEVERAL, LambdaContext()) == {"batchItemFailures": []}
