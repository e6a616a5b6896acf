from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.aws.logs import FunctionLogs, LogLine
from traced_pipeline_cli.commands.output import write_whole
from traced_pipeline_cli.errors import FileError
from traced_pipeline_cli.render.html.page import page_html
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.parse import parse_traces

from tests.support import samples

HOSTILE = "</script><script>alert(1)</script><!--&amp;\u2028\x00\ud800"


def page(answers: list[samples.Document], **options: Any) -> str:
    traces = parse_traces(answers)
    return page_html(build_map(traces), traces, **options)


def data(html: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found.group(1))


def test_the_page_is_the_same_every_time() -> None:
    answers = [samples.fan_out(number) for number in (1, 2)]
    assert page(answers) == page(answers[::-1])


def test_the_page_names_nothing_outside_itself() -> None:
    html = page([samples.bridged()])
    code = html.replace(html[html.index('id="data">') : html.index("</script>", html.index('id="data">'))], "")
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", code))
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert "sourceMappingURL" not in html
    assert re.findall(r"<(?:link|img|iframe|object|embed|base|form)[^>]*>", code) == ['<link rel="icon" href="data:,">']


def test_the_policy_names_every_script_and_style_by_its_hash_and_allows_no_network() -> None:
    html = page([samples.bridged()])
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert set(rules) & {"connect-src", "font-src", "frame-src", "media-src", "object-src", "worker-src"} == set()
    assert "unsafe" not in policy
    assert "http" not in policy
    for kind, pattern in (("script-src", r"<script>(.*?)</script>"), ("style-src", r"<style>(.*?)</style>")):
        parts = re.findall(pattern, html, re.DOTALL)
        hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'" for part in parts]
        assert rules[kind].split() == hashes
    assert not re.findall(r"\son\w+=", re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL))


def test_what_a_trace_holds_is_data_and_nothing_else() -> None:
    answer = samples.Answer(1)
    answer.segment(HOSTILE, "AWS::Lambda::Function", 0, 1, annotations={HOSTILE: HOSTILE}, **{HOSTILE: [HOSTILE]})
    line = LogLine(time=1.0, message=HOSTILE, trace_ids=(answer.trace_id,))
    logs = {HOSTILE: FunctionLogs(group=HOSTILE, lines=(line,), problem=HOSTILE)}
    html = page([answer.json()], logs=logs, title=HOSTILE)
    harmless = page([samples.bridged()])
    for end in ("<script", "</script", "<!--"):
        assert html.count(end) == harmless.count(end)
    shown = data(html)
    assert shown["traces"][0]["rows"][0]["fields"]["annotations"] == {HOSTILE: HOSTILE}
    assert shown["traces"][0]["rows"][0]["fields"][HOSTILE] == [HOSTILE]
    assert shown["logs"][0]["lines"][0]["text"] == HOSTILE
    assert "\x00" not in html
    html.encode()


def test_numbers_that_javascript_would_round_are_texts() -> None:
    answer = samples.Answer(1)
    answer.segment("s", "AWS::Lambda", 0, 1, metadata={"default": {"id": 2**63 + 1, "near": 2**53 - 1, "ok": True}})
    answer.documents[0]["annotations"] = {"odd": float("inf")}
    [row] = data(page([answer.json()]))["traces"][0]["rows"]
    assert row["fields"]["metadata"]["default"] == {"id": str(2**63 + 1), "near": 2**53 - 1, "ok": True}
    assert row["fields"]["annotations"] == {"odd": "inf"}


def test_the_time_in_the_queue_is_a_row_and_on_its_edge() -> None:
    shown = data(page([samples.bridged()]))
    [waiting] = [row for row in shown["traces"][0]["rows"] if row["waiting"]]
    assert (waiting["name"], waiting["took"]) == ("waiting in the queue", "285 ms")
    assert [edge["wait"] for edge in shown["edges"]] == ["", "", "", "285 ms", ""]


def test_without_logs_it_says_that_none_were_fetched() -> None:
    shown = data(page([samples.bridged()]))
    assert [None if logs is None else logs["problem"] for logs in shown["logs"]] == [
        None,
        "Logs were not fetched.",
        None,
        None,
        "Logs were not fetched.",
        None,
    ]


def test_times_far_outside_the_calendar_can_be_shown() -> None:
    answer = samples.Answer(1, start=1e18)
    answer.segment("s", "AWS::Lambda", 0, 1)
    assert data(page([answer.json()]))["traces"][0]["clock"] == "no time in the calendar"


def test_a_chain_of_streamed_subsegments_may_be_deeper_than_the_stack() -> None:
    answer = samples.Answer(1)
    parent = answer.segment("s", "AWS::Lambda::Function", 0, 1)
    for number in range(3_000):
        inner = {**answer.span(f"inner {number}", 0, 1), "type": "subsegment", "parent_id": parent["id"]}
        answer.documents.append(inner)
        parent = inner
    assert len(data(page([answer.json()]))["traces"][0]["rows"]) == 3_001


def test_ten_thousand_segments_make_a_page_within_seconds() -> None:
    began = time.process_time()
    html = page([samples.wide(10_000)])
    assert time.process_time() - began < 10
    assert len(data(html)["traces"][0]["rows"]) == 10_000


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "a" / "page.html"
    write_whole(target, "one")
    write_whole(target, "two")
    assert target.read_text() == "two"
    assert [path.name for path in target.parent.iterdir()] == ["page.html"]
    with pytest.raises(FileError, match=r"page\.html cannot be written"):
        write_whole(target / "page.html", "three")
    assert target.read_text() == "two"
