"""docs/opentelemetry.md: its code sends spans to X-Ray, and records a handler's work."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from trace_bridge.otel import XRaySpanExporter

from scripts.pages import ROOT, Snippet, snippets
from tests.support.lambda_events import LambdaContext, event, record
from tests.support.otel_spans import Spans

PAGE = ROOT / "docs" / "opentelemetry.md"
_APP, HANDLER, PROVIDER = snippets(PAGE)


def run(snippet: Snippet) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(compile(snippet.code, str(snippet), "exec"), names)
    return names


def test_its_code_hands_spans_to_the_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    exported: list[str] = []
    monkeypatch.setattr(XRaySpanExporter, "export", lambda _self, spans: exported.extend(span.name for span in spans))
    providers: list[TracerProvider] = []
    monkeypatch.setattr("opentelemetry.trace.set_tracer_provider", providers.append)
    run(PROVIDER)
    (provider,) = providers
    with provider.get_tracer("application").start_as_current_span("work", kind=SpanKind.SERVER):
        pass
    provider.shutdown()
    assert exported == ["work"]


def test_its_handler_records_a_span_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    spans = Spans()
    monkeypatch.setattr("opentelemetry.trace.get_tracer_provider", lambda: spans.provider)
    handler = run(HANDLER)["handler"]
    assert callable(handler)
    handler(event({**record(), "body": '{"id": "o-1"}'}), LambdaContext())
    assert dict(spans.named("price").attributes or {}) == {"order.id": "o-1"}
    spans.close()
