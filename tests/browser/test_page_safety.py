"""The page beside what a stranger may have put into a trace, and beside what accessibility rules ask."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from traced_pipeline_cli.aws.logs import FunctionLogs, LogLine

from harness.local_aws import ROOT
from tests.support import samples
from tests.support.pages import Opened, written

ATTACKS = (
    "</script><script>window.attacked = 1</script>",
    "<img src=x onerror='window.attacked = 1'>",
    "<svg onload='window.attacked = 1'>",
    "javascript:window.attacked=1",
    "{{script}}",
    "__proto__",
)

REFUSED = {"connect-src", "img-src", "frame-src", "style-src-elem", "media-src", "innerHTML", "policy"}


def _attacking() -> samples.Document:
    answer = samples.Answer(1)
    parent = None
    for number, attack in enumerate(ATTACKS):
        parent = answer.segment(
            attack,
            "AWS::Lambda::Function",
            number,
            number + 1,
            fault=True,
            cause={"exceptions": [{"id": "1" * 16, "type": attack, "message": attack}]},
            annotations={attack: attack},
            metadata={attack: {attack: [attack]}},
            aws={"cloudwatch_logs": [{"log_group": attack}]},
            parent_id=None if parent is None else parent["id"],
            **{attack: attack},
        )
        if number == 0:
            del parent["parent_id"]
    return answer.json()


def _click_everything(page: Page) -> None:
    for node in page.locator("#stage").get_by_role("button").all():
        node.click()
    for row in page.get_by_role("treegrid").locator("[data-place]").all():
        row.click()
        page.get_by_text("As JSON").click()
    page.get_by_text("The map as a table").click()


def test_nothing_of_a_trace_or_a_log_becomes_code(opened: Opened) -> None:
    answer = _attacking()
    logs = {
        attack: FunctionLogs(
            group=attack, lines=(LogLine(time=1.0, message=attack, trace_ids=(answer["Id"],)),), problem=attack
        )
        for attack in ATTACKS
    }
    page = opened([answer], logs=logs)
    _click_everything(page)
    assert page.evaluate("window.attacked") is None
    assert page.evaluate("({}).polluted") is None
    assert page.locator("#stage img, #rows img, #details img, [onerror], [onload]").count() == 0
    page.locator("#stage").get_by_role("button").nth(1).click()
    shown = page.get_by_role("region", name="Details").inner_text()
    assert shown.count(ATTACKS[1]) >= 3
    page.get_by_role("treegrid").locator("[data-place]").nth(5).click()
    assert page.get_by_role("region", name="Details").inner_text().count("__proto__") >= 5


@pytest.fixture
def listener() -> ThreadingHTTPServer:
    """A server on loopback that remembers what it was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.server.asked.append(self.path)  # type: ignore[attr-defined]
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []  # type: ignore[attr-defined]
    return server


def test_the_policy_keeps_the_page_from_the_network_and_from_foreign_code(
    browser: Browser, listener: ThreadingHTTPServer, tmp_path: Path
) -> None:
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        page = browser.new_page()
        page.goto(written(tmp_path, [samples.bridged()]))
        refused = page.evaluate(
            """async ([address, expected]) => {
                const refused = [];
                document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
                await fetch(`${address}/fetch`).catch(() => {});
                navigator.sendBeacon(`${address}/beacon`, "x");
                [
                    ["img", "src", "/image"], ["iframe", "src", "/frame"], ["script", "async", ""],
                    ["link", "href", "/style"], ["video", "src", "/video"], ["object", "data", "/object"],
                ].forEach(([tag, name, path]) => {
                    const made = document.createElement(tag);
                    if (tag === "link") made.rel = "stylesheet";
                    if (tag === "script") made.append("window.attacked = 1");
                    try { made[name] = path && `${address}${path}`; } catch { refused.push(`${tag}: trusted types`); }
                    document.body.append(made);
                });
                try { document.body.innerHTML = "<b>x</b>"; } catch { refused.push("innerHTML"); }
                try { trustedTypes.createPolicy("mine", {}); } catch { refused.push("policy"); }
                // Loads are refused as they are tried, which is later than they are asked for.
                const ends = Date.now() + 5000;
                while (!expected.every((name) => refused.includes(name)) && Date.now() < ends) {
                    await new Promise(requestAnimationFrame);
                }
                return refused;
            }""",
            [f"http://127.0.0.1:{listener.server_address[1]}", sorted(REFUSED)],
        )
        assert listener.asked == []  # type: ignore[attr-defined]
        assert page.evaluate("window.attacked") is None
        assert set(refused) >= REFUSED
        page.close()
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, tmp_path: Path, scheme: str) -> None:
    """Deque's axe checks names, roles, structure and contrast by WCAG 2.2 A and AA."""
    failed = samples.Answer(3, start=samples.EPOCH + 3)
    [delivery] = samples.to_the_queue(failed)
    samples.bridged_worker(failed, delivery, fault=True)
    line = LogLine(time=samples.EPOCH, message="taken", trace_ids=(failed.trace_id,))
    logs = {samples.WORKER: FunctionLogs(group="/aws/worker", lines=(line,), problem=None)}
    address = written(tmp_path, [*samples.unbridged(linked=True), failed.json()], logs)
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light", bypass_csp=True, offline=True)
    page = context.new_page()
    page.goto(address)
    page.add_script_tag(path=ROOT / "node_modules/axe-core/axe.min.js")
    page.get_by_text("The map as a table").click()
    for state in ("begin", "node", "row"):
        if state == "node":
            page.locator("#stage").get_by_role("button", name="OrdersWorkerFunction").click()
        if state == "row":
            page.get_by_role("treegrid").locator(".failed").first.click()
        found = page.evaluate(
            "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })"
        )
        problems = [
            (problem["id"], [node["html"][:160] for node in problem["nodes"]]) for problem in found["violations"]
        ]
        assert not problems, f"{state}: {problems}"
        assert len(found["passes"]) > 20
    context.close()
