"""The Runs page: every state in words, find, tag, fork, delete; over a bus in memory."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.ui.runs import DOWN, SwitchedBus, Worker
from tests.ui.serving import serving

pytestmark = pytest.mark.browser
STATES = ("running", "paused", "done", "stopped", "failed")


@pytest.fixture
def bus() -> SwitchedBus:
    return SwitchedBus(lease_ms=600_000)


@pytest.fixture
def tab(browser: Browser, bus: SwitchedBus) -> Iterator[Page]:
    """A page of a server over that bus."""
    with serving(bus) as port:
        context = browser.new_context(
            base_url=f"http://127.0.0.1:{port}", viewport={"width": 1280, "height": 720},
            bypass_csp=True,
        )  # fmt: skip
        yield context.new_page()
        context.close()


def runs_in_every_state(bus: SwitchedBus) -> None:
    for state in STATES:
        worker = Worker(bus, f"tiny-{state}")
        worker.tell(status=state, error="no room" if state == "failed" else "", turned="{}")
    bus.create("tiny-waiting", {"scenario": "tiny"})


def row_of(tab: Page, run_id: str) -> str:
    return tab.locator("#runs-rows tr", has=tab.locator(f"a[href='/run/{run_id}']")).inner_text()


def test_every_state_has_its_words_and_changes_without_a_reload(
    tab: Page, bus: SwitchedBus
) -> None:
    runs_in_every_state(bus)
    tab.goto("/runs")
    expect(tab.locator("#runs-rows a")).to_have_count(6)
    for state in STATES:
        assert state in row_of(tab, f"tiny-{state}")
    assert "waiting for a worker" in row_of(tab, "tiny-waiting")
    assert "no room" in row_of(tab, "tiny-failed")
    bus._runs["tiny-running"].lease_ends_ns = 0
    expect(tab.locator("#runs-rows")).to_contain_text("worker lost, retrying")
    bus.down = True
    expect(tab.locator("#runs-problem")).to_contain_text(DOWN)
    bus.down = False
    expect(tab.locator("#runs-problem")).to_be_hidden()
    bus.delete("tiny-done")
    expect(tab.locator("#runs-rows a")).to_have_count(5)
    found = Axe().run(tab).response["violations"]
    assert [rule["id"] for rule in found if rule["impact"] in ("serious", "critical")] == []


def test_the_view_is_in_the_address(tab: Page, bus: SwitchedBus) -> None:
    runs_in_every_state(bus)
    tab.goto("/runs")
    expect(tab.locator("#runs-rows a")).to_have_count(6)
    tab.get_by_role("heading", level=1).click()
    tab.keyboard.press("/")
    tab.keyboard.type("tiny-s")
    expect(tab.locator("#runs-rows a")).to_have_count(1)
    tab.get_by_role("button", name="Run", exact=True).click()
    tab.wait_for_url("**/runs?q=tiny-s&sort=name")
    tab.reload()
    expect(tab.get_by_label("Filter runs")).to_have_value("tiny-s")
    expect(tab.locator("#runs-rows a")).to_have_count(1)
    expect(tab.locator("th[aria-sort='ascending']")).to_have_text("Run")


def test_runs_are_named_tagged_and_deleted(tab: Page, bus: SwitchedBus) -> None:
    runs_in_every_state(bus)
    tab.goto("/runs")
    tab.get_by_label("Select tiny-done").check()
    tab.get_by_role("button", name="Name, tags, note").click()
    tab.get_by_label("Name", exact=True).fill("The good one")
    tab.locator("#runs-tags").fill("paper")
    tab.locator("#runs-tags").press("Enter")
    tab.get_by_role("button", name="Save").click()
    expect(tab.get_by_role("link", name="The good one")).to_be_visible()
    tab.locator(".tag", has_text="paper").click()
    expect(tab.locator("#runs-rows a")).to_have_count(1)
    tab.get_by_role("button", name="Delete").click()
    expect(tab.locator("#runs-question")).to_contain_text("Delete 1 run ")
    tab.locator("#runs-delete-yes").click()
    expect(tab.locator("#runs-empty")).to_be_visible()
    expect(tab.locator("#runs-empty")).to_contain_text("No run fits this filter")
    assert "tiny-done" not in bus.runs()


def test_without_runs_the_page_says_what_to_do(tab: Page) -> None:
    tab.goto("/runs")
    expect(tab.locator("#runs-empty")).to_contain_text("press Run")


def test_a_run_is_forked_by_a_key_from_the_list_and_from_the_lab(
    tab: Page, bus: SwitchedBus
) -> None:
    Worker(bus, "tiny-1").tell(status="done")
    tab.goto("/runs")
    tab.get_by_label("Select tiny-1").check()
    tab.keyboard.press("f")
    tab.wait_for_url("**/run/tiny-no1")
    expect(tab.get_by_role("button", name="Fork", exact=True)).to_be_enabled()
    tab.get_by_role("button", name="Fork", exact=True).click()
    tab.wait_for_url("**/run/tiny-no2")
    assert bus.meta("tiny-no2")["parent"] == "tiny-no1"
