"""Handlers that use no library of tracing."""

import asyncio
import decimal
import json
import os
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.support.child_process import in_a_child

from .process import call, client, late, left_directories, outcome, plain, queues, release, said, variable


@plain
def returns() -> int:
    return 42


@plain
def raises() -> None:
    raise KeyError("mine")


@plain
def raises_what_cannot_be_described() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

        def __getattr__(self, name: str) -> Any:
            raise ValueError(name)

    raise OddError


@plain
def is_cancelled() -> None:
    raise asyncio.CancelledError


@plain
def calls() -> Any:
    return call()


@plain
def is_refused() -> None:
    client.delete_table(TableName="orders")


@plain
def calls_with_parameters_of_no_kind() -> None:
    client.batch_get_item(RequestItems=None)


@plain
def calls_with_a_number_in_place_of_a_list() -> None:
    queues.send_message_batch(QueueUrl="https://queue", Entries=3)


@plain
def calls_what_is_not_there() -> None:
    client._make_api_call("NoSuchOperation", None)


@plain
def raises_with_its_directory_gone() -> None:
    left_directories.append(str(Path.cwd()))
    with tempfile.TemporaryDirectory() as gone:
        os.chdir(gone)
    raise KeyError("mine")


@plain
def works_in_threads() -> Any:
    with ThreadPoolExecutor(2) as pool:
        return [future.result() for future in [pool.submit(call), pool.submit(call)]]


@plain
def works_in_a_child() -> str:
    return str(json.loads(in_a_child(lambda: " ".join(outcome(call)))))


@plain
def leaves_work_behind() -> str:
    def work() -> None:
        release.wait()
        said.append(str(call()))

    late.append(threading.Thread(target=work))
    late[-1].start()
    return "left"


@plain
async def awaits() -> Any:
    await asyncio.sleep(0)
    return await asyncio.to_thread(call)


@plain
async def awaits_and_raises() -> None:
    await asyncio.sleep(0)
    raise LookupError("mine")


@plain
async def takes_too_long() -> None:
    await asyncio.wait_for(asyncio.sleep(60), 0.001)


@plain
async def gathers() -> Any:
    loop = asyncio.get_running_loop()
    return await asyncio.gather(*(loop.run_in_executor(None, call) for _ in range(3)))


@plain
async def keeps_its_context_from_executors() -> list[str]:
    variable.set("the handler's")
    decimal.getcontext().prec = 3
    loop = asyncio.get_running_loop()
    return [await loop.run_in_executor(None, variable.get), await loop.run_in_executor(None, _seventh)]


def _seventh() -> str:
    return str(decimal.Decimal(1) / 7)
