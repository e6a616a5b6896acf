"""Powertools' Logger shows the trace of the message, from the real package."""

import io
import itertools
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.buffer import LoggerBufferConfig
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from trace_bridge import Message, continue_trace, sqs_handler, trace_logs

from harness.local_aws import ROOT as CHECKOUT
from tests.support.lambda_events import ACTIVE, OWN_TRACE, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

_numbers = itertools.count()


class Written:
    """A Logger of Powertools' and the lines it writes."""

    def __init__(self, **options: Any) -> None:
        self._out = io.StringIO()
        # Loggers of one service share their handlers.
        self.log = Logger(service=f"service-{next(_numbers)}", stream=self._out, **options)

    def lines(self) -> dict[str, dict[str, Any]]:
        """The lines by their text."""
        return {line["message"]: line for line in map(json.loads, self._out.getvalue().splitlines())}


@pytest.fixture(autouse=True)
def on(process: Process) -> None:
    process.invoked(ACTIVE)
    trace_logs()


def logged_in(message: dict[str, Any], log: Callable[[], object]) -> None:
    with continue_trace(message, LambdaContext()):
        log()


def several(*numbers: int) -> dict[str, Any]:
    return event(*(record(number, trace=header(trace_id(number))) for number in numbers))


def test_a_line_shows_its_messages_trace_and_outside_the_invocations(process: Process) -> None:
    written = Written()
    written.log.info("before")

    @sqs_handler
    def handler(message: Message) -> None:
        written.log.info(message.message_id, extra={"order": 7})

    handler(several(1, 2), LambdaContext())
    written.log.info("after")
    lines = written.lines()
    documents = [document for document in process.documents() if document["trace_id"] != OWN_TRACE]
    sent = {document["annotations"]["message_id"]: document["id"] for document in documents}
    assert {text: line["xray_trace_id"] for text, line in lines.items()} == {
        "before": OWN_TRACE,
        "message-1": trace_id(1),
        "message-2": trace_id(2),
        "after": OWN_TRACE,
    }
    assert {text: line["segment_id"] for text, line in lines.items() if "segment_id" in line} == sent
    assert {line["lambda_xray_trace_id"] for line in lines.values()} == {OWN_TRACE}
    assert lines["message-1"]["message_id"] == "message-1"
    assert lines["message-1"]["order"] == 7


def test_its_batch_processor_with_continue_trace(process: Process) -> None:
    written = Written()
    processor = BatchProcessor(EventType.SQS)

    def handle(record: Any) -> None:
        with continue_trace(record.raw_event, LambdaContext()):
            written.log.info(record.message_id)

    @written.log.inject_lambda_context
    def handler(batch: dict[str, Any], context: Any) -> Any:
        return process_partial_response(batch, handle, processor, context)

    context: Any = LambdaContext()
    context.function_name, context.memory_limit_in_mb = "worker", 128
    assert handler(several(1, 2), context) == {"batchItemFailures": []}
    lines = written.lines()
    assert {text: line["xray_trace_id"] for text, line in lines.items()} == {
        "message-1": trace_id(1),
        "message-2": trace_id(2),
    }
    assert {line["function_request_id"] for line in lines.values()} == {context.aws_request_id}


class Renaming(LambdaPowertoolsFormatter):
    """As Powertools' documentation has it: `serialize` overridden, without the one it inherits."""

    def serialize(self, log: Any) -> str:
        log["trace"] = log.pop("xray_trace_id")
        return self.json_serializer(log)


@pytest.mark.parametrize("options", [{"logger_formatter": Renaming()}, {"json_serializer": json.dumps}])
def test_formatters_and_serializers_of_the_applications_own(process: Process, options: dict[str, Any]) -> None:
    written = Written(**options)
    logged_in(record(trace=header(trace_id(1))), lambda: written.log.info("here"))
    line = written.lines()["here"]
    assert line.get("trace", line.get("xray_trace_id")) == trace_id(1)


def test_a_key_that_is_switched_off_stays_off(process: Process) -> None:
    written = Written(xray_trace_id=None)
    logged_in(record(trace=header(trace_id(1))), lambda: written.log.info("here"))
    assert "xray_trace_id" not in written.lines()["here"]


