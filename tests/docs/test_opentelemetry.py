"""docs/opentelemetry.md: its code sends spans to X-Ray, and its tables tell what the engine does."""

from __future__ import annotations

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind
from trace_bridge.otel import XRaySpanExporter

from scripts.pages import ROOT, snippets

PAGE = ROOT / "docs" / "opentelemetry.md"


def test_its_code_hands_spans_to_the_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    (snippet,) = snippets(PAGE)
    exported: list[str] = []
    monkeypatch.setattr(XRaySpanExporter, "export", lambda _self, spans: exported.extend(span.name for span in spans))
    providers: list[TracerProvider] = []
    monkeypatch.setattr("opentelemetry.trace.set_tracer_provider", providers.append)
    exec(compile(snippet.code, str(snippet), "exec"), {})
    (provider,) = providers
    with provider.get_tracer("application").start_as_current_span("work", kind=SpanKind.SERVER):
        pass
    provider.shutdown()
    assert exported == ["work"]
