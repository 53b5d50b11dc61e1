"""The grid of charts: lock the line, enlarge, hide, reorder, and keep all of it in the address."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import open_lab, run, wait_for, wait_for_status

pytestmark = pytest.mark.browser
ORDER = "[...document.querySelectorAll('#charts > .chart')].map((card) => card.dataset.chart)"


def finished(page: Page) -> None:
    """A whole run, as fast as it goes."""
    open_lab(page, "?speed=0")
    run(page)
    wait_for_status(page, "done")
    wait_for(page, "tierscope.lab.store.now === tierscope.lab.until")


def click_plot(page: Page, chart: str, across: int) -> None:
    box = page.locator(f"[data-chart={chart}] .chart-plot").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + across, box["y"] + 60)


def test_a_click_locks_the_line_on_all_charts_until_the_next(page: Page) -> None:
    finished(page)
    click_plot(page, "occupancy", 200)
    wait_for(page, "tierscope.lab.locked !== null")
    locked = page.evaluate("tierscope.lab.locked")
    page.mouse.move(5, 5)
    assert page.evaluate("tierscope.lab.cursor") == locked
    expect(page.locator("[data-chart=access_mix] .chart-cursor")).to_be_visible()
    address = page.url
    assert "at=" in address
    page.goto("/")
    page.goto(address)
    wait_for(page, f"tierscope.lab && Math.abs(tierscope.lab.locked - {locked}) < 0.001")
    click_plot(page, "occupancy", 220)
    wait_for(page, "tierscope.lab.locked === null")
    assert "at=" not in page.url


def test_figures_of_the_deadline_are_those_of_the_time_shown(page: Page) -> None:
    finished(page)
    card = page.locator("[data-chart=scan_deadline]")
    card.scroll_into_view_if_needed()
    expect(card.locator(".told-table th").first).to_have_text("ms")
    heads = card.locator(".told-table tr:first-child th").all_text_contents()
    assert heads == ["ms", "min", "mean", "p99", "max"]
    expect(card.locator(".told-line")).to_contain_text("missed by more than a tenth")
    before = card.locator(".told-line").inner_text()
    page.evaluate("tierscope.lab.zoomTo([0, 5])")
    expect(card.locator(".told-line")).not_to_have_text(before)


def test_a_chart_is_enlarged_and_small_again(page: Page) -> None:
    open_lab(page)
    card = page.locator("[data-chart=promotion]")
    small = card.bounding_box()
    page.get_by_role("button", name="Enlarge Promotion and demotion").click()
    large = card.bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] > 1.9 * small["width"]
    assert large["height"] > 1.5 * small["height"]
    assert page.url.endswith("?big=promotion")
    page.keyboard.press("Escape")
    assert card.bounding_box() == small
    assert page.url.endswith("/lab/first-light")


def test_a_hidden_chart_stays_hidden_in_the_run_and_comes_back(page: Page) -> None:
    open_lab(page)
    page.get_by_role("button", name="Hide Scan period per mm").click()
    expect(page.locator("[data-chart=scan_period]")).to_be_hidden()
    run(page)
    expect(page.locator("[data-chart=scan_period]")).to_be_hidden()
    assert "hide=scan_period" in page.url
    page.reload()
    back = page.get_by_role("button", name="Show Scan period per mm")
    back.click()
    expect(page.locator("[data-chart=scan_period]")).to_be_visible()
    assert "hide=" not in page.url
    page.get_by_role("button", name="Show Scan size").click()
    expect(page.locator("[data-chart=scan_size]")).to_be_visible()
    assert "show=scan_size" in page.url


def test_charts_are_put_in_another_order_by_keys_and_by_dragging(page: Page) -> None:
    open_lab(page)
    before = page.evaluate(ORDER)
    handle = page.get_by_role("button", name="Move Node occupancy")
    handle.focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(ORDER)[:2] == ["scan_period", "occupancy"]
    expect(handle).to_be_focused()
    target = page.locator("[data-chart=access_mix]").bounding_box()
    start = handle.bounding_box()
    assert target is not None
    assert start is not None
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(target["x"] + 100, target["y"] + 100, steps=3)
    page.mouse.up()
    after = page.evaluate(ORDER)
    assert after[:4] == ["scan_period", "promotion", "access_mix", "occupancy"]
    page.reload()
    wait_for(page, "tierscope.lab")
    assert page.evaluate(ORDER) == after != before


def test_borders_of_phases_are_marked_on_every_chart(page: Page) -> None:
    open_lab(page)
    drawn = page.evaluate(
        """() => {
            const { store, planned } = tierscope.lab;
            const one = store || planned;
            one.borders.push({ t: 5, label: "app 2" });
            const figure = (entry) => tierscope.figure(entry, one, [0, 10], 400, 200);
            return one.charts.map((entry) => figure(entry).layout.annotations.map((a) => a.text));
        }"""
    )
    assert all("app 2" in labels for labels in drawn)
