"""A run in the browser: from the gallery to its end, and everything that can be turned."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.steps import (
    CHARTS,
    SLIDER,
    bounds,
    column,
    drawn_points,
    open_lab,
    run,
    wait_for,
    wait_for_status,
)
from tiering.simulation.loop import ROWS_PER_BLOCK

pytestmark = pytest.mark.browser


def test_a_scenario_of_the_gallery_runs_and_fills_all_charts(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Search scenarios").fill("first light")
    expect(page.locator(".card")).to_have_count(1)
    page.locator(".card").get_by_role("link", name="Open").click()
    page.wait_for_url("**/lab/first-light")
    run(page)
    wait_for(page, "tierscope.lab.store.now > 5")
    drawn = "tierscope.lab.draw.views.slice(0, 4).every((view) => view.points > 20)"
    wait_for(page, drawn)
    assert list(drawn_points(page))[:4] == list(CHARTS)
    assert sum(column(page, "promotion")) > 0
    expect(page.locator("#log")).to_contain_text("kmmscand: mm")


def test_the_slider_changes_the_period_and_leaves_a_mark(page: Page) -> None:
    open_lab(page)
    run(page)
    wait_for(page, "tierscope.lab.store.now > 3")
    slider = page.get_by_role("slider", name=SLIDER, exact=True)
    slider.press("End")
    wait_for(page, "tierscope.lab.store.marks.length > 0")
    marked = page.evaluate("tierscope.lab.store.marks[0]")
    _, most = bounds(page, "pte_scan.scan_period_ms")
    assert marked["label"] == f"scan_period_ms {most:g}"
    wait_for(page, f"tierscope.lab.store.now > {marked['t']}")
    at = page.evaluate(f"tierscope.lab.store.rowAt({marked['t']}) + 1")
    assert column(page, "scan_period")[at] == most
    for chart in CHARTS:
        expect(
            page.locator(f"[data-chart={chart}] .annotation", has_text=marked["label"])
        ).to_be_visible()
    expect(page.locator("#log .log-knob")).to_contain_text("pte_scan.scan_period_ms")
    expect(page.get_by_role("textbox", name=SLIDER, exact=True)).to_have_value(f"{most:g}")


def test_pause_step_resume_and_stop(page: Page) -> None:
    open_lab(page)
    run(page)
    page.get_by_role("button", name="Pause").click()
    wait_for_status(page, "paused")
    before = page.evaluate("tierscope.lab.store.nr")
    page.get_by_role("button", name="Step").click()
    wait_for(page, f"tierscope.lab.store.nr === {before} + {ROWS_PER_BLOCK}")
    page.get_by_role("heading", level=1).click()  # shortcuts are for when no control has the focus
    page.keyboard.press(" ")
    wait_for_status(page, "running")
    wait_for(page, f"tierscope.lab.store.nr > {before} + 4")
    page.get_by_role("button", name="Stop").click()
    wait_for_status(page, "stopped")
    expect(page.get_by_role("button", name="Run again")).to_be_enabled()
    expect(page.get_by_role("textbox", name=SLIDER, exact=True)).to_be_disabled()


def test_a_knob_moved_while_paused_is_marked_at_once_and_kept_when_stopped(page: Page) -> None:
    open_lab(page)
    run(page)
    page.get_by_role("button", name="Pause").click()
    wait_for_status(page, "paused")
    rows = page.evaluate("tierscope.lab.store.nr")
    page.get_by_role("slider", name=SLIDER, exact=True).press("End")
    line = page.locator("#log .log-knob")
    expect(line).to_contain_text("pte_scan.scan_period_ms")
    wait_for(page, "tierscope.lab.store.marks.length === 1")
    assert page.evaluate("tierscope.lab.store.nr") == rows
    page.get_by_role("button", name="Stop").click()
    wait_for_status(page, "stopped")
    again = page.get_by_role("link", name="Change and run again")
    turned = re.compile(r"set=pte_scan\.scan_period_ms%3D\d+")
    expect(again).to_have_attribute("href", turned)
    page.reload()
    expect(line).to_contain_text("pte_scan.scan_period_ms")
    expect(again).to_have_attribute("href", turned)


def test_a_knob_that_needs_a_restart_waits_for_a_fork_and_can_be_taken_back(page: Page) -> None:
    open_lab(page)
    run(page)
    page.get_by_role("button", name="Pause").click()
    wait_for_status(page, "paused")
    strip = page.locator("#restart")
    expect(strip).to_be_hidden()
    box = page.get_by_role("textbox", name="ignore_threshold folios", exact=True)
    was = box.input_value()
    box.fill("7")
    box.press("Enter")
    expect(strip).to_contain_text("1 change needs a restart.")
    strip.get_by_role("button", name="Take back").click()
    expect(strip).to_be_hidden()
    expect(box).to_have_value(was)
    box.fill("9")
    box.press("Enter")
    expect(strip).to_be_visible()
    first = page.url
    strip.get_by_role("button", name="Fork with them").click()
    page.wait_for_function("first => location.href !== first", arg=first)
    expect(page.get_by_role("textbox", name="ignore_threshold folios", exact=True)).to_have_value(
        "9"
    )
    expect(page.locator("#restart")).to_be_hidden()


def test_marks_of_one_moment_share_a_label_that_covers_no_data(page: Page) -> None:
    open_lab(page)
    run(page)
    page.get_by_role("button", name="Pause").click()
    wait_for_status(page, "paused")
    for number, knob in enumerate((SLIDER, "scan_size_mib MiB", "scan_sleep_ms ms"), 1):
        page.get_by_role("slider", name=knob, exact=True).press("End")
        wait_for(page, f"tierscope.lab.store.marks.length === {number}")
    top = page.evaluate("tierscope.MARGIN.t")
    for chart in CHARTS:
        label = page.locator(f"[data-chart={chart}] .annotation", has_text="and 2 more")
        expect(label).to_have_text("scan_sleep_ms 10000 and 2 more")
        plot = page.locator(f"[data-chart={chart}] .chart-plot").bounding_box()
        box = label.bounding_box()
        assert plot is not None
        assert box is not None
        assert box["y"] + box["height"] <= plot["y"] + top
    page.get_by_role("button", name="Stop").click()


def test_speed_max_brings_the_run_to_its_end(page: Page) -> None:
    open_lab(page)
    run(page)
    page.get_by_text("max", exact=True).click()
    wait_for_status(page, "done")
    wait_for(page, "tierscope.lab.store.now === tierscope.lab.until")


def test_a_reload_and_a_second_tab_show_the_same(page: Page, context: BrowserContext) -> None:
    open_lab(page)
    run(page)
    wait_for(page, "tierscope.lab.store.now > 4")
    page.get_by_role("button", name="Stop").click()
    wait_for_status(page, "stopped")
    rows = page.evaluate("tierscope.lab.store.nr")
    seen = [column(page, chart) for chart in CHARTS]
    page.reload()
    second = context.new_page()
    second.goto(page.url)
    for tab in (page, second):
        wait_for(tab, f"tierscope.lab && tierscope.lab.store && tierscope.lab.store.nr === {rows}")
        assert [column(tab, chart) for chart in CHARTS] == seen
        wait_for_status(tab, "stopped")


def test_the_address_carries_what_was_changed_before_the_run(page: Page) -> None:
    open_lab(page, "?seed=3")
    page.get_by_role("slider", name=SLIDER, exact=True).press("Home")
    page.get_by_text("max", exact=True).click()
    page.wait_for_url("**speed=0**")
    least, _ = bounds(page, "pte_scan.scan_period_ms")
    page.reload()
    box = page.get_by_role("textbox", name=SLIDER, exact=True)
    expect(box).to_have_value(f"{least:g}")
    expect(page.get_by_label("Seed")).to_have_value("3")
    run(page)
    wait_for_status(page, "done")
    assert page.evaluate("tierscope.lab.meta.seed") == 3
    page.get_by_role("link", name="Change and run again").click()
    page.wait_for_url("**/lab/first-light?**seed=3&speed=0")
    expect(box).to_have_value(f"{least:g}")
    page.go_back()
    wait_for_status(page, "done")


def test_run_again_begins_the_same_at_once_at_the_speed_it_had(page: Page) -> None:
    open_lab(page, "?seed=3&set=pte_scan.scan_size_mib=300")
    run(page)
    page.get_by_text("max", exact=True).click()
    wait_for_status(page, "done")
    rows = 300  # 30 s, ten a second; the last ones may come after the status
    wait_for(page, f"tierscope.lab.store.nr === {rows}")
    first = page.url
    seen = [column(page, chart) for chart in CHARTS]
    titles = page.locator("#knobs h3").all_text_contents()
    assert len(set(titles[:2])) == 2
    page.get_by_role("button", name="Run again").click()
    wait_for(page, f"tierscope.lab && !location.href.endsWith('{first.rpartition('/')[2]}')")
    wait_for_status(page, "done")
    wait_for(page, f"tierscope.lab && tierscope.lab.store && tierscope.lab.store.nr === {rows}")
    assert page.evaluate("[tierscope.lab.meta.seed, tierscope.lab.meta.speed]") == [3, 0]
    assert [column(page, chart) for chart in CHARTS] == seen
    page.reload()
    wait_for_status(page, "done")
    assert page.locator("#knobs h3").all_text_contents() == titles


def test_zooming_one_chart_zooms_all_and_new_data_keeps_it(page: Page) -> None:
    open_lab(page)
    run(page)
    wait_for(page, "tierscope.lab.store.now > 4")
    box = page.locator("[data-chart=occupancy] .chart-plot").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 60, steps=4)
    page.mouse.up()
    wait_for(page, "tierscope.lab.zoom !== null")
    zoom = page.evaluate("tierscope.lab.zoom")
    wait_for(page, f"tierscope.lab.store.now > {zoom[1]} + 1")
    shown = "document.querySelector('[data-chart=access_mix] .chart-plot').layout.xaxis.range"
    wait_for(page, f"{shown}[0] === {zoom[0]} && {shown}[1] === {zoom[1]}")
    assert page.evaluate("tierscope.lab.zoom") == zoom
    page.get_by_role("button", name="Show all").first.click()
    wait_for(page, f"{shown}[0] === 0")


def test_a_bad_value_in_the_address_is_a_sentence(page: Page) -> None:
    page.goto("/lab/first-light?set=pte_scan.scan_period_ms=1")
    expect(page.get_by_role("heading", level=1)).to_have_text("first-light cannot be opened")
    expect(page.get_by_role("main")).to_contain_text("10 .. 60_000 ms")
