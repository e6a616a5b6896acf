"""docs/with-other-tools.md: what its code does."""

from __future__ import annotations

from scripts.pages import ROOT, snippets
from tests.support.snippets import Run
from tests.support.templates import synthesize

SNIPPETS = snippets(ROOT / "docs" / "with-other-tools.md")


def test_an_injector_of_the_page_keeps_logs_for_a_year(run: Run) -> None:
    (snippet,) = [s for s in SNIPPETS if s.heading == "Property injectors"]
    (stack,) = run(snippet.code, str(snippet))
    kept = {group["RetentionInDays"] for group in synthesize(stack).all("AWS::Logs::LogGroup").values()}
    assert kept == {365}
