"""More mms than lines: the user picks whose lines are drawn beside the band."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import run, wait_for, wait_for_status
from tiering.ui.components.mm_picker import MOST_OFFERED

pytestmark = pytest.mark.browser
BOX = "Lines for these mms"


def lines(page: Page, chart: str) -> list[str]:
    """Legend of the picked mms of a chart, values left out."""
    found: list[str] = page.locator(f"[data-chart={chart}] .legend-item").evaluate_all(
        "(items) => items.map((item) => item.childNodes[1].textContent.trim())"
    )
    return [name for name in found if name.startswith("heap")]


def test_picked_mms_get_lines_on_all_charts_at_once(page: Page) -> None:
    page.goto("/lab/virtual-or-physical?speed=0")
    expect(page.locator(".chart-plot .main-svg").first).to_be_visible()
    assert lines(page, "scan_period") == ["heap-0", "heap-1", "heap-2"]
    run(page)
    wait_for_status(page, "done")
    wait_for(page, "tierscope.lab.store.now === tierscope.lab.until")
    rows = page.evaluate("tierscope.lab.store.nr")
    box = page.get_by_role("textbox", name=BOX)
    box.focus()
    page.keyboard.press("Backspace")
    page.keyboard.type("heap-17")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wanted = ["heap-0", "heap-1", "heap-17"]
    wait_for(
        page, "tierscope.lab.store.charts.some((e) => e.series.some((s) => s.series.mm === 17))"
    )
    assert lines(page, "scan_period") == lines(page, "tenants") == wanted
    assert page.evaluate("tierscope.lab.store.nr") == rows
    assert "mms=heap-0,heap-1,heap-17" in page.url
    expect(page.locator("[data-chart=scan_period] .legend-note")).to_contain_text("those picked")
    page.reload()
    wait_for(page, f"tierscope.lab && tierscope.lab.store && tierscope.lab.store.nr === {rows}")
    assert lines(page, "tenants") == wanted
    drawn = page.evaluate(
        """() => tierscope.lab.store.charts.flatMap((entry) => entry.chart.series)
            .filter((series) => series.mm === 17).map((series) => series.picked)"""
    )
    assert len(drawn) >= 3
    assert set(drawn) == {2}


def test_of_ten_thousand_mms_a_few_are_offered(page: Page) -> None:
    page.goto("/lab/many-mms-one-kthread?mms=fn-9999,nobody")
    expect(page.locator(".chart-plot .main-svg").first).to_be_visible()
    box = page.get_by_role("textbox", name=BOX)
    box.click()
    expect(page.get_by_role("option")).to_have_count(MOST_OFFERED)
    page.keyboard.type("fn-123")
    expect(page.get_by_role("option").first).to_have_text("fn-123")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    wait_for(page, "location.search === '?mms=fn-9999,fn-123'")
    names = page.locator("[data-chart=scan_period] .legend-item").all_text_contents()
    assert [name.split()[0] for name in names][-2:] == ["fn-9999", "fn-123"]


def test_with_a_line_for_every_mm_nothing_is_to_be_picked(page: Page) -> None:
    page.goto("/lab/first-light")
    expect(page.locator(".chart-plot .main-svg").first).to_be_visible()
    expect(page.get_by_role("textbox", name=BOX)).to_have_count(0)
