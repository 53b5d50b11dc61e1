"""The real thing: app.py with its own server and workers, in a real Chromium."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from tiering.simulation.warm import warm_up

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a freshly started application; what a first start compiles is there already."""
    warm_up()
    data = tmp_path_factory.mktemp("tierscope")
    environment = {name: value for name, value in os.environ.items() if name != "REDIS_URL"}
    app = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0", "--workers", "2", "--data-dir", str(data)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert app.stdout is not None
        ready = re.search(r"http://\S+", app.stdout.readline())
        assert ready is not None, "app.py did not say that it is ready"
        yield ready.group()
    finally:
        app.send_signal(signal.SIGINT)
        app.communicate(timeout=20)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield chromium
        chromium.close()


class Watched:
    """What a page must never do: say errors, or ask anybody but its own server."""

    def __init__(self, context: BrowserContext, address: str) -> None:
        self.complaints: list[str] = []
        self._own = (address, "data:", "blob:")
        context.on("console", self._listen)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        context.on("request", self._check)

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _check(self, request: Request) -> None:
        if not request.url.startswith(self._own):
            self.complaints.append(f"request to {request.url}")


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A fresh browser profile; the test fails if a page of it misbehaved."""
    made = browser.new_context(base_url=address, viewport={"width": 1280, "height": 720})
    made.set_default_timeout(PATIENCE_MS)
    watched = Watched(made, address)
    yield made
    made.close()
    assert watched.complaints == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A blank page."""
    return context.new_page()
