"""The web server on a real port, in a thread."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from tests.ui.runs import SomeJobs, SwitchedBus
from tiering.ui.server import create_server


def until(condition: Callable[[], Any], timeout_s: float = 20.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


@contextmanager
def serving(bus: SwitchedBus, port: int = 0) -> Iterator[int]:
    """Serve the page over that bus; gives the port."""
    page = create_server(bus, SomeJobs(bus), ["127.0.0.1", "localhost", "[::1]"])
    listener = socket.create_server(("127.0.0.1", port))
    server = uvicorn.Server(uvicorn.Config(page, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
