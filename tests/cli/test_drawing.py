from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

import pytest
from traced_pipeline_cli.render.layout import layers
from traced_pipeline_cli.render.svg.graph import map_svg
from traced_pipeline_cli.render.terminal_graph import map_text
from traced_pipeline_cli.render.terminal_waterfall import waterfall_text
from traced_pipeline_cli.text import clipped, duration, readable_name, short_name
from traced_pipeline_cli.traces.build_graph import build_map
from traced_pipeline_cli.traces.graph_model import TraceMap
from traced_pipeline_cli.traces.parse import parse_trace, parse_traces
from traced_pipeline_cli.traces.waterfall import waterfall_rows

from tests.support import samples

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "a<b>&\"'\x1b[31m]]>\x00"


def drawn(answers: Iterable[samples.Document]) -> TraceMap:
    return build_map(parse_traces(answers))


def hostile() -> TraceMap:
    answer = samples.Answer(1)
    one = answer.segment(HOSTILE, "AWS::Lambda::Function", 0, 1, fault=True)
    answer.segment(HOSTILE * 20, "<type>&", 0, 1, parent_id=one["id"])
    return drawn([answer.json()])


ALL = {
    "bridged": [samples.bridged()],
    "unbridged": samples.unbridged(),
    "linked, unbridged": samples.unbridged(linked=True),
    "linked worker": samples.linked_worker(),
    "fan-out": [samples.fan_out()],
    "half a link": samples.unbridged(linked=True)[:1],
    "nothing": [],
}


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("answers", ALL.values(), ids=ALL.keys())
def test_the_text_keeps_within_its_width(answers: list[samples.Document], width: int, ascii_only: bool) -> None:
    text = map_text(drawn(answers), width=width, ascii_only=ascii_only).plain
    assert all(len(line) <= width for line in text.splitlines())
    assert text.isascii() or not ascii_only


def test_boxes_are_closed() -> None:
    lines = map_text(drawn([samples.fan_out()])).plain.splitlines()
    tops = [index for index, line in enumerate(lines) if "╮" in line]
    assert len(tops) == 8
    for index in tops:
        top, middle, bottom = lines[index : index + 3]
        assert len(top) == len(middle) == len(bottom)
        assert top.index("╭") == bottom.rindex("╰")


def test_the_text_names_every_hop_once_and_in_order() -> None:
    text = map_text(drawn([samples.bridged()])).plain
    places = [text.index(name) for name in samples.PATH]
    assert places == sorted(places)
    assert text.count("inferred") == 2
    assert "waited 285 ms" in text
    assert "Cluster" not in text


def test_the_text_parts_clusters() -> None:
    text = map_text(drawn(samples.unbridged(linked=True))).plain
    assert "Cluster 1 of 2 · 1 trace" in text
    assert "no parent id connects these" in text
    assert "(1 pair)" in text


def test_a_node_with_two_callers_is_drawn_once_and_named_again() -> None:
    text = map_text(drawn([samples.fan_out()])).plain
    assert text.count("(drawn above)") == 1
    assert text.count(samples.TABLE) == 2


def test_faults_are_said() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    samples.bridged_worker(answer, delivery, fault=True)
    found = drawn([answer.json()])
    assert "1 fault" in map_text(found).plain
    assert "1 fault" in map_svg(found)


def throttled_and_failed() -> TraceMap:
    """A node of every state, and one of all."""
    answers = []
    states: tuple[dict[str, bool], ...] = ({"fault": True}, {"error": True, "throttle": True}, {"error": True}, {})
    for number, flags in enumerate(states, start=1):
        answer = samples.Answer(number)
        answer.segment("all", "AWS::ECS::Container", 0, 1, **flags)
        answers.append(answer.json())
    return drawn(answers)


