"""`python -m tests.unit.transparency bare|sdk|bridge IMPORTS`: the outcomes as JSON, by header and handler."""

import asyncio
import json
import os
import sys
import time
from typing import Any

from . import plain_handlers, sdk_handlers  # noqa: F401 - they put their handlers into the tables
from .process import MODE, OF_THE_SDK, PLAIN, Work, late, left_directories, outcome, release, said

ROOT = f"1-{int(time.time()):08x}-{7:024x}"
HEADERS = {
    "sampled": f"Root={ROOT};Parent=0123456789abcdef;Sampled=1",
    "unsampled": f"Root={ROOT};Parent=0123456789abcdef;Sampled=0",
    "undecided": f"Root={ROOT}",
    "none": None,
    "malformed": "Root=1-2-3;Parent=x;Sampled=1",
}


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
    import trace_bridge

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
        import trace_bridge

        trace_bridge.instrument()
        outcomes = {
            kind: {name: run_in_message(work, header) for name, work in table.items()}
            for kind, header in HEADERS.items()
        }
    else:
        outcomes = {"": {name: run_alone(work) for name, work in table.items()}}
    sys.stdout.write(json.dumps(outcomes) + "\n")


main()
