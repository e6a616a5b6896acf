"""Which span is current: a message's while its handler runs, whatever runs beside it, and none behind it."""

import asyncio
import logging
import os
import threading
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry import trace
from trace_bridge import (
    Message,
    TracedThreadPoolExecutor,
    continue_trace,
    sqs_handler,
)

from tests.support.lambda_events import (
    LambdaContext,
    event,
    header,
    record,
    trace_id,
)
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans, id_of, parent_id_of, trace_id_of
from tests.support.trace_headers import ROOT

RECORD = record(trace=header(ROOT))


def _run(work: Any, *records: dict[str, Any], **options: Any) -> Any:
    @sqs_handler(**options)
    def handler(message: Message) -> None:
        work(message)

    return handler(event(*(records or (RECORD,))), LambdaContext())


def test_what_a_handler_records_by_itself_is_below_the_message(spans: Spans) -> None:
    def work(_message: Message) -> None:
        with spans.tracer.start_as_current_span("own"):
            pass

    _run(work)
    own, message = spans.all()
    assert parent_id_of(own) == id_of(message)
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize("options", [{}, {"max_workers": 4}])
def test_messages_side_by_side_each_have_their_own_current_span(spans: Spans, options: dict[str, Any]) -> None:
    together = threading.Barrier(4 if options else 1, timeout=30)

    def work(message: Message) -> None:
        together.wait()
        with TracedThreadPoolExecutor(1) as pool:
            pool.submit(lambda: spans.tracer.start_span(message.message_id).end()).result()

    _run(work, *(record(number, trace=header(trace_id(number))) for number in (1, 2, 3, 4)), **options)
    for number in (1, 2, 3, 4):
        own = spans.named(f"message-{number}")
        (parent,) = (span for span in spans.all() if id_of(span) == parent_id_of(own))
        assert parent.attributes is not None
        assert parent.attributes["messaging.message.id"] == f"message-{number}"
        assert trace_id_of(own) == trace_id(number)


def test_tasks_side_by_side_each_have_their_own_current_span(spans: Spans) -> None:
    @sqs_handler(max_workers=4)
    async def handler(message: Message) -> None:
        await asyncio.sleep(0)
        with spans.tracer.start_as_current_span(message.message_id):
            await asyncio.sleep(0)

    handler(event(*(record(number, trace=header(trace_id(number))) for number in (1, 2, 3))), LambdaContext())
    for number in (1, 2, 3):
        assert trace_id_of(spans.named(f"message-{number}")) == trace_id(number)


def test_as_a_link_the_work_is_below_whatever_span_is_current(process: Process, spans: Spans) -> None:
    process.set(otel_relation="link")
    with spans.tracer.start_as_current_span("invocation"):
        _run(lambda _message: None)
    message, invocation = spans.all()
    assert parent_id_of(message) == id_of(invocation)
    assert len(message.links) == 1


def test_blocks_that_cross_each_other_leave_nothing_behind(spans: Spans) -> None:
    first, second = (continue_trace(record(n, trace=header(trace_id(n))), LambdaContext()) for n in (1, 2))
    one = first.__enter__()
    two = second.__enter__()
    first.__exit__(None, None, None)
    assert f"{trace.get_current_span().get_span_context().span_id:016x}" == two.id != one.id
    second.__exit__(None, None, None)
    assert not trace.get_current_span().get_span_context().is_valid
    assert len(spans.all()) == 2


def test_a_context_that_a_handler_leaves_attached_does_not_outlast_its_message(spans: Spans) -> None:
    _run(lambda _message: otel_context.attach(trace.set_span_in_context(spans.tracer.start_span("leaked"))))
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_block_left_in_another_context_is_ended_without_a_word(
    spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    block = continue_trace(RECORD, LambdaContext())

    async def enter() -> None:
        block.__enter__()

    async def leave() -> None:
        block.__exit__(None, None, None)

    async def both() -> None:
        await asyncio.create_task(enter())
        await asyncio.create_task(leave())

    asyncio.run(both())
    assert len(spans.all()) == 1
    assert [entry for entry in caplog.records if entry.levelno >= logging.WARNING] == []


def test_a_span_that_the_handler_ends_itself_is_ended_once(spans: Spans, caplog: pytest.LogCaptureFixture) -> None:
    _run(lambda _message: trace.get_current_span().end())
    assert len(spans.all()) == 1


def test_a_fork_leaves_the_messages_span_to_its_parent(spans: Spans) -> None:
    with continue_trace(RECORD, LambdaContext()):
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        assert spans.all() == []
    assert len(spans.all()) == 1