def test_faults_errors_and_throttles_are_told_apart() -> None:
    found = throttled_and_failed()
    text = map_text(found)
    assert "1 fault · 1 throttle · 1 error" in text.plain
    styles = {text.plain[span.start : span.end]: str(span.style) for span in text.spans}
    assert [styles[words] for words in ("1 fault", "1 throttle", "1 error")] == [
        "bold red",
        "bold magenta",
        "bold yellow",
    ]
    root = ET.fromstring(map_svg(found))
    lines = {one.text: one for one in root.iter(f"{SVG}text") if one.text in ("1 fault", "1 throttle", "1 error")}
    assert {text: one.attrib["class"].split()[1] for text, one in lines.items()} == {
        "1 fault": "fault",
        "1 throttle": "throttle",
        "1 error": "error",
    }
    assert len({one.attrib["y"] for one in lines.values()}) == 3, "none is printed over another"


@pytest.mark.parametrize("width", [40, 80])
def test_what_failed_is_not_cut_off(width: int) -> None:
    text = map_text(throttled_and_failed(), width=width).plain
    assert "1 fault · 1 throttle · 1 error" in text
    assert all(len(line) <= width for line in text.splitlines())


def test_a_link_in_the_picture_covers_no_title() -> None:
    root = ET.fromstring(map_svg(drawn(samples.unbridged(linked=True))))
    lines = {one.text or "": float(one.attrib["y"]) for one in root.iter(f"{SVG}text")}
    assert lines["link · 1 pair of traces"] - lines["Cluster 2 · 1 trace"] > 15


def test_a_service_that_calls_itself_or_back_is_drawn() -> None:
    answer = samples.Answer(1)
    one = answer.segment("one", "AWS::ECS::Container", 0, 1)
    two = answer.segment("two", "AWS::ECS::Container", 0, 1, parent_id=one["id"])
    again = answer.segment("one", "AWS::ECS::Container", 0, 1, parent_id=two["id"])
    answer.segment("one", "AWS::ECS::Container", 0, 1, parent_id=again["id"])
    found = drawn([answer.json()])
    assert len(found.edges) == 3
    assert "two" in map_text(found).plain
    ET.fromstring(map_svg(found))


def test_names_move_no_cursor() -> None:
    for text in (map_text(hostile()).plain, map_text(hostile(), ascii_only=True).plain):
        assert "\x1b" not in text
        assert "\x00" not in text


@pytest.mark.parametrize("answers", ALL.values(), ids=ALL.keys())
def test_the_picture_is_well_formed_and_whole(answers: list[samples.Document]) -> None:
    found = drawn(answers)
    root = ET.fromstring(map_svg(found))
    assert len(root.findall(f".//{SVG}circle[@r='31']")) == len(found.nodes)
    assert len(root.findall(f".//{SVG}path[@class='edge']")) == len(found.edges)
    assert len(root.findall(f".//{SVG}rect[@class='frame']")) == len(found.clusters)
    right, bottom = float(root.attrib["width"]), float(root.attrib["height"])
    for circle in root.iter(f"{SVG}circle"):
        if circle.get("r") == "31":
            assert 31 < float(circle.attrib["cx"]) < right - 31
            assert 31 < float(circle.attrib["cy"]) < bottom - 31


def test_the_picture_escapes_and_is_self_contained() -> None:
    picture = map_svg(hostile(), title=HOSTILE)
    root = ET.fromstring(picture)
    assert root.find(f"{SVG}title") is not None
    assert not [element for element in root.iter() if element.tag == f"{SVG}b"]
    assert "href" not in picture
    assert picture.count("http") == 1
    assert "prefers-color-scheme:dark" in picture


def test_the_picture_is_the_same_every_time() -> None:
    answers = [samples.fan_out(number) for number in (1, 2)]
    assert map_svg(drawn(answers)) == map_svg(drawn(reversed(answers)))


def test_the_picture_speaks_to_screen_readers() -> None:
    root = ET.fromstring(map_svg(drawn([samples.bridged()])))
    assert root.attrib["role"] == "img"
    spoken = root.findtext(f"{SVG}desc") or ""
    assert f"topic {samples.TOPIC} calls queue {samples.QUEUE}." in spoken