def test_keys_that_the_application_appends_stay(process: Process) -> None:
    written = Written()
    written.log.append_keys(message_id="mine")

    def log() -> None:
        written.log.thread_safe_append_keys(segment_id="mine too")
        written.log.info("appended")
        written.log.info("extra", extra={"message_id": "of this line"})
        written.log.thread_safe_clear_keys()

    logged_in(record(trace=header(trace_id(1))), log)
    lines = written.lines()
    assert (lines["appended"]["message_id"], lines["appended"]["segment_id"]) == ("mine", "mine too")
    assert lines["appended"]["xray_trace_id"] == trace_id(1)
    assert lines["extra"]["message_id"] == "of this line"


def test_a_place_kept_for_a_field_is_filled(process: Process) -> None:
    written = Written(log_record_order=["message_id", "message"])
    logged_in(record(trace=header(trace_id(1))), lambda: written.log.info("here"))
    line = written.lines()["here"]
    assert list(line)[:2] == ["message_id", "message"]
    assert line["message_id"] == "message-1"


def test_buffered_lines_are_those_of_the_message_that_logged_them(process: Process) -> None:
    written = Written(level="DEBUG", buffer_config=LoggerBufferConfig())

    @sqs_handler
    def handler(message: Message) -> None:
        written.log.debug("detail of %s", message.message_id)
        if message.message_id == "message-2":
            written.log.error("flushes")

    handler(several(1, 2), LambdaContext())
    found = {text: (line["message_id"], line["xray_trace_id"]) for text, line in written.lines().items()}
    assert found == {
        "detail of message-1": ("message-1", trace_id(1)),
        "detail of message-2": ("message-2", trace_id(2)),
        "flushes": ("message-2", trace_id(2)),
    }


def test_off_shows_what_powertools_shows_by_itself(process: Process) -> None:
    process.set(logs="off")
    written = Written()
    logged_in(record(trace=header(trace_id(1))), lambda: written.log.info("here"))
    line = written.lines()["here"]
    assert line["xray_trace_id"] == OWN_TRACE
    assert {"message_id", "segment_id", "lambda_xray_trace_id"}.isdisjoint(line)


PROGRAM = """
import io, json, sys
from trace_bridge import continue_trace, trace_logs
trace_logs()
assert not any(name.startswith("aws_lambda_powertools") for name in sys.modules)
from aws_lambda_powertools import Logger
{breaking}
out = io.StringIO()
log = Logger(service="orders", stream=out)
header = "Root=1-5e61292c-cc1229a4dfbeae1043928548;Parent=53995c3f42cd8ad8;Sampled=0"
with continue_trace({{"messageId": "m", "attributes": {{"AWSTraceHeader": header}}}}):
    log.warning("here")
print(json.loads(out.getvalue())["xray_trace_id"])
"""


def _run(program: str) -> subprocess.CompletedProcess[str]:
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=CHECKOUT,
        env={**os.environ, "_X_AMZN_TRACE_ID": f"Root={OWN_TRACE}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


@pytest.mark.program
def test_it_is_met_where_the_application_loads_it_later() -> None:
    ran = _run(PROGRAM.format(breaking=""))
    assert ran.stdout.strip() == "1-5e61292c-cc1229a4dfbeae1043928548"
    assert ran.stderr == ""


@pytest.mark.program
def test_a_version_that_works_otherwise_is_logged_and_does_no_harm() -> None:
    program = PROGRAM.replace("trace_logs()\n", "", 1)
    breaking = (
        "from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter as formatter\n"
        "ask = formatter._get_latest_trace_id\ndel formatter._get_latest_trace_id\ntrace_logs()\n"
        "formatter._get_latest_trace_id = ask"
    )
    ran = _run(program.format(breaking=breaking))
    assert ran.stdout.strip() == OWN_TRACE
    assert "shows the invocation's trace instead of the message's, as it has no '_get_latest_trace_id'" in ran.stderr


def test_logging_itself_is_as_before_beside_it(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    logged_in(record(trace=header(trace_id(1))), lambda: logging.getLogger("shop").warning("here"))
    assert [vars(line)["xray_trace_id"] for line in caplog.records] == [trace_id(1)]
