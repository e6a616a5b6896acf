"""Traces that others recorded: nothing of them is lost, and everything can be drawn of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from traced_pipeline_cli.__main__ import main
from traced_pipeline_cli.render.html.page import page_html
from traced_pipeline_cli.render.json import map_json
from traced_pipeline_cli.render.svg.graph import map_svg
from traced_pipeline_cli.render.terminal_graph import map_text
from traced_pipeline_cli.render.terminal_waterfall import waterfall_text
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.parse import parse_traces

from tests.support.samples import Document

from .fake_aws import FakeAws

RECORDED = {path.stem: path for path in sorted(Path(__file__).parent.joinpath("recorded").glob("*.json"))}


def answers(name: str) -> list[Document]:
    """The `Traces` of a file; where one holds a trace several times, each is taken by itself."""
    loaded: list[Document] = json.loads(RECORDED[name].read_text(encoding="utf-8"))["Traces"]
    return loaded


def documents(answer: Document) -> list[Document]:
    found = [segment.get("Document", segment) for segment in answer["Segments"]]
    return [json.loads(document) if isinstance(document, str) else document for document in found]


def leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every value in a document with the way to it."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, json.dumps(value)


def spans(document: Document) -> Iterator[Document]:
    yield document
    for nested in document.get("subsegments", []):
        yield from spans(nested)


def test_there_are_recorded_traces() -> None:
    assert len(RECORDED) >= 7


@pytest.mark.parametrize("name", RECORDED)
def test_every_field_comes_out_again(name: str) -> None:
    for answer in answers(name):
        traces = parse_traces([answer])
        [trace] = json.loads(json.dumps(map_json(build_map(traces), traces)))["traces"]
        came_out = {str(document["id"]): document for document in trace["documents"]}
        for document in documents(answer):
            assert list(leaves(came_out[document["id"]])) == list(leaves(document))


@pytest.mark.parametrize("name", RECORDED)
def test_every_field_is_kept_in_the_objects_and_stands_in_the_page(name: str) -> None:
    for answer in answers(name):
        traces = parse_traces([answer])
        page = page_html(build_map(traces), traces)
        data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1))  # type: ignore[union-attr]
        [trace] = data["traces"]
        shown = {row["fields"]["id"]: row["fields"] for row in trace["rows"] if "fields" in row}
        kept = {span.id: span for _, span in traces[0].spans()}
        for document in documents(answer):
            for span in spans(document):
                own = {key: value for key, value in span.items() if key != "subsegments"}
                assert shown[span["id"]] == own
                assert kept[span["id"]].own_fields == own


def _resource(document: dict[str, Any]) -> str:
    """What the node of a document is called: of a service that was inferred, the resource."""
    aws = document.get("aws", {})
    known = [aws.get("table_name"), str(aws.get("topic_arn", "")).rpartition(":")[2]]
    return next((str(name) for name in known if name and document.get("inferred")), str(document["name"]))


@pytest.mark.parametrize("name", RECORDED)
def test_everything_can_be_drawn(name: str) -> None:
    for answer in answers(name):
        traces = parse_traces([answer])
        found = build_map(traces)
        names = {_resource(document) for document in documents(answer) if document.get("type") != "subsegment"}
        assert {node.name for node in found.nodes} == names
        assert map_svg(found).startswith("<svg")
        assert found.nodes == () or map_text(found).plain
        rows = waterfall_text(traces[0], width=160).plain.splitlines()
        assert len(rows) == 1 + sum(1 for document in documents(answer) for _ in spans(document))


@pytest.mark.parametrize("name", RECORDED)
def test_the_command_shows_them(name: str, aws: FakeAws, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for number, answer in enumerate(answers(name)):
        sent: Any = [{"Id": d["id"], "Document": json.dumps(d)} for d in documents(answer)]
        aws.traces = {answer["Id"]: {**answer, "Segments": sent}}
        page = tmp_path / f"{number}.html"
        assert main(["trace", answer["Id"], "--details", "--html", str(page), "--no-logs"]) == 0
        out = capsys.readouterr().out
        for document in documents(answer):
            for key, value in leaves({k: v for k, v in document.items() if k != "subsegments"}):
                assert key.rpartition(".")[2].split("[")[0] in out
                assert value in out
        assert page.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_functions_two_circles_of_a_recorded_trace_are_one_node() -> None:
    found = build_map(parse_traces(answers("xray-guide-lambda-sns")))
    edges = [(found.by_id[edge.source].name, found.by_id[edge.target].name) for edge in found.edges]
    topic = "awseb-e-ruag3jyweb-stack-NotificationTopic-6B829NT9V5O9"
    assert edges == [("Scorekeep", "random-name"), ("Scorekeep", "scorekeep-user"), ("random-name", topic)]
    assert [len(node.circles) for node in found.nodes] == [1, 2, 1, 1]
    assert len(found.clusters) == 1


def test_a_recorded_link_names_the_trace_that_was_not_fetched() -> None:
    [link] = build_map(parse_traces(answers("iatk-lambda-links"))).links
    assert (link.source_name, link.target_name) == (
        "xray-stuff-ProducerA-LbbjYUkcchrB",
        "xray-stuff-ConsumerA-kWsiXtT2gOdW",
    )
    assert link.trace_ids == (("1-654c0557-5611b044040fc7224c4790b6", "1-654c0558-630340be09e985eb352a72e6"),)
