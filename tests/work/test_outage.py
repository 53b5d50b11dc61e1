"""A Redis of the user's that goes away and comes back, as workers see it."""

import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tiering.stream.bus import BusUnavailable
from tiering.stream.embedded import find_binary
from tiering.stream.redis_bus import RedisBus, connect
from tiering.work.outage import Outage
from tiering.work.submit import Jobs, make_queue


class Server:
    """A real server at one address, killed and started again at will."""

    def __init__(self, folder: Path) -> None:
        self.url = f"unix://{folder}/s"
        self._command = [
            str(find_binary()), "--port", "0", "--unixsocket", f"{folder}/s", "--dir", str(folder),
            "--appendonly", "yes", "--appendfsync", "always", "--save", "",
        ]  # fmt: skip
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def answers(self) -> bool:
        try:
            connect(self.url).close()
        except BusUnavailable:
            return False
        return True


@pytest.fixture
def own(tmp_path: Path, make_workers: Any) -> Iterator[Server]:
    server = Server(tmp_path)
    make_workers.until(server.answers)
    yield server
    server.kill()


def test_an_outage_is_a_sentence_and_the_run_goes_on(
    own: Server, tmp_path: Path, make_workers: Any, tiny: str
) -> None:
    until: Callable[..., None] = make_workers.until
    workers = make_workers(own.url, tmp_path / "workers.log")
    workers.start(3)
    with connect(own.url) as client:
        bus, jobs = RedisBus(client), Jobs(RedisBus(client), make_queue(client))
        run_id = jobs.submit(tiny, "tiny", speed=1)
        until(lambda: bus.last_step(run_id) >= 0)
        own.kill()
        until(lambda: "does not answer" in workers.log_file.read_text())
        own.start()
        until(own.answers)
        until(lambda: int(bus.meta(run_id)["attempt"]) >= 2)
        bus.send(run_id, {"cmd": "speed", "value": 0})
        until(lambda: bus.meta(run_id)["status"] == "done")
        until(lambda: jobs.capacity() == (3, 3))
        until(lambda: client.exists(f"rq:job:{run_id}") == 0)
    workers.stop()
    told = [line.partition(" Redis at ")[2] for line in workers.log_file.read_text().splitlines()]
    where = own.url.removeprefix("unix://")
    assert told == [
        f"{where} does not answer; the workers keep trying.",
        f"{where} answers again.",
    ]


def test_only_the_first_of_many_says_it_and_every_outage_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outage = Outage("here:6379")
    for _ in range(2):
        for _ in range(3):
            outage.begin()
        for _ in range(3):
            outage.end()
    assert len(caplog.messages) == 4
    assert caplog.messages[0] == "Redis at here:6379 does not answer; the workers keep trying."


def test_what_else_goes_wrong_is_logged_as_ever() -> None:
    outage = Outage("here:6379")
    record = logging.makeLogRecord({"msg": "no room", "exc_info": (None, OSError("disk"), None)})
    assert outage.filter(record)
