"""Boxes for numbers: what cannot be used is neither shown nor put into the address nor sent."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.steps import SLIDER, open_lab, run, wait_for
from tiering.ui.components.run_bar import MOST_SEED

pytestmark = pytest.mark.browser


def fill(box: Locator, text: str) -> None:
    """Type it key by key, as people do, and leave the box."""
    box.press("Control+a")
    box.press("Backspace")
    box.press_sequentially(text)
    box.press("Tab")


@pytest.mark.parametrize(
    ("typed", "seed"),
    [("42", 42), ("-17", 17), (str(MOST_SEED), MOST_SEED), ("9" * 20, 999_999_999_999_999)],
)
def test_a_seed_that_is_refused_cannot_be_typed(page: Page, typed: str, seed: int) -> None:
    open_lab(page)
    fill(page.get_by_label("Seed"), typed)
    page.wait_for_url(f"**/lab/first-light?seed={seed}")
    expect(page.get_by_label("Seed")).to_have_value(str(seed))
    run(page)
    wait_for(page, f"tierscope.lab.meta.seed === {seed}")
    page.get_by_role("button", name="Stop").click()


def test_an_emptied_seed_comes_back(page: Page) -> None:
    open_lab(page, "?seed=3")
    fill(page.get_by_label("Seed"), "")
    expect(page.get_by_label("Seed")).to_have_value("3")
    assert page.url.endswith("?seed=3")


def test_an_emptied_knob_shows_again_what_is_in_force(page: Page) -> None:
    open_lab(page)
    box = page.get_by_role("textbox", name=SLIDER, exact=True)
    fill(box, "1500")
    page.wait_for_url("**1500")
    for text in ("", "-", "x"):
        fill(box, text)
        expect(box).to_have_value("1500")
    fill(box, "9" * 20)
    expect(box).to_have_value("5000")


def test_a_knob_is_shown_as_the_knobs_that_bound_it_let_it_act(page: Page) -> None:
    open_lab(page)
    box = page.get_by_role("textbox", name=SLIDER, exact=True)
    slider = page.get_by_role("slider", name=SLIDER, exact=True)
    longest = page.get_by_role("textbox", name="scan_period_max_ms ms", exact=True)
    held = page.locator("[data-knob='pte_scan.scan_period_ms'] .knob-held")
    fill(longest, "1000")
    expect(box).to_have_value("1000")
    expect(held).to_have_text("Set to 2000, held to 1000 by scan_period_max_ms.")
    slider.press("Home")
    expect(box).to_have_value("400")
    slider.press("End")
    expect(box).to_have_value("1000")
    expect(held).to_be_empty()
    page.get_by_role("button", name="Reset scan_period_ms").click()
    expect(held).not_to_be_empty()
    page.wait_for_url("**set=pte_scan.scan_period_max_ms**1000")
    page.reload()
    expect(box).to_have_value("1000")
    fill(longest, "5000")
    expect(box).to_have_value("2000")
    expect(held).to_be_empty()
