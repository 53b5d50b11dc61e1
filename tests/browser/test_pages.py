"""What every page owes its readers."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import SCENARIO, open_lab, run, wait_for

pytestmark = pytest.mark.browser
SERIOUS = ("serious", "critical")


def violations(page: Page) -> list[str]:
    """What axe finds serious or critical, with the places."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {[node['target'] for node in rule['nodes']][:5]}"
        for rule in found
        if rule["impact"] in SERIOUS
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Browser, address: str, theme: Any) -> None:
    context = browser.new_context(base_url=address, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.goto("/")
    expect(page.locator(".card").first).to_be_visible()
    assert violations(page) == []
    open_lab(page, "?speed=1")
    assert violations(page) == []
    run(page)
    wait_for(page, "tierscope.lab.store.now > 1")
    assert violations(page) == []
    page.get_by_role("button", name="Stop").click()
    page.goto("/lab/virtual-or-physical")
    page.get_by_role("textbox", name="Lines for these mms").click()
    expect(page.get_by_role("option").first).to_be_visible()
    assert violations(page) == []
    context.close()


def test_an_unknown_run_is_a_page_in_words(page: Page) -> None:
    page.goto("/run/nobody-1")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such run")
    page.get_by_role("link", name="Open the gallery").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gallery")


def test_an_unknown_address_is_a_page_in_words(page: Page) -> None:
    page.goto("/nothing/here")
    expect(page.get_by_role("heading", level=1)).to_have_text("No such page")


def test_everything_that_matters_fits_the_screen(page: Page) -> None:
    open_lab(page)
    for part in (".run-bar", "#figures", "[data-chart=access_mix]", "#knobs"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 1280
        assert box["y"] + box["height"] <= 720


LARGEST = {
    "hit": ("100.0", "+100.0"),
    "throughput": ("1,533.8", "\u22121,533.8"),
    "promoted": ("12,345", "\u221212,345"),
    "cpu": ("100.5", "+100.5"),
    "period": ("60,000", ""),
    "elapsed": ("12,517.29", ""),
}


@pytest.mark.parametrize("width", [1280, 1000, 390])
def test_no_key_figure_is_cut_off(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 720})
    open_lab(page)
    for figure, (value, delta) in LARGEST.items():
        box = page.locator(f"[data-figure={figure}]")
        box.locator(".figure-value").evaluate("(part, text) => (part.textContent = text)", value)
        box.locator(".figure-delta").evaluate("(part, text) => (part.textContent = text)", delta)
        fits = "(box) => box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight"
        assert box.evaluate(fits), figure


def test_a_phone_does_not_scroll_sideways(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 800})
    page = context.new_page()
    for path in ("/", f"/lab/{SCENARIO}", "/lab/redis-hot10", f"/{'x' * 200}", f"/run/{'y' * 99}"):
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()


def test_the_help_opens_by_its_key(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".card").first).to_be_visible()
    page.locator("body").press("?")
    expect(page.get_by_role("dialog")).to_contain_text("pause and resume")
