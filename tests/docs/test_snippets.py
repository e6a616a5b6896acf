"""Every Python snippet of the documents is code, and every one that makes a stack synthesizes without a warning."""

from __future__ import annotations

import pytest

from scripts.pages import PAGES, Snippet, snippets
from tests.support.snippets import Run
from tests.support.templates import synthesize, warnings

SNIPPETS = [snippet for page in PAGES for snippet in snippets(page)]
APPS = [snippet for snippet in SNIPPETS if snippet.is_an_app]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=str)
def test_is_code(snippet: Snippet) -> None:
    compile(snippet.code, str(snippet), "exec")


@pytest.mark.parametrize("snippet", APPS, ids=str)
def test_synthesizes_without_a_warning(snippet: Snippet, run: Run) -> None:
    stacks = run(snippet.code, str(snippet))
    assert all(synthesize(stack).resources for stack in stacks)
    assert [warning for stack in stacks for warning in warnings(stack)] == []


def test_every_construct_and_recipe_has_one() -> None:
    pages = {snippet.page.name for snippet in APPS}
    assert pages >= {"README.md", "constructs.md", "checks.md", "recipes.md"}
    shown = "\n".join(snippet.code for snippet in APPS if snippet.page.name == "constructs.md")
    blocks = ("TracedPipeline", "IngestApi", "TracedTopic", "QueueWorker", "TracedFunction", "add_container_worker")
    for block in (*blocks, "TraceEverything.below", "SnsTracePermission"):
        assert f"{block}(" in shown, block
