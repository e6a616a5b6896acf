"""Very many spans, traces and nodes: the page opens within seconds and stays usable."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.support import samples
from tests.support.pages import Opened, cpu_seconds


def test_ten_thousand_segments_open_within_seconds_and_can_be_walked_through(opened: Opened, browser: Browser) -> None:
    began = cpu_seconds(browser)
    page = opened([samples.wide(10_000)])
    grid = page.get_by_role("treegrid")
    expect(grid).to_have_attribute("aria-rowcount", "10001")
    assert page.locator("#stage").get_by_role("button").count() == 51
    grid.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Details")).to_contain_text("payload")
    page.get_by_label("Find a span").fill("service-49")
    expect(page.get_by_text("200 of 10000 rows")).to_be_visible()
    assert cpu_seconds(browser) - began < 20
    assert grid.locator("[data-place]").count() < 100
    assert page.locator("*").count() < 3_000


def test_scrolling_draws_what_is_in_sight(opened: Opened) -> None:
    page = opened([samples.wide(2_000)])
    grid = page.get_by_role("treegrid")
    grid.scroll_into_view_if_needed()
    grid.evaluate("grid => grid.scrollTo(0, 28000)")
    expect(grid.locator("[aria-rowindex='1010']")).to_be_in_viewport()
    drawn = grid.locator("[data-place]").evaluate_all("rows => rows.map(row => Number(row.ariaRowIndex))")
    assert min(n for n in drawn if n > 2) > 980
    assert 2 in drawn, "the row that is active stays, so that screen readers keep their place"


def test_a_thousand_traces_can_be_chosen_from(opened: Opened, browser: Browser) -> None:
    began = cpu_seconds(browser)
    page = opened([samples.bridged(number) for number in range(1, 1_001)])
    choice = page.get_by_label("Trace to show")
    assert choice.locator("option").count() == 1_000
    choice.select_option("500")
    page.locator("#stage").get_by_role("button", name="Queue").click()
    expect(page.get_by_role("region", name="Details")).to_contain_text("Requests1000")
    assert cpu_seconds(browser) - began < 20


def test_a_map_too_large_to_lay_out_at_once_is_a_table_until_asked_for(opened: Opened) -> None:
    page = opened([samples.wide(300, services=299)])
    expect(page.get_by_text("The map has 300 nodes and 299 edges.")).to_be_visible()
    page.get_by_role("button", name="Draw it all the same").click()
    assert page.locator("#stage .node").count() == 300
    page.get_by_text("The map as a table").click()
    expect(page.get_by_role("table", name="Nodes").get_by_role("row")).to_have_count(301)
