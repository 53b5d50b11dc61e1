"""What a viewer sees when Redis, the worker or the server goes away, and when they come back."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.steps import wait_for, wait_for_status
from tests.ui.runs import DOWN, SwitchedBus, Worker
from tests.ui.serving import serving

pytestmark = pytest.mark.browser


@pytest.fixture
def bus() -> SwitchedBus:
    return SwitchedBus(lease_ms=600_000)


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    """A page that may complain about a lost connection."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    yield context.new_page()
    context.close()


def watch(tab: Page, port: int, worker: Worker, blocks: int) -> None:
    """Open the run and wait until its blocks are there."""
    tab.goto(f"http://127.0.0.1:{port}/run/{worker.run_id}")
    wait_for(
        tab, f"tierscope.lab && tierscope.lab.store && tierscope.lab.store.nr === {2 * blocks}"
    )


def test_the_page_says_that_redis_is_gone_and_goes_on_by_itself(
    tab: Page, bus: SwitchedBus
) -> None:
    worker = Worker(bus)
    worker.publish(range(10))
    with serving(bus) as port:
        watch(tab, port, worker, 10)
        bus.down = True
        expect(tab.locator("#problem")).to_contain_text(DOWN)
        wait_for_status(tab, "connection lost, data up to 2.0 s")
        bus.down = False
        wait_for_status(tab, "running")
        expect(tab.locator("#problem")).to_be_hidden()
        worker.publish(range(10, 15))
        wait_for(tab, "tierscope.lab.store.nr === 30")


def test_a_page_opened_without_redis_comes_up_when_redis_does(tab: Page, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(3))
    bus.down = True
    with serving(bus) as port:
        tab.goto(f"http://127.0.0.1:{port}/run/{worker.run_id}")
        expect(tab.get_by_role("heading", level=1)).to_have_text("No connection to Redis")
        bus.down = False
        wait_for(tab, "tierscope.lab && tierscope.lab.store && tierscope.lab.store.nr === 6")


def test_a_server_that_restarts_is_found_again_without_gap_or_repeat(
    tab: Page, bus: SwitchedBus
) -> None:
    worker = Worker(bus)
    worker.publish(range(10))
    with serving(bus) as port:
        watch(tab, port, worker, 10)
    wait_for_status(tab, "connection lost, data up to 2.0 s")
    worker.publish(range(10, 20))
    with serving(bus, port):
        wait_for(tab, "tierscope.lab.store.nr === 40")
        wait_for_status(tab, "running")
        assert tab.evaluate("tierscope.lab.store.step") == 19


def test_a_lost_worker_is_told(tab: Page) -> None:
    bus = SwitchedBus(lease_ms=1)
    worker = Worker(bus)
    with serving(bus) as port:
        tab.goto(f"http://127.0.0.1:{port}/run/{worker.run_id}")
        wait_for_status(tab, "worker lost, retrying")


def test_a_failed_run_says_why_in_full(tab: Page, bus: SwitchedBus) -> None:
    reason = "The books do not balance: " + "node 0 has 17 folios too many, " * 8 + "that is all."
    worker = Worker(bus)
    worker.tell(status="failed", error=reason)
    tab.set_viewport_size({"width": 390, "height": 844})
    with serving(bus) as port:
        tab.goto(f"http://127.0.0.1:{port}/run/{worker.run_id}")
        wait_for_status(tab, "failed")
        expect(tab.locator("#problem")).to_have_text(f"The run failed. {reason}")
        fits = "(box) => box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight"
        assert tab.locator("#problem").evaluate(fits)
        expect(tab.locator(".chart-empty").first).to_have_text(
            "The run failed before its first row."
        )
        assert tab.evaluate("document.documentElement.scrollWidth") == 390


def test_where_sockets_are_blocked_the_page_asks_over_http(tab: Page, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(10))
    tab.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose({code: 1006})); }"
        " close() {} };"
    )
    with serving(bus) as port:
        watch(tab, port, worker, 10)
        worker.publish(range(10, 12))
        wait_for(tab, "tierscope.lab.store.nr === 24")
        wait_for_status(tab, "running")
