"""Runs a table of handlers in a process of its own and prints what became of each: bare, beside the SDK, in a message.

`python transparency.py bare|sdk|bridge IMPORTS`: the outcomes as JSON, by header and handler.
"""

import asyncio
import contextvars
import decimal
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

MODE, IMPORTS = sys.argv[1:3]
if MODE == "bridge" and IMPORTS == "bridge first":
    import trace_bridge
if MODE != "bare" and IMPORTS != "sdk in the handler":
    import aws_xray_sdk.core
if MODE == "bridge" and IMPORTS != "bridge first":
    import trace_bridge
if MODE != "bare" and IMPORTS == "patched":
    aws_xray_sdk.core.patch(["botocore", "httplib"])

import botocore.session  # noqa: E402 - behind what may patch it
from botocore.awsrequest import AWSResponse  # noqa: E402

ROOT = f"1-{int(time.time()):08x}-{7:024x}"
HEADERS = {
    "sampled": f"Root={ROOT};Parent=0123456789abcdef;Sampled=1",
    "unsampled": f"Root={ROOT};Parent=0123456789abcdef;Sampled=0",
    "undecided": f"Root={ROOT}",
    "none": None,
    "malformed": "Root=1-2-3;Parent=x;Sampled=1",
}


class _Body:
    def stream(self, **_: object) -> list[bytes]:
        return [b'{"TableNames": ["orders"]}']


def _answer(request: Any, **_: object) -> Any:
    refused = request.headers.get("X-Amz-Target", b"").endswith(b"DeleteTable")
    headers: Any = {}
    return AWSResponse(request.url, 400 if refused else 200, headers, _Body())


client: Any = botocore.session.get_session().create_client("dynamodb")
client.meta.events.register("before-send", _answer)
queues: Any = botocore.session.get_session().create_client("sqs")
queues.meta.events.register("before-send", _answer)
late: list[threading.Thread] = []
said: list[str] = []
left_directories: list[str] = []
release = threading.Event()
variable = contextvars.ContextVar("variable", default="default")
Work = Callable[[], Any]
PLAIN: dict[str, Work] = {}
OF_THE_SDK: dict[str, Work] = {}


def plain(work: Work) -> Work:
    PLAIN[work.__name__] = work
    return work


def of_the_sdk(work: Work) -> Work:
    OF_THE_SDK[work.__name__] = work
    return work


def recorder() -> Any:
    from aws_xray_sdk.core import xray_recorder

    return xray_recorder


def call() -> Any:
    return client.list_tables()["TableNames"]


@plain
def returns() -> int:
    return 42


@plain
def raises() -> None:
    raise KeyError("mine")


