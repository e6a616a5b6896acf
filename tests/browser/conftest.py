"""The page of traces in a real Chromium, opened from a file, without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from traced_pipeline_cli.aws.logs import FunctionLogs

from scripts.chromium import find
from tests.support.pages import Opened, written
from tests.support.samples import Document

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser with a profile of its own. One a module: while it runs, this thread can run no other event loop."""
    path = find()
    assert path is not None, "there is no Chromium; `make test` says how to get one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    """Opens pages offline; at the end none may have complained or asked for anything but itself."""
    complaints: list[str] = []
    requests: list[str] = []
    contexts = []

    def open_page(
        answers: list[Document],
        *,
        logs: Mapping[str, FunctionLogs] | None = None,
        scheme: str = "light",
        width: int = 1280,
        height: int = 900,
    ) -> Page:
        context = browser.new_context(
            offline=True,
            color_scheme="dark" if scheme == "dark" else "light",
            viewport={"width": width, "height": height},
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(written(tmp_path, answers, logs))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert {url for url in requests if url != "data:,"} <= {(tmp_path / "trace.html").as_uri()}
