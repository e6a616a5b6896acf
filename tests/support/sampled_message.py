"""A message that is recorded: work is done in it, and its document read."""

from collections.abc import Callable
from typing import Any

from trace_bridge import continue_trace, trace_batch

from tests.support.lambda_events import LambdaContext, header, record, trace_id
from tests.support.lambda_process import Process

ROOT = trace_id(9)
SAMPLED = record(trace=header(ROOT))


def run_in_message(work: Callable[[], object]) -> None:
    """Does work in the message."""
    with trace_batch(), continue_trace(SAMPLED, LambdaContext()):
        work()


def recorded_message(process: Process) -> dict[str, Any]:
    """Returns its document."""
    (document,) = process.documents_of(ROOT)
    return document


def recorded_calls(process: Process) -> list[dict[str, Any]]:
    """Returns what is recorded directly below it."""
    return list(recorded_message(process).get("subsegments", []))


def tree(entity: dict[str, Any]) -> dict[str, Any]:
    """Returns the names of what is below an entity, nested."""
    return {below["name"]: tree(below) for below in entity.get("subsegments", [])}
