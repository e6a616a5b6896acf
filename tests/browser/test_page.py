"""What somebody who opens the page sees and can do, with a mouse or without."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from traced_pipeline_cli.aws.logs import FunctionLogs, LogLine

from tests.support import samples
from tests.support.pages import Opened
from tests.support.waiting import wait_for

BRIDGED = samples.bridged()
HOPS = [
    "API stage Orders/prod",
    "Function OrdersIngestFunction",
    "Topic OrdersTopic",
    "Queue OrdersWorkerQueue",
    "Function OrdersWorkerFunction",
    "Table OrdersTable",
]


def failed_request() -> samples.Document:
    answer = samples.Answer(9, start=samples.EPOCH + 9)
    [delivery] = samples.to_the_queue(answer)
    samples.bridged_worker(answer, delivery, fault=True)
    return answer.json()


def nodes(page: Page) -> list[str]:
    buttons = page.locator("#stage").get_by_role("button").all()
    return [" ".join(button.locator(".word, .label").all_inner_texts()) for button in buttons]


def details(page: Page) -> str:
    return page.get_by_role("region", name="Details").inner_text()


def middle(page: Page, name: str) -> tuple[float, float]:
    box = page.locator("#stage").get_by_role("button", name=name).bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_map_shows_the_hops_from_left_to_right(opened: Opened) -> None:
    page = opened([BRIDGED])
    assert nodes(page) == HOPS
    places = [middle(page, name) for name in HOPS]
    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert len({round(y) for _, y in places}) == 1
    expect(page.get_by_text("waits 285 ms")).to_be_visible()
    expect(page.get_by_text("One cluster · 1 trace")).to_be_visible()
    expect(page.get_by_role("heading", name="Trace map")).to_be_visible()
    assert page.locator("#stage path.edge").count() == 5
    borders = page.locator(".node").evaluate_all("all => all.map(node => getComputedStyle(node).borderTopStyle)")
    assert borders == ["solid", "solid", "solid", "dashed", "solid", "dashed"]


def test_a_node_that_is_clicked_shows_what_is_known_of_it(opened: Opened) -> None:
    page = opened([BRIDGED])
    queue = page.locator("#stage").get_by_role("button", name=HOPS[3])
    queue.click()
    expect(queue).to_have_attribute("aria-pressed", "true")
    text = details(page)
    assert samples.QUEUE in text
    assert "X-Ray inferred it" in text
    assert re.search(r"Called by\s+Topic OrdersTopic", text)
    assert re.search(r"Calls\s+Function OrdersWorkerFunction · 1 request · waits 285 ms", text)
    assert page.get_by_role("status").inner_text() == "Details of Queue OrdersWorkerQueue"
    page.locator("#stage").get_by_role("button", name=HOPS[1]).click()
    assert re.search(r"AWS::Lambda: 1 segment; AWS::Lambda::Function: 1 segment", details(page))
    expect(queue).to_have_attribute("aria-pressed", "false")


def test_the_waterfall_shows_every_span_and_the_time_in_the_queue(opened: Opened) -> None:
    page = opened([BRIDGED])
    rows = page.get_by_role("treegrid").locator("[data-place]")
    assert rows.count() == 14
    waiting = page.get_by_role("row", name="waiting in the queue")
    assert "285 ms" in waiting.inner_text()
    bar = waiting.locator(".mark").bounding_box()
    whole = waiting.locator(".time").bounding_box()
    assert bar is not None
    assert whole is not None
    assert bar["width"] / whole["width"] == pytest.approx(0.285 / 0.44, abs=0.02)
    page.get_by_role("row", name="Function OrdersWorkerFunction").click()
    text = details(page)
    for expected in ("annotations", "message_id", "m-1", "queue_ms", "function_arn", "parent_id", "r-1"):
        assert expected in text


def test_without_a_mouse_everything_can_be_reached(opened: Opened) -> None:
    page = opened([BRIDGED])
    page.locator("#zoom-fit").focus()
    for hop in HOPS:
        page.keyboard.press("Tab")
        expect(page.locator("#stage").get_by_role("button", name=hop)).to_be_focused()
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert samples.TABLE in details(page)
    grid = page.get_by_role("treegrid")
    grid.focus()
    assert grid.evaluate("grid => getComputedStyle(grid).outlineStyle") == "solid"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    assert "Overhead" in details(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert grid.locator("[data-place]").count() == 1
    expect(grid.locator("[data-place]")).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("ArrowRight")
    assert grid.locator("[data-place]").count() == 14
    page.keyboard.press("ArrowDown")
    active = grid.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").inner_text().startswith("▾\nLambda")


def test_the_map_is_also_a_table(opened: Opened) -> None:
    page = opened(samples.unbridged(linked=True))
    page.get_by_text("The map as a table").click()
    table = page.get_by_role("table", name="Nodes")
    expect(table.get_by_role("row")).to_have_count(7)
    assert "inferred" in table.get_by_role("row", name="Queue OrdersWorkerQueue").inner_text()
    assert page.get_by_role("table", name="Calls").get_by_role("row").count() == 5
    assert samples.WORKER in page.get_by_role("table", name="Links between traces").inner_text()
    table.get_by_role("button", name="Table OrdersTable").click()
    assert samples.TABLE in details(page)


def test_two_clusters_are_apart_and_a_link_is_drawn_between_them(opened: Opened) -> None:
    page = opened(samples.unbridged(linked=True))
    assert page.locator("#stage rect.frame").count() == 2
    assert page.locator("#stage path.link").count() == 1
    expect(page.get_by_text("linked, 1 pair of traces")).to_be_visible()
    assert middle(page, HOPS[4])[1] > middle(page, HOPS[3])[1]
    expect(page.locator("#verdict")).to_contain_text("ends in the queue OrdersWorkerQueue")
    page.get_by_role("row", name="Invocation").click()
    assert f"child: {samples.WORKER}" in details(page)
    page.get_by_role("button", name=f"child: {samples.WORKER}").click()
    expect(page.locator("#verdict")).to_contain_text("ends in the table OrdersTable")


def test_the_page_begins_with_the_trace_that_failed(opened: Opened) -> None:
    page = opened([failed_request(), samples.bridged(10), samples.bridged(11)])
    expect(page.locator("#verdict")).to_contain_text("failed: OrdersWorkerFunction")
    page.get_by_role("row", name="Function OrdersWorkerFunction fault").click()
    text = details(page)
    assert "ValueError" in text
    assert "no <customer>" in text
    worker = page.locator("#stage").get_by_role("button", name="OrdersWorkerFunction")
    assert "1 fault" in worker.inner_text()
    page.get_by_role("button", name="Trace after").click()
    expect(page.locator("#verdict")).not_to_contain_text("failed")
    page.get_by_label("Order of the traces").select_option("slowest")
    assert page.get_by_label("Trace to show").locator("option").count() == 3


def test_the_span_that_failed_is_selected_and_its_exception_shown_when_the_page_opens(opened: Opened) -> None:
    answer = samples.Answer(9)
    [delivery] = samples.to_the_queue(answer)
    worker = samples.bridged_worker(answer, delivery, fault=True)
    inner = answer.span("price", 0.42, 0.43, fault=True, cause=worker["cause"]["exceptions"][0]["id"])
    worker["subsegments"].append(inner)
    page = opened([answer.json()])
    assert page.locator(".row[aria-selected='true']").inner_text().splitlines()[0] == "price"
    text = details(page)
    assert "ValueError: no <customer>" in text, "the cause is only a reference, and is resolved"
    assert "fault" in text


def test_a_healthy_trace_of_somebody_else_is_not_called_bad(opened: Opened) -> None:
    answer = samples.Answer(1)
    checkout = answer.segment("checkout", "AWS::EC2::Instance", 0, 1, parent_id="f" * 16)
    answer.segment("payments", "AWS::ECS::Container", 0, 1, parent_id=checkout["id"])
    page = opened([answer.json()])
    expect(page.locator("#verdict")).to_have_text(re.compile("^connected, 2 nodes"))
    assert (page.locator("#verdict").get_attribute("class") or "").strip() == "verdict"
    assert "not" not in page.get_by_label("Trace to show").inner_text()


def test_faults_errors_and_throttles_are_told_apart_and_none_is_printed_over_another(opened: Opened) -> None:
    answers = []
    states = ({"fault": True}, {"error": True, "throttle": True}, {"error": True})
    for number, flags in enumerate(states, start=1):
        answer = samples.Answer(number)
        answer.segment("a-container-with-a-long-name-of-two-lines", "AWS::ECS::Container", 0, 1, **flags)
        answers.append(answer.json())
    page = opened(answers)
    node = page.locator("#stage .node")
    parts = node.locator(".word, .label, .facts, .failures strong").all()
    assert [part.inner_text() for part in parts[3:]] == ["1 fault", "1 throttle", "1 error"]
    boxes = [box for part in parts if (box := part.bounding_box()) is not None]
    for index, one in enumerate(boxes):
        for other in boxes[index + 1 :]:
            across = min(one["x"] + one["width"], other["x"] + other["width"]) - max(one["x"], other["x"])
            down = min(one["y"] + one["height"], other["y"] + other["height"]) - max(one["y"], other["y"])
            assert across <= 0.5 or down <= 0.5, (one, other)
    whole = node.bounding_box()
    assert whole is not None
    assert all(box["y"] + box["height"] <= whole["y"] + whole["height"] for box in boxes)
    colours = {part.evaluate("part => getComputedStyle(part).color") for part in parts[3:]}
    assert len(colours) == 3


@pytest.mark.parametrize("width", [390, 1280])
def test_sixty_nodes_can_be_read_when_the_page_opens(opened: Opened, width: int) -> None:
    answer = samples.Answer(1)
    segments = [answer.segment("entry", "AWS::ApiGateway::Stage", 0, 10)]
    for number in range(1, 60):
        parent = segments[(number - 1) // 3]["id"]
        segments.append(answer.segment(f"service-{number}", "AWS::ECS::Container", 0, 1, parent_id=parent))
    page = opened([answer.json()], width=width)
    entry = page.locator("#stage").get_by_role("button", name="entry")
    shown, whole = entry.bounding_box(), page.locator("#viewport").bounding_box()
    assert shown is not None
    assert whole is not None
    size = float(entry.locator(".label").evaluate("label => parseFloat(getComputedStyle(label).fontSize)"))
    assert size * shown["width"] / 178 >= 10, "pixels of a name on the screen"
    assert whole["x"] <= shown["x"]
    assert shown["x"] + shown["width"] <= whole["x"] + whole["width"]
    assert whole["y"] <= shown["y"]
    assert shown["y"] + shown["height"] <= whole["y"] + whole["height"]
    expect(page.locator("#legend")).to_contain_text("Drag the map to see the rest")
    page.get_by_role("button", name="Fit").click()
    last = page.locator("#stage").get_by_role("button", name="service-59").bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= whole["y"] + whole["height"]


def test_logs_stand_beside_the_function_that_wrote_them(opened: Opened) -> None:
    second = samples.bridged(2)
    lines = (
        LogLine(time=samples.EPOCH + 1.4, message="order taken", trace_ids=(BRIDGED["Id"],)),
        LogLine(time=samples.EPOCH + 2.4, message="order two taken", trace_ids=(second["Id"],)),
    )
    denied = "Access denied: these credentials need the permission logs:FilterLogEvents."
    logs = {
        samples.WORKER: FunctionLogs(group="/aws/pipeline/worker", lines=lines, problem=None),
        samples.INGEST: FunctionLogs(group=None, lines=(), problem=denied),
    }
    page = opened([BRIDGED, second], logs=logs)
    page.locator("#stage").get_by_role("button", name=HOPS[4]).click()
    text = details(page)
    assert "/aws/pipeline/worker" in text
    assert "order two taken" in text
    assert "order taken" not in text
    page.get_by_label("of all traces").check()
    assert "order taken" in details(page)
    page.locator("#stage").get_by_role("button", name=HOPS[1]).click()
    assert denied in details(page)
    page.locator("#stage").get_by_role("button", name=HOPS[3]).click()
    assert "Logs" not in details(page)


def test_each_message_has_its_own_lines(opened: Opened) -> None:
    answer = samples.Answer(3, start=samples.EPOCH + 3)
    first, second = samples.to_the_queue(answer, (samples.QUEUE, samples.QUEUE))
    segments = [
        samples.bridged_worker(answer, delivery, begin=begin) for delivery, begin in ((first, 0.4), (second, 0.6))
    ]
    trace_ids = (answer.trace_id,)
    texts = ("first order taken", "second order taken", "REPORT RequestId: r-1")
    ids = (segments[0]["id"], segments[1]["id"], None)
    lines = tuple(
        LogLine(time=samples.EPOCH + 3.5, message=text, trace_ids=trace_ids, segment_id=segment)
        for text, segment in zip(texts, ids, strict=True)
    )
    logs = {samples.WORKER: FunctionLogs(group="/aws/pipeline/worker", lines=lines, problem=None)}
    page = opened([answer.json()], logs=logs)

    def shown() -> list[str]:
        return [
            line.split("\n")[-1] for line in page.get_by_label("Log lines", exact=True).locator("li").all_inner_texts()
        ]

    def said(text: str) -> bool:
        return any(text in line for line in shown())

    rows = page.get_by_role("row", name=re.compile("Function OrdersWorker"))
    for number in (0, 1):
        rows.nth(number).click()
        assert [said(text) for text in texts] == [number == 0, number == 1, False]
    page.get_by_label("of this trace").check()
    assert all(said(text) for text in texts)
    # A call inside a message is a part of it; a node of the map is all its messages.
    page.get_by_role("row", name=re.compile("DynamoDB")).first.click()
    assert [said(text) for text in texts] == [True, False, False]
    page.locator("#stage").get_by_role("button", name=HOPS[4]).click()
    assert all(said(text) for text in texts)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_readers_theme_and_can_be_switched(opened: Opened, scheme: str) -> None:
    page = opened([BRIDGED], scheme=scheme)

    def is_dark() -> bool:
        ground = page.locator(".card").first.evaluate("card => getComputedStyle(card).backgroundColor")
        return sum(map(int, re.findall(r"\d+", ground)[:3])) < 200

    assert is_dark() == (scheme == "dark")
    page.get_by_text("Dark", exact=True).click()
    assert is_dark()
    page.get_by_text("Light", exact=True).click()
    assert not is_dark()
    page.get_by_text("Auto", exact=True).click()
    assert is_dark() == (scheme == "dark")


def test_in_a_narrow_window_the_map_runs_down_and_nothing_sticks_out(opened: Opened) -> None:
    page = opened([BRIDGED], width=390)
    places = [middle(page, name) for name in HOPS]
    assert [y for _, y in places] == sorted(y for _, y in places)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 900})
    last = page.locator("#stage").get_by_role("button", name=HOPS[5])

    def drawn_on_the_right() -> bool:
        # While the map is drawn anew, the node is not there.
        box = last.bounding_box()
        return box is not None and box["x"] > 800

    wait_for(drawn_on_the_right, what="the map from left to right")


def test_the_map_can_be_zoomed_and_dragged(opened: Opened) -> None:
    page = opened([BRIDGED])
    before = middle(page, HOPS[0])
    page.mouse.move(*[value + 75 for value in before])
    page.get_by_role("button", name="Zoom in").click()
    zoomed = middle(page, HOPS[0])
    assert zoomed[0] < before[0]
    frame = page.locator("#viewport").bounding_box()
    assert frame is not None
    page.mouse.move(frame["x"] + 300, frame["y"] + 12)
    page.mouse.down()
    page.mouse.move(frame["x"] + 360, frame["y"] + 12)
    page.mouse.up()
    assert middle(page, HOPS[0])[0] == pytest.approx(zoomed[0] + 60, abs=1)
    page.get_by_role("button", name="Fit").click()
    assert middle(page, HOPS[0]) == pytest.approx(before, abs=1)


def test_no_traces_are_a_page_too(opened: Opened) -> None:
    page = opened([])
    expect(page.get_by_text("There are no traces.")).to_be_visible()
    expect(page.get_by_text("0 traces · 0 clusters · 0 nodes")).to_be_visible()
