"""`python app.py` as a whole: it starts, and whatever ends it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tiering.stream.redis_bus import RedisBus, connect
from tiering.work.submit import Jobs, make_queue

ROOT = Path(__file__).parents[2]
READY = "Tierscope is ready: "
Start = Callable[..., "App"]


class App:
    """One `python app.py`; stdout and stderr together in a file."""

    def __init__(self, output: Path, *argv: str) -> None:
        self.output = output
        env = {key: value for key, value in os.environ.items() if key != "REDIS_URL"}
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py"), *argv],
                stdout=file,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=env,
                cwd=output.parent,
                start_new_session=True,
            )

    def ready(self) -> str:
        """Waits for the line that says so; returns the address."""
        until(lambda: READY in self.text() or self.process.poll() is not None, 60)
        assert READY in self.text(), self.text()
        return self.text().partition(READY)[2].split()[0]

    def text(self) -> str:
        return self.output.read_text()

    def redis_url(self) -> str:
        """Of the embedded server, which shows its socket in its process title."""
        for child in self.descendants():
            title = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            if "unixsocket:" in title:
                return "unix://" + title.partition("unixsocket:")[2].split()[0]
        raise AssertionError("no embedded server")

    def descendants(self) -> set[int]:
        return descendants(self.process.pid)


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found |= {child} | descendants(child)
    return found


def gone(pid: int) -> bool:
    """True if the process ended; a zombie waiting for its reaper counts as ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    apps: list[App] = []

    def run(*argv: str) -> App:
        data = [] if "--data-dir" in argv else ["--data-dir", str(tmp_path / "data")]
        apps.append(App(tmp_path / f"output-{len(apps)}", *argv, *data))
        return apps[-1]

    yield run
    for app in apps:
        if app.process.poll() is None:
            app.process.kill()
            app.process.wait()


def refusal(app: App) -> str:
    """What an app says that ends with code 2: one line."""
    assert app.process.wait(30) == 2, app.text()
    assert app.text().count("\n") == 1, app.text()
    return app.text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_the_page_and_a_signal_ends_all_it_started(
    start: Start, number: signal.Signals
) -> None:
    app = start("--port", "0", "--workers", "2")
    with urllib.request.urlopen(app.ready(), timeout=10) as answer:
        assert answer.status == 200
    with connect(app.redis_url()) as client:
        assert Jobs(RedisBus(client), make_queue(client)).starting()
    until(lambda: len(app.descendants()) == 4)  # server, pool, two workers
    everything = app.descendants()
    begin = time.monotonic()
    app.process.send_signal(number)
    assert app.process.wait(10) == 0
    assert time.monotonic() - begin < 6
    assert all(gone(pid) for pid in everything)
    assert app.text().splitlines() == [app.text().strip()]  # the ready line and nothing else


def test_a_signal_while_it_starts_ends_it_as_quietly(start: Start) -> None:
    app = start("--port", "0", "--workers", "1")
    until(lambda: len(app.descendants()) >= 2)  # the server and the workers, not yet the page
    everything = app.descendants()
    app.process.send_signal(signal.SIGINT)
    assert app.process.wait(10) == 0
    until(lambda: all(gone(pid) for pid in everything))  # one just forked dies of its parent's end
    assert "Traceback" not in app.text()


def test_a_second_signal_changes_nothing(start: Start) -> None:
    app = start("--port", "0", "--workers", "1")
    app.ready()
    for _ in range(3):
        app.process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert app.process.wait(10) == 0
    assert app.text().splitlines() == [app.text().strip()]  # the ready line and nothing else


def test_a_signal_before_anything_runs_ends_it_without_a_word(start: Start) -> None:
    app = start("--port", "0", "--workers", "1")
    maps = Path(f"/proc/{app.process.pid}/maps")
    until(lambda: "llvmlite" in maps.read_text())  # it is in the middle of its imports
    app.process.send_signal(signal.SIGINT)
    assert app.process.wait(10) in (0, -signal.SIGINT)
    assert app.text() == ""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG")
def test_nothing_outlives_a_killed_app_and_its_run_is_finished_by_the_next(
    start: Start, tiny: str
) -> None:
    first = start("--port", "0", "--workers", "1")
    first.ready()
    with connect(first.redis_url()) as client:
        bus = RedisBus(client)
        run_id = Jobs(bus, make_queue(client)).submit(tiny, "tiny", speed=1)
        until(lambda: bus.last_step(run_id) >= 1)
        written_s = time.monotonic()
        until(lambda: time.monotonic() - written_s > 1.2)  # the append-only file is synced every s
    everything = first.descendants()
    assert len(everything) == 4  # server, pool, worker, work-horse
    first.process.kill()
    first.process.wait()
    until(lambda: all(gone(pid) for pid in everything), 10)
    second = start("--port", "0", "--workers", "1")
    second.ready()
    with connect(second.redis_url()) as client:
        bus = RedisBus(client)
        assert bus.last_step(run_id) >= 1
        bus.send(run_id, {"cmd": "speed", "value": 0})
        until(lambda: bus.meta(run_id)["status"] == "done", 40)
        assert bus.meta(run_id)["attempt"] == "2"


def test_a_busy_port_is_named_before_anything_starts(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        app = start("--port", str(port))
        assert refusal(app) == (
            f"Port {port} on 127.0.0.1 is in use;"
            " stop the other program or choose another with --port N.\n"
        )
    assert not (tmp_path / "data").exists()


def test_a_wrong_redis_is_named_without_its_password(start: Start) -> None:
    app = start("--port", "0", "--redis", "redis://me:secret@127.0.0.1:1/0")
    assert refusal(app).startswith("Redis at 127.0.0.1:1 does not answer")
    assert "secret" not in app.text()


def test_no_write_access_is_a_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    app = start("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert refusal(app).startswith("Cannot write to the data directory")


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--host", "0.0.0.0"], "--host 0.0.0.0 can be reached from other machines"),
        (["--host", "no.such.host.invalid", "--allowed-host", "x"], "--host no.such.host.invalid"),
        (["--port", "70000"], "--port 70000: allowed is 0 .. 65535."),
        (["--workers", "-1"], "--workers -1: allowed is 0 .. 1000."),
    ],
)
def test_what_is_not_allowed_is_refused(start: Start, argv: list[str], sentence: str) -> None:
    assert refusal(start(*argv)).startswith(sentence)
