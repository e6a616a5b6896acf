"""Log records know their message, whatever logger makes them and wherever the work goes on."""

import asyncio
import json
import logging
import logging.handlers
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import structlog
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]
from trace_bridge import (
    BatchFailedError,
    Message,
    TracedThreadPoolExecutor,
    continue_trace,
    log_fields,
    sqs_handler,
    trace_logs,
)

from harness.local_aws import ROOT as CHECKOUT
from tests.support.lambda_events import ACTIVE, OWN_PARENT, OWN_TRACE, LambdaContext, event, header, record, trace_id
from tests.support.lambda_process import Process

NAMES = ("message_id", "xray_trace_id", "segment_id", "lambda_xray_trace_id", "dd.trace_id", "dd.span_id")
LOG = logging.getLogger("tests.logs")
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


@pytest.fixture
def kept(process: Process) -> Iterator[Kept]:
    handler, root = Kept(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    trace_logs()
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


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


def test_each_line_names_its_own_message(process: Process, kept: Kept) -> None:
    log = logging.getLogger("shop.orders")

    @sqs_handler
    def handler(message: Message) -> None:
        log.info("one of %s", message.message_id)
        logging.getLogger().warning("two of %s", message.message_id)

    handler(several(1, 2, 3), LambdaContext())
    lines, sent = kept.fields(), {number: expected(process, number) for number in (1, 2, 3)}
    assert lines == {
        f"{which} of message-{number}": fields for which in ("one", "two") for number, fields in sent.items()
    }


class OwnRecords(logging.Logger):
    """Makes its records itself, as a common recipe has it."""

    def makeRecord(self, *args: Any, **kwargs: Any) -> logging.LogRecord:  # noqa: N802
        name, level, fn, lno, msg, arguments, exc_info = args[:7]
        return logging.LogRecord(name, level, fn, lno, msg, arguments, exc_info)


class OwnWay(logging.Logger):
    """Hands its records to its handlers itself."""

    def handle(self, record: logging.LogRecord) -> None:
        if self.filter(record):
            self.callHandlers(record)


def _made(kind: type[logging.Logger]) -> logging.Logger:
    before = logging.getLoggerClass()
    logging.setLoggerClass(kind)
    try:
        return logging.getLogger(f"made.{kind.__name__}")
    finally:
        logging.setLoggerClass(before)


def _standalone() -> logging.Logger:
    logger = logging.Logger("standalone")  # noqa: LOG001 - a logger that no manager knows
    logger.parent = logging.getLogger()
    return logger


LOGGERS: dict[str, Callable[[], Any]] = {
    "the root": logging.getLogger,
    "made before": lambda: logging.getLogger("made.before"),
    "makes its own records": lambda: _made(OwnRecords),
    "has a way of its own": lambda: _made(OwnWay),
    "standing alone": _standalone,
    "an adapter": lambda: logging.LoggerAdapter(logging.getLogger("adapted"), {"shop": "north"}),
}
logging.getLogger("made.before")


@pytest.mark.parametrize("name", LOGGERS)
def test_whatever_logger_makes_the_record(process: Process, kept: Kept, name: str) -> None:
    logger = LOGGERS[name]()
    logged_in(record(trace=header(trace_id(1))), lambda: logger.warning("here"))
    assert kept.fields() == {"here": expected(process, 1)}


@pytest.mark.parametrize("name", ["message_id", "xray_trace_id", "segment_id", "lambda_xray_trace_id"])
def test_a_value_of_the_callers_own_stays(process: Process, kept: Kept, name: str) -> None:
    log = logging.getLogger("own")
    with continue_trace(record(trace=header(trace_id(1))), LambdaContext()):
        log.info("first", extra={name: "mine"})
        log.info("second", extra={name: "mine"})
    own = {**expected(process, 1), name: "mine"}
    assert kept.fields() == {"first": own, "second": own}


def test_a_record_factory_of_others_keeps_its_own(process: Process, kept: Kept) -> None:
    before = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = before(*args, **kwargs)
        made.xray_trace_id = "from the factory"
        return made

    logging.setLogRecordFactory(factory)
    try:
        logged_in(record(trace=header(trace_id(1))), lambda: logging.getLogger("f").info("here"))
    finally:
        logging.setLogRecordFactory(before)
    assert kept.fields() == {"here": {**expected(process, 1), "xray_trace_id": "from the factory"}}


def test_a_line_that_another_thread_writes_out_later_is_still_its_messages(process: Process, kept: Kept) -> None:
    waiting: queue.Queue[Any] = queue.Queue()
    written = Kept()
    log = logging.getLogger("queued")
    sender = logging.handlers.QueueHandler(waiting)
    log.addHandler(sender)
    try:
        logged_in(record(1, trace=header(trace_id(1))), lambda: log.info("of one"))
        logged_in(record(2, trace=header(trace_id(2))), lambda: log.info("of two"))
    finally:
        log.removeHandler(sender)
    listener = logging.handlers.QueueListener(waiting, written)
    listener.start()
    listener.stop()
    assert written.fields() == {"of one": expected(process, 1), "of two": expected(process, 2)}


def test_threads_and_tasks_log_for_the_message_they_work_for(process: Process, kept: Kept) -> None:
    log = logging.getLogger("shop")
    plain, traced = ThreadPoolExecutor(1), TracedThreadPoolExecutor(1)

    @sqs_handler(max_workers=3)
    async def handler(message: Message) -> None:
        name = message.message_id
        await asyncio.sleep(0)
        log.info("task %s", name)
        await asyncio.to_thread(log.info, "to_thread %s", name)
        await asyncio.get_running_loop().run_in_executor(None, log.info, f"executor {name}")
        traced.submit(log.info, "traced %s", name).result()
        plain.submit(log.info, "plain %s", name).result()

    with plain, traced:
        handler(several(1, 2, 3), LambdaContext())
    lines = kept.fields()
    for number in (1, 2, 3):
        for way in ("task", "to_thread", "executor", "traced"):
            assert lines[f"{way} message-{number}"] == expected(process, number), way
        assert lines[f"plain message-{number}"] == OUTSIDE


def test_side_by_side_in_threads_each_logs_for_its_own(process: Process, kept: Kept) -> None:
    together = threading.Barrier(3, timeout=30)

    @sqs_handler(max_workers=3)
    def handler(message: Message) -> None:
        together.wait()
        logging.getLogger("shop").info(message.message_id)

    handler(several(1, 2, 3), LambdaContext())
    assert kept.fields() == {f"message-{number}": expected(process, number) for number in (1, 2, 3)}


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_the_line_about_a_failure_names_the_message_that_failed(process: Process, kept: Kept, kind: str) -> None:
    def fail(message: Message) -> None:
        if message.message_id == "message-2":
            raise ValueError("no price")

    async def fail_later(message: Message) -> None:
        fail(message)

    handler = sqs_handler(max_workers=2)(fail_later) if kind == "async def" else sqs_handler(fail)
    assert handler(several(1, 2, 3), LambdaContext()) == {"batchItemFailures": [{"itemIdentifier": "message-2"}]}
    assert kept.fields() == {"message message-2 failed: ValueError: no price": expected(process, 2)}


def test_what_has_no_segment_names_the_trace_it_would_be_in(process: Process, kept: Kept) -> None:
    for number, sampled in ((1, "0"), (2, "?"), (3, None)):
        message = record(number, trace=header(trace_id(number), sampled=sampled))
        logged_in(message, lambda number=number: LOG.info("%d", number))  # type: ignore[misc] # bound here
    assert kept.fields() == {
        str(number): {
            "message_id": f"message-{number}",
            "xray_trace_id": trace_id(number),
            "lambda_xray_trace_id": OWN_TRACE,
        }
        for number in (1, 2, 3)
    }


def test_a_message_without_a_trace_is_in_the_invocations(process: Process, kept: Kept) -> None:
    logged_in(record(), lambda: LOG.info("here"))
    assert kept.fields() == {"here": {"message_id": "message-1", **OUTSIDE}}


def test_outside_of_messages_a_line_names_the_invocations_trace(process: Process, kept: Kept) -> None:
    LOG.info("before")
    logged_in(record(trace=header(trace_id(1))), lambda: None)
    LOG.info("after")
    process.invoked(f"Root={trace_id(7)}")
    LOG.info("another invocation")
    process.invoked(None)
    LOG.info("none")
    assert kept.fields() == {
        "before": OUTSIDE,
        "after": OUTSIDE,
        "another invocation": {"xray_trace_id": trace_id(7), "lambda_xray_trace_id": trace_id(7)},
        "none": {},
    }


def test_in_a_container_there_is_no_trace_of_lambdas(process: Process, kept: Kept) -> None:
    process.invoked(None)
    process.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    process.has_origin = False
    with continue_trace(record(trace=header(trace_id(1)))) as segment:
        LOG.info("here")
    LOG.info("outside")
    inside = {"message_id": "message-1", "xray_trace_id": trace_id(1), "segment_id": segment.id}
    assert kept.fields() == {"here": inside, "outside": {}}


def test_a_task_that_outlives_its_message_logs_for_the_invocation(process: Process, kept: Kept) -> None:
    async def late(begin: asyncio.Event) -> None:
        await begin.wait()
        LOG.info("late")

    async def run() -> None:
        begin = asyncio.Event()
        with continue_trace(record(trace=header(trace_id(1))), LambdaContext()):
            LOG.info("in time")
            task = asyncio.create_task(late(begin))
            await asyncio.sleep(0)
        begin.set()
        await task

    asyncio.run(run())
    assert kept.fields() == {"in time": expected(process, 1), "late": OUTSIDE}


def test_lambdas_json_format_has_them_as_fields_of_the_line(process: Process, kept: Kept) -> None:
    logged_in(record(trace=header(trace_id(1))), lambda: LOG.info("here", extra={"order": 7}))
    line = json.loads(JsonFormatter().format(kept.records[0]))
    assert {**expected(process, 1), "message": "here", "level": "INFO", "order": 7}.items() <= line.items()


def test_plain_text_is_as_it_is_without_the_bridge(process: Process, kept: Kept) -> None:
    style = "[%(levelname)s]\t%(name)s\t%(message)s"
    logged_in(record(trace=header(trace_id(1))), lambda: logging.getLogger("shop").info("here"))
    logging.getLogger("shop").info("here")
    inside, outside = (logging.Formatter(style).format(line) for line in kept.records)
    assert inside == outside == "[INFO]\tshop\there"
    assert "%(" not in logging.Formatter(f"{style} %(message_id)s").format(kept.records[0])


def test_structlog_over_logging(process: Process, kept: Kept) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ]
    )
    log = structlog.wrap_logger(
        logging.getLogger("structured"),
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logged_in(record(trace=header(trace_id(1))), lambda: log.info("here", order=7))
    line = json.loads(formatter.format(kept.records[0]))
    assert {**expected(process, 1), "event": "here", "order": 7}.items() <= line.items()


def test_a_logger_of_another_kind_asks_for_the_fields(process: Process, kept: Kept) -> None:
    lines: list[dict[str, Any]] = []

    def add_fields(_logger: object, _method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:
        return {**log_fields(), **line}

    def keep(_logger: object, _method: str, line: MutableMapping[str, Any]) -> str:
        lines.append(dict(line))
        raise structlog.DropEvent

    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[add_fields, keep])
    logged_in(record(trace=header(trace_id(1))), lambda: log.info("here", segment_id="mine"))
    assert lines == [{**expected(process, 1), "segment_id": "mine", "event": "here"}]
    assert log_fields() == OUTSIDE
    process.invoked(None)
    assert log_fields() == {}


def test_datadogs_ids_where_they_are_asked_for(process: Process, kept: Kept) -> None:
    process.set(logs="datadog")
    # The trace id and its conversion are of Datadog's own forwarder's tests.
    message = record(trace=header("1-5e61292c-cc1229a4dfbeae1043928548"))
    with continue_trace(message, LambdaContext()) as segment:
        LOG.info("here")
        LOG.info("ddtrace's", extra={"dd.trace_id": "0", "dd.span_id": "0"})
        LOG.info("half", extra={"dd.trace_id": "1"})
    process.invoked(ACTIVE)
    LOG.info("outside")
    lines = kept.fields()
    assert lines["here"]["dd.trace_id"] == "6899143064054564168"
    assert lines["here"]["dd.span_id"] == str(int(segment.id, 16))
    assert lines["here"]["xray_trace_id"] == "1-5e61292c-cc1229a4dfbeae1043928548"
    assert (lines["ddtrace's"]["dd.trace_id"], lines["ddtrace's"]["dd.span_id"]) == ("0", "0")
    assert {name for name in lines["half"] if name.startswith("dd.")} == {"dd.trace_id"}
    assert lines["outside"]["dd.span_id"] == str(int(OWN_PARENT, 16))


def test_datadogs_ids_of_a_message_without_a_segment(process: Process, kept: Kept) -> None:
    process.set(logs="datadog")
    logged_in(record(trace=header(trace_id(1), sampled="0")), lambda: LOG.info("here"))
    assert {name for name in kept.fields()["here"] if name.startswith("dd.")} == {"dd.trace_id"}


@pytest.mark.parametrize("settings", [{"logs": "off"}, {"enabled": False}], ids=["logs off", "bridge off"])
def test_off_adds_nothing(process: Process, kept: Kept, settings: dict[str, Any]) -> None:
    process.set(**settings)
    logged_in(record(trace=header(trace_id(1))), lambda: LOG.info("here"))
    LOG.info("outside")
    assert kept.fields() == {"here": {}, "outside": {}}


def test_a_record_that_takes_no_attributes_is_logged_all_the_same(process: Process, kept: Kept) -> None:
    class Odd:
        __slots__ = ("levelno", "msg")

        def __init__(self, msg: str) -> None:
            self.levelno, self.msg = logging.INFO, msg

    class Seen(logging.Handler):
        def handle(self, record: Any) -> bool:
            seen.append(record.msg)
            return True

    seen: list[str] = []
    log, handler = logging.Logger("odd"), Seen()  # noqa: LOG001 - a logger that no manager knows
    log.addHandler(handler)
    logged_in(record(trace=header(trace_id(1))), lambda: log.handle(Odd("here")))  # type: ignore[arg-type]
    assert seen == ["here"]


def test_lambdas_variable_is_never_written(process: Process, kept: Kept) -> None:
    process.invoked(ACTIVE)
    logged_in(record(trace=header(trace_id(1))), lambda: LOG.info(os.environ["_X_AMZN_TRACE_ID"]))
    assert [line.getMessage() for line in kept.records] == [ACTIVE]
    assert os.environ["_X_AMZN_TRACE_ID"] == ACTIVE


def test_a_batch_of_which_all_fail_names_each(process: Process, kept: Kept) -> None:
    @sqs_handler
    def handler(message: Message) -> None:
        raise ValueError(message.message_id)

    with pytest.raises(BatchFailedError):
        handler(several(1, 2), LambdaContext())
    assert list(kept.fields().values()) == [expected(process, 1), expected(process, 2)]


PROGRAM = """
import logging, sys
{setting_up}
lines = []
class Keep(logging.Handler):
    def emit(self, record):
        lines.append(record)
logging.getLogger().addHandler(Keep())
from trace_bridge import continue_trace
header = "Root=1-5e61292c-cc1229a4dfbeae1043928548;Parent=53995c3f42cd8ad8;Sampled=0"
with continue_trace({{"messageId": "m", "attributes": {{"AWSTraceHeader": header}}}}):
    logging.getLogger("shop").warning("here")
print([getattr(line, "message_id", None) for line in lines if line.name == "shop"])
"""
_POLL = """
import threading
from trace_bridge import poll
stop = threading.Event()
stop.set()
poll("https://sqs.us-east-1.amazonaws.com/1/q", print, client=object(), stop=stop)
"""
_ANEW = """
import trace_bridge
trace_bridge.trace_logs()
for name in [name for name in sys.modules if name.startswith("trace_bridge")]:
    del sys.modules[name]
import trace_bridge
trace_bridge.trace_logs()
"""
_AROUND = """
import functools
from trace_bridge import trace_logs
trace_logs()
inner = logging.Logger.callHandlers
@functools.wraps(inner)
def another_librarys(self, record):
    seen.append(record)
    inner(self, record)
seen = []
logging.Logger.callHandlers = another_librarys
trace_logs()
trace_logs()
logging.getLogger("other").addHandler(logging.NullHandler())
logging.getLogger("other").warning("here")
assert len(seen) == 1
"""
ENTRIES = {
    "nothing": ("", "[None]"),
    "trace_logs": ("from trace_bridge import trace_logs\ntrace_logs()", "['m']"),
    "trace_logs, twice": ("from trace_bridge import trace_logs\ntrace_logs()\ntrace_logs()", "['m']"),
    "sqs_handler": ("from trace_bridge import sqs_handler\nsqs_handler(print)", "['m']"),
    "zero code": ("import trace_bridge.auto", "['m']"),
    "poll": (_POLL, "['m']"),
    "the bridge imported anew": (_ANEW, "['m']"),
    "another library around it": (_AROUND, "['m']"),
}


@pytest.mark.parametrize("entry", ENTRIES)
def test_what_switches_it_on(entry: str) -> None:
    setting_up, printed = ENTRIES[entry]
    assert _run(setting_up) == (printed, "")


def test_off_leaves_logging_as_it_is() -> None:
    program = (
        "from trace_bridge import trace_logs\nbefore = logging.Logger.callHandlers\ntrace_logs()\n"
        "assert logging.Logger.callHandlers is before"
    )
    assert _run(program, TRACE_BRIDGE_LOGS="off") == ("[None]", "")


def test_a_wrong_word_is_told_once_and_nothing_is_added() -> None:
    printed, said = _run("from trace_bridge import trace_logs\ntrace_logs()", TRACE_BRIDGE_LOGS="json")
    assert printed == "[None]"
    assert said.count("TRACE_BRIDGE_LOGS is 'json'; expected one of 'xray', 'datadog', 'off'") == 1


def _run(setting_up: str, **variables: str) -> tuple[str, str]:
    """Runs a program that logs in a message, after something of the bridge's; returns what it printed and said."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(setting_up=setting_up)],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "TRACE_BRIDGE_HANDLER": "builtins.print",
            "AWS_DEFAULT_REGION": "us-east-1",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip(), ran.stderr.strip()