def test_inferred_nodes_and_links_are_dashed() -> None:
    root = ET.fromstring(map_svg(drawn(samples.unbridged(linked=True))))
    dashed = [c for c in root.iter(f"{SVG}circle") if "dashed" in (c.get("class") or "")]
    assert len(dashed) == 2
    assert len(root.findall(f".//{SVG}path[@class='link']")) == 1


def test_the_waterfall_shows_the_time_in_the_queue() -> None:
    rows = waterfall_rows(parse_trace(samples.bridged()))
    [waiting] = [row for row in rows if row.waiting]
    assert (waiting.end or 0) - waiting.start == pytest.approx(0.285, abs=1e-6)
    names = [row.name for row in rows]
    assert names.index("waiting in the queue") == names.index(samples.WORKER) - 1
    assert len(rows) == sum(1 for _ in parse_trace(samples.bridged()).spans()) + 1


def test_the_waterfall_names_every_wait() -> None:
    answer = samples.Answer(1)
    [delivery] = samples.to_the_queue(answer)
    next(one for one in answer.documents if one["name"] == samples.TOPIC)["end_time"] = answer.start + 0.07
    for begin, fault in ((0.4, True), (30.4, False)):
        samples.bridged_worker(answer, delivery, begin=begin, fault=fault)
    waits = [row for row in waterfall_rows(parse_trace(answer.json())) if row.waiting]
    assert [row.name for row in waits] == ["waiting in the topic", "waiting in the queue", "waiting for attempt 2"]
    assert [(row.end or 0) - row.start for row in waits] == pytest.approx([0.03, 0.285, 29.96], abs=1e-6)


@pytest.mark.parametrize("width", [60, 80, 160])
def test_the_waterfall_keeps_within_its_width(width: int) -> None:
    for answer in (samples.bridged(), samples.fan_out()):
        for ascii_only in (False, True):
            text = waterfall_text(parse_trace(answer), width=width, ascii_only=ascii_only).plain
            assert all(len(line) <= width for line in text.splitlines())
            assert text.isascii() or not ascii_only


def test_the_waterfall_says_how_many_rows_it_leaves_out() -> None:
    text = waterfall_text(parse_trace(samples.bridged()), max_rows=4).plain
    assert "and 10 rows more" in text


def test_the_waterfall_of_circular_parents_shows_every_segment() -> None:
    answer = samples.Answer(1)
    one, two = answer.segment("one", "AWS::Lambda", 0, 1), answer.segment("two", "AWS::Lambda", 0, 1)
    one["parent_id"], two["parent_id"] = two["id"], one["id"]
    assert sorted(row.name for row in waterfall_rows(parse_trace(answer.json()))) == ["one", "two"]


def test_layers_put_callers_first_and_bear_circles() -> None:
    assert layers(["c", "a", "b"], [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")]) == [["c"], ["a"], ["b"]]
    assert layers(["c", "b", "a"], [("a", "b"), ("b", "c"), ("a", "c")]) == [["a"], ["b"], ["c"]]
    assert layers(["a", "b", "c", "d"], [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")]) == [["a"], ["b", "c"], ["d"]]
    assert layers([], []) == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (0.0, "0.0 ms"),
        (0.00001, "<0.1 ms"),
        (0.0004, "0.4 ms"),
        (0.0123, "12 ms"),
        (0.9994, "999 ms"),
        (1.234, "1.23 s"),
        (59.9, "59.9 s"),
        (59.96, "1 min 0 s"),
        (65, "1 min 5 s"),
        (7320, "2 h 2 min"),
    ],
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_names_are_shortened_where_they_tell_least() -> None:
    assert short_name("https://sqs.us-east-1.amazonaws.com/1/orders") == "orders"
    assert short_name("arn:aws:sns:us-east-1:1:topic") == "topic"
    assert short_name("Orders/prod") == "Orders/prod"
    assert readable_name(samples.WORKER) == "OrdersWorkerFunction"
    assert readable_name("my-own-queue") == "my-own-queue"
    assert clipped("abcdefghij", 5) == "ab…ij"
