"""Log records know their message, wherever the work goes on."""

import asyncio
import logging
import logging.handlers
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from trace_bridge import BatchFailedError, Message, TracedThreadPoolExecutor, continue_trace, sqs_handler

from tests.support.lambda_events import ACTIVE, OWN_PARENT, OWN_TRACE, LambdaContext, header, record, trace_id
from tests.support.lambda_process import Process
from tests.support.log_lines import OUTSIDE, Kept, expected, logged_in, several

LOG = logging.getLogger("tests.logs")


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


@pytest.mark.parametrize("name", ["message_id", "xray_trace_id", "segment_id", "lambda_xray_trace_id"])
def test_a_value_of_the_callers_own_stays(process: Process, kept: Kept, name: str) -> None:
    log = logging.getLogger("own")
    with continue_trace(record(trace=header(trace_id(1))), LambdaContext()):
        log.info("first", extra={name: "mine"})
        log.info("second", extra={name: "mine"})
    own = {**expected(process, 1), name: "mine"}
    assert kept.fields() == {"first": own, "second": own}


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
