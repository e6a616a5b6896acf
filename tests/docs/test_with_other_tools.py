"""docs/with-other-tools.md: a span that a handler begins by the page has the message's sender as its parent."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from scripts.pages import ROOT, snippets
from tests.support.lambda_events import SENDER, LambdaContext, header, record, trace_id
from tests.support.snippets import Run
from tests.support.templates import synthesize

SNIPPETS = snippets(ROOT / "docs" / "with-other-tools.md")


def test_a_span_has_the_sender_as_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = [s.code for s in SNIPPETS if s.heading == "OpenTelemetry" and "sqs_handler" in s.code]
    spans = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(trace, "get_tracer", provider.get_tracer)
    names: dict[str, object] = {}
    exec(compile(code, "with-other-tools.md", "exec"), names)
    handler = names["handler"]
    assert callable(handler)
    sent = record(1, trace=header(trace_id(1), sampled="0"))
    handler({"Records": [sent, record(2)]}, LambdaContext())
    handler({"Records": [record(3, trace=header(trace_id(3)))]}, LambdaContext())
    (without, with_sender) = spans.get_finished_spans()
    assert without.parent is None
    assert with_sender.parent is not None
    assert f"{with_sender.context.trace_id:032x}" == trace_id(3)[2:].replace("-", "")
    assert f"{with_sender.parent.span_id:016x}" == SENDER


def test_an_injector_of_the_page_keeps_logs_for_a_year(run: Run) -> None:
    (snippet,) = [s for s in SNIPPETS if s.heading == "Property injectors"]
    (stack,) = run(snippet.code, str(snippet))
    kept = {group["RetentionInDays"] for group in synthesize(stack).all("AWS::Logs::LogGroup").values()}
    assert kept == {365}
