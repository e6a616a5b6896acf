"""Spans have left before an invocation ends, and no exporter makes it wait for longer than it can."""

import threading
from collections.abc import Iterator, Sequence
from typing import NoReturn

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from trace_bridge import Message, sqs_handler

from tests.support import bridge
from tests.support.child_process import in_a_child
from tests.support.lambda_events import LambdaContext, event, header, record
from tests.support.lambda_process import Process
from tests.support.otel_spans import Spans
from tests.support.timing import Stopwatch
from tests.support.trace_headers import ROOT
from tests.support.waiting import wait_for

BATCH = event(record(trace=header(ROOT)))


class Exporter(SpanExporter):
    """Takes spans once it is open."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.taken: list[str] = []
        self.calls = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.calls += 1
        self.open.wait(30)
        self.taken += [span.name for span in spans]
        return SpanExportResult.SUCCESS


@pytest.fixture
def exporter(spans: Spans) -> Iterator[Exporter]:
    """An exporter behind a batch processor, which by itself would export after a minute."""
    made = Exporter()
    spans.provider.add_span_processor(BatchSpanProcessor(made, schedule_delay_millis=60_000))
    yield made
    made.open.set()


@sqs_handler
def handler(_message: Message) -> None:
    pass


def test_spans_have_left_when_the_handler_returns(exporter: Exporter) -> None:
    exporter.open.set()
    handler(BATCH, LambdaContext())
    assert exporter.taken == ["process orders"]


def test_spans_that_no_thread_could_export_leave_with_the_next_batch(process: Process, exporter: Exporter) -> None:
    exporter.open.set()
    bridge.forget_flush(process.monkeypatch)

    def no_thread(_thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    with process.monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_thread)
        assert handler(BATCH, LambdaContext()) == {"batchItemFailures": []}
    assert exporter.taken == []
    assert handler(BATCH, LambdaContext()) == {"batchItemFailures": []}
    assert exporter.taken == ["process orders"] * 2


def test_a_process_forked_in_a_batch_exports_its_own_spans_when_their_batch_ends(exporter: Exporter) -> None:
    exporter.open.set()

    @sqs_handler
    def forking(_message: Message) -> None:
        assert in_a_child(lambda: [handler(BATCH, LambdaContext()), exporter.taken]) == (
            '[{"batchItemFailures": []}, ["process orders"]]'
        )

    assert forking(BATCH, LambdaContext()) == {"batchItemFailures": []}


@pytest.mark.waits
def test_an_exporter_that_hangs_costs_no_more_than_the_invocation_has_left(
    exporter: Exporter, caplog: pytest.LogCaptureFixture
) -> None:
    stopwatch = Stopwatch()
    assert handler(BATCH, LambdaContext(1_200)) == {"batchItemFailures": []}
    assert 0.5 < stopwatch.seconds() < 1.2
    assert "did not export its spans within" in caplog.text


def test_behind_an_exporter_that_hangs_nobody_waits_a_second_time(exporter: Exporter) -> None:
    handler(BATCH, LambdaContext(700))
    stopwatch = Stopwatch()
    handler(BATCH, LambdaContext())
    assert stopwatch.seconds() < 0.4
    exporter.open.set()
    wait_for(lambda: exporter.taken)
    wait_for(lambda: _handled(exporter) == 3)


def _handled(exporter: Exporter) -> int:
    """Runs the handler once more unless that was done, and counts what has left."""
    if len(exporter.taken) < 3:
        handler(BATCH, LambdaContext())
    return min(len(exporter.taken), 3)


def test_an_invocation_without_time_left_waits_for_nothing(exporter: Exporter) -> None:
    stopwatch = Stopwatch()
    handler(BATCH, LambdaContext(150))
    assert stopwatch.seconds() < 0.4


def test_a_provider_that_cannot_flush_costs_no_message(
    process: Process, spans: Spans, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_timeout: int) -> bool:
        raise RuntimeError("no way out")

    spans.provider.add_span_processor(SpanProcessor())
    process.monkeypatch.setattr(spans.provider, "force_flush", broken)
    assert handler(BATCH, LambdaContext()) == {"batchItemFailures": []}
    assert "OpenTelemetry could not export its spans" in caplog.text


def test_outside_of_lambda_the_applications_own_processors_decide(process: Process, exporter: Exporter) -> None:
    process.monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    exporter.open.set()
    handler(BATCH, LambdaContext())
    assert exporter.calls == 0


def test_processors_that_keep_no_spans_are_not_flushed(process: Process, spans: Spans) -> None:
    flushed: list[int] = []
    process.monkeypatch.setattr(spans.provider, "force_flush", flushed.append)
    handler(BATCH, LambdaContext())
    assert (len(spans.all()), flushed) == (1, [])


def test_a_batch_without_a_recorded_message_is_not_flushed(exporter: Exporter) -> None:
    stopwatch = Stopwatch()
    handler(event(record(trace=header(ROOT, sampled="0"))), LambdaContext())
    assert (stopwatch.seconds() < 1, exporter.calls) == (True, 0)
