"""What a user does, and what he can see."""

from typing import Any

from playwright.sync_api import Page, expect

SCENARIO = "first-light"
CHARTS = ("occupancy", "scan_period", "promotion", "access_mix")  # those in sight at first
SLIDER = "scan_period_ms ms"


def open_lab(page: Page, query: str = "") -> None:
    """Open the Lab of the small scenario and wait until it can be used."""
    page.goto(f"/lab/{SCENARIO}{query}")
    expect(page.locator(".chart-plot .main-svg").first).to_be_visible()


def run(page: Page) -> None:
    """Press Run and wait for the first points."""
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/run/*")
    wait_for(page, "tierscope.lab && tierscope.lab.store && tierscope.lab.store.nr > 0")


def wait_for(page: Page, condition: str) -> None:
    """Wait until a JavaScript expression is true."""
    page.wait_for_function(f"() => window.tierscope && ({condition})")


def wait_for_status(page: Page, words: str) -> None:
    """Wait until the badge says so."""
    expect(page.locator("#status")).to_have_text(words)


def column(page: Page, chart: str, series: int = 0) -> list[float]:
    """The numbers of one series as the page has them."""
    found: list[float] = page.evaluate(
        """([chart, series]) => {
            const { store } = tierscope.lab;
            const entry = store.charts.find((found) => found.chart.id === chart);
            return Array.from(entry.columns[series].slice(0, store.nr));
        }""",
        [chart, series],
    )
    return found


def bounds(page: Page, knob: str) -> tuple[float, float]:
    """The least and the largest value that a knob may have on this page."""
    found = "(path) => tierscope.lab.knobs.bounds(tierscope.lab.knobs.knobs[path])"
    least, most = page.evaluate(found, knob)
    return least, most


def drawn_points(page: Page) -> dict[str, int]:
    """Points of the first trace of each chart as it is drawn."""
    found: dict[str, Any] = page.evaluate(
        """() => Object.fromEntries([...document.querySelectorAll(".chart")].map(
            (card) => [card.dataset.chart, Number(card.querySelector(".chart-plot").dataset.points)]
        ))"""
    )
    return found
