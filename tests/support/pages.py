"""Pages of traces, as files that a browser opens."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from playwright.sync_api import Browser, Page
from traced_pipeline_cli.aws.logs import FunctionLogs
from traced_pipeline_cli.render.html.page import page_html
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.parse import parse_traces

from tests.support.samples import Document

Opened: TypeAlias = Callable[..., Page]
"""What the fixture `opened` gives: it takes the answers of X-Ray, and opens the page made of them."""


def written(folder: Path, answers: list[Document], logs: Mapping[str, FunctionLogs] | None = None) -> str:
    """Writes a page and returns its address."""
    traces = parse_traces(answers)
    file = folder / "trace.html"
    file.write_text(page_html(build_map(traces), traces, logs=logs), encoding="utf-8")
    return file.as_uri()


def cpu_seconds(browser: Browser) -> float:
    """Returns the seconds of CPU time that this process and all of the browser's have used so far."""
    session = browser.new_browser_cdp_session()
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return time.process_time() + sum(float(process["cpuTime"]) for process in processes)
