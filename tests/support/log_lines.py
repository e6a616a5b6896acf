"""The lines that are logged while messages are handled, and the fields that each should have."""

import logging
import logging.handlers
from collections.abc import Callable, Mapping
from typing import Any

from trace_bridge import continue_trace

from tests.support.lambda_events import OWN_TRACE, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

NAMES = ("message_id", "xray_trace_id", "segment_id", "lambda_xray_trace_id", "dd.trace_id", "dd.span_id")
OUTSIDE = {"xray_trace_id": OWN_TRACE, "lambda_xray_trace_id": OWN_TRACE}


class Kept(logging.Handler):
    """Keeps the records it gets; botocore's own are about the bridge's calls."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("botocore"):
            self.records.append(record)

    def fields(self) -> dict[str, dict[str, Any]]:
        """The fields of each line, by its text."""
        return {line.getMessage(): fields_of(line) for line in self.records}


def fields_of(line: logging.LogRecord) -> dict[str, Any]:
    return {name: vars(line)[name] for name in NAMES if name in vars(line)}


def segments(process: Process) -> dict[str, str]:
    """The ids of the segments sent, by their message."""
    return {document["annotations"]["message_id"]: document["id"] for document in process.documents()}


def several(*numbers: int) -> dict[str, Any]:
    return event(*(record(number, trace=header(trace_id(number))) for number in numbers))


def expected(process: Process, number: int) -> dict[str, str]:
    return {
        "message_id": f"message-{number}",
        "xray_trace_id": trace_id(number),
        "segment_id": segments(process)[f"message-{number}"],
        "lambda_xray_trace_id": OWN_TRACE,
    }


def logged_in(message: Mapping[str, Any], log: Callable[[], object]) -> None:
    with continue_trace(message, LambdaContext()):
        log()
