"""`python -m tiering.ui.screenshots [URL]`: pictures of the pages for the documents.

Starts the application, opens all pages in Chromium, light and dark at 1280x720 and once as wide as
a phone, and writes docs/screenshots/*.png. Needs playwright (tests/requirements.txt) and a
Chromium.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "screenshots"
SCENARIO = "first-light"
SIZE = {"width": 1280, "height": 720}
PHONE = {"width": 390, "height": 844}
LIVE_FROM_S, TURNED_AT_S = 10.0, 6.0
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def main(argv: list[str] | None = None) -> int:
    """Exit code 0, or 2 with a sentence."""
    parser = argparse.ArgumentParser(prog="python -m tiering.ui.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default %(default)s)")
    out = parser.parse_args(argv).out
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only needed here)
    except ImportError:
        sys.stderr.write("Screenshots need playwright: pip install -r tests/requirements.txt\n")
        return 2
    if not Path(CHROMIUM).exists():
        sys.stderr.write(f"No Chromium at {CHROMIUM}; set CHROMIUM or apt-get install chromium\n")
        return 2
    out.mkdir(parents=True, exist_ok=True)
    with application() as address, sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--force-device-scale-factor=1"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        for theme in ("light", "dark"):
            context = browser.new_context(base_url=address, viewport=SIZE, color_scheme=theme)  # type: ignore[arg-type]
            for name, page in pictures(context.new_page()):
                page.screenshot(path=out / f"{name}-{theme}.png")
            context.close()
        context = browser.new_context(base_url=address, viewport=PHONE)  # type: ignore[arg-type]
        for name, page in small_pictures(context.new_page()):
            page.screenshot(path=out / f"{name}-phone.png")
        context.close()
        browser.close()
    return 0


@contextmanager
def application() -> Iterator[str]:
    """URL of an application of our own, with nothing in its memory."""
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    with tempfile.TemporaryDirectory() as data:
        command = [sys.executable, "app.py", "--port", "0", "--data-dir", data]
        app = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            line = app.stdout.readline() if app.stdout else ""
            found = re.search(r"http://\S+", line)
            if found is None:
                raise SystemExit("app.py did not start; see what it says above")
            yield found.group()
        finally:
            app.send_signal(signal.SIGINT)
            app.communicate(timeout=20)


def pictures(page: Any) -> Iterator[tuple[str, Any]]:
    """(name, page) each time there is something to see; page: playwright's."""
    page.goto(f"/lab/{SCENARIO}")
    page.locator(".chart-plot .main-svg").nth(3).wait_for()
    at_rest(page)
    yield "lab-before", page
    page.get_by_role("button", name="Run", exact=True).click()
    until(page, f"tierscope.lab.store && tierscope.lab.store.now > {TURNED_AT_S}")
    page.get_by_role("slider", name="scan_period_ms ms", exact=True).press("ArrowLeft")
    page.get_by_role("heading", level=1).click()
    until(page, f"tierscope.lab.store.now > {LIVE_FROM_S}")
    page.get_by_role("button", name="Pause").click()
    until(page, "tierscope.lab.status === 'paused'")
    at_rest(page)
    yield "lab", page
    for chart in ("tenants", "threads"):  # down to the last, and back to the middle
        page.locator(f"[data-chart='{chart}']").evaluate("one => one.scrollIntoView()")
        page.locator(f"[data-chart='{chart}'] .main-svg").first.wait_for()
    page.locator("[data-chart='scan_deadline']").evaluate("one => one.scrollIntoView()")
    page.mouse.wheel(0, -140)  # from under the bar
    page.locator("[data-chart='scan_deadline'] .main-svg").first.wait_for()
    at_rest(page)
    yield "lab-more", page
    page.get_by_role("button", name="Stop").click()
    until(page, "tierscope.lab.status === 'stopped'")
    page.get_by_role("link", name="Gallery").click()
    page.locator(".runs li").first.wait_for()
    yield "gallery", page
    page.get_by_role("link", name="Runs", exact=True).click()
    page.locator("#runs-rows a").first.wait_for()
    yield "runs", page


def small_pictures(page: Any) -> Iterator[tuple[str, Any]]:
    """As `pictures`, of what there is to read."""
    page.goto("/")
    page.locator(".runs li").first.wait_for()
    yield "gallery", page
    page.goto("/runs")
    page.locator("#runs-rows a").first.wait_for()
    yield "runs", page
    page.locator("#runs-rows a").first.click()
    page.locator(".chart-plot .main-svg").nth(1).wait_for()
    at_rest(page)
    yield "lab", page


def at_rest(page: Any) -> None:
    """Wait until every chart is drawn."""
    until(page, "!tierscope.lab.draw.views.some((view) => view.dirty && view.visible)")


def until(page: Any, condition: str) -> None:
    """Wait until a JavaScript expression is true."""
    page.wait_for_function(f"() => window.tierscope && tierscope.lab && ({condition})")


if __name__ == "__main__":
    sys.exit(main())