@plain
def raises_what_cannot_be_told() -> None:
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
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, " ".join(outcome(call)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answers:
        answer = answers.read()
    os.waitpid(child, 0)
    return answer


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


@of_the_sdk
def annotates_the_segment() -> str:
    recorder().current_segment().put_annotation("key", 1)
    recorder().current_segment().put_metadata("key", 1)
    return "done"


@of_the_sdk
def annotates_the_current_subsegment() -> str:
    recorder().current_subsegment().put_annotation("key", 1)
    return "done"


@of_the_sdk
def annotates_through_the_recorder() -> str:
    recorder().put_annotation("key", 1)
    recorder().put_metadata("key", 10**5000)
    return "done"


@of_the_sdk
def opens_a_subsegment() -> Any:
    with recorder().in_subsegment("step") as step:
        step.put_annotation("key", 1)
        recorder().current_subsegment().put_metadata("key", 1)
        return call()


@of_the_sdk
def annotates_what_has_ended() -> str:
    with recorder().in_subsegment("step") as step:
        pass
    step.put_annotation("key", 1)
    return "done"


@of_the_sdk
def raises_in_a_subsegment() -> None:
    with recorder().in_subsegment("step"):
        raise KeyError("mine")


@of_the_sdk
def is_captured() -> Any:
    return recorder().capture("captured")(call)()


@of_the_sdk
def opens_a_segment_of_its_own() -> Any:
    recorder().begin_segment("mine", sampling=1)
    try:
        with recorder().in_subsegment("step"):
            return call()
    finally:
        recorder().end_segment()


@of_the_sdk
def works_within_a_segment_of_its_own() -> Any:
    with recorder().in_segment("mine", sampling=1) as segment:
        segment.put_annotation("key", 1)
        return call()


@of_the_sdk
def sets_an_entity_of_its_own() -> Any:
    from aws_xray_sdk.core.models.segment import Segment

    recorder().set_trace_entity(Segment("mine"))
    try:
        with recorder().in_subsegment("step"):
            first = call()
        return first, call()
    finally:
        recorder().clear_trace_entities()


@of_the_sdk
def ends_what_is_not_open() -> str:
    recorder().end_subsegment()
    recorder().end_segment()
    return "done"


@of_the_sdk
def switches_the_sdk_off() -> Any:
    from aws_xray_sdk import global_sdk_config

    global_sdk_config.set_sdk_enabled(False)
    try:
        recorder().current_segment().put_annotation("key", 1)
        with recorder().in_subsegment("step") as step:
            step.put_annotation("key", 1)
        return call()
    finally:
        global_sdk_config.set_sdk_enabled(True)


@of_the_sdk
def hands_a_subsegment_to_a_thread() -> Any:
    with recorder().in_subsegment("outer") as outer:

        def work() -> Any:
            if outer is not None:
                recorder().set_trace_entity(outer)
            with recorder().in_subsegment("inner"):
                return call()

        with ThreadPoolExecutor(1) as pool:
            return pool.submit(work).result()


@of_the_sdk
async def has_a_task_that_outlasts_its_subsegment() -> Any:
    ended = asyncio.Event()

    async def work() -> Any:
        await ended.wait()
        recorder().put_annotation("key", 1)
        with recorder().in_subsegment("late"):
            return call()

    with recorder().in_subsegment("outer"):
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
    ended.set()
    return await task


@of_the_sdk
def leaves_a_subsegment_open_behind() -> str:
    context = contextvars.copy_context()

    def work() -> None:
        try:
            with recorder().in_subsegment("late") as step:
                began.set()
                release.wait()
                if step is not None:
                    step.put_annotation("key", 1)
                call()
            said.append("ended")
        except Exception as error:  # noqa: BLE001 - it is the outcome
            said.append(type(error).__name__)

    began = threading.Event()
    late.append(threading.Thread(target=context.run, args=(work,)))
    late[-1].start()
    return "left"


def outcome(result: Callable[[], Any]) -> list[str]:
    """Returns what became of a handler."""
    try:
        outcome_parts = ["returned", repr(result())]
    except BaseException as error:  # noqa: BLE001 - it is the outcome
        outcome_parts = ["raised", type(error).__name__, "" if type(error).__name__ == "OddError" else str(error)]
    return outcome_parts


def finish(outcome_parts: list[str]) -> list[str]:
    """Lets what the handler left behind end, and adds what became of that."""
    while left_directories:
        os.chdir(left_directories.pop())
    release.set()
    while late:
        late.pop().join()
    release.clear()
    outcome_parts += said
    said.clear()
    return outcome_parts


def run_alone(work: Work) -> list[str]:
    if asyncio.iscoroutinefunction(work):
        return finish(outcome(lambda: asyncio.run(work())))
    return finish(outcome(work))


class Context:
    aws_request_id = "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:worker"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def run_in_message(work: Work, header: str | None) -> list[str]:
    attributes = {"ApproximateReceiveCount": "1"} | ({"AWSTraceHeader": header} if header else {})
    record = {"messageId": "m", "body": "{}", "eventSource": "aws:sqs", "attributes": attributes}
    if asyncio.iscoroutinefunction(work):

        async def message() -> Any:
            with trace_bridge.continue_trace(record, Context()):
                return await work()

        return finish(outcome(lambda: asyncio.run(message())))

    def one() -> Any:
        with trace_bridge.continue_trace(record, Context()):
            return work()

    return finish(outcome(one))


def main() -> None:
    table = PLAIN if MODE == "bare" else PLAIN | OF_THE_SDK
    if MODE == "bridge":
        trace_bridge.instrument()
        outcomes = {
            kind: {name: run_in_message(work, header) for name, work in table.items()}
            for kind, header in HEADERS.items()
        }
    else:
        outcomes = {"": {name: run_alone(work) for name, work in table.items()}}
    sys.stdout.write(json.dumps(outcomes) + "\n")


main()
