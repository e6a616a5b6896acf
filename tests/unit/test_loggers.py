"""Whatever makes and writes a log record: each knows its message."""

import json
import logging
import logging.handlers
import queue
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
import structlog
from awslambdaric.lambda_runtime_log_utils import JsonFormatter  # type: ignore[import-untyped]
from trace_bridge import log_fields

from tests.support.lambda_events import header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.log_lines import OUTSIDE, Kept, expected, logged_in


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
logging.getLogger("made.before")


@pytest.mark.parametrize("name", LOGGERS)
def test_whatever_logger_makes_the_record(process: Process, kept: Kept, name: str) -> None:
    logger = LOGGERS[name]()
    logged_in(record(trace=header(trace_id(1))), lambda: logger.warning("here"))
    assert kept.fields() == {"here": expected(process, 1)}


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


def test_lambdas_json_format_has_them_as_fields_of_the_line(process: Process, kept: Kept) -> None:
    logged_in(record(trace=header(trace_id(1))), lambda: logging.getLogger("shop").info("here", extra={"order": 7}))
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
