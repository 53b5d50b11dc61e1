import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from tiering.stream.embedded import EmbeddedServer
from tiering.stream.redis_bus import RedisBus, connect
from tiering.work.service import WorkerService
from tiering.work.submit import Jobs, make_queue

TINY = """
title = "Tiny"
question = "Does the machinery of a run work?"
topic = "Tests"
preset = "kmmscand_v0"
until_s = 20.0

[[nodes]]
name = "DRAM"
tier = 0
capacity_mib = 256
latency_ns = 90.0
read_gb_s = 60.0
write_gb_s = 50.0
cpus = 4

[[nodes]]
name = "CXL"
tier = 1
capacity_mib = 512
latency_ns = 250.0
read_gb_s = 20.0
write_gb_s = 16.0

[[processes]]
name = "cache"
threads = 2
think_ns = 20_000.0

[[processes.vmas]]
name = "heap"
size_mib = 192.0
split_mib = 16.0
node = "CXL"
pattern = "uniform"

[pte_scan]
scan_size_mib = 64
scan_size_min_mib = 16
scan_size_max_mib = 256
"""


def until(condition: Callable[[], bool], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def children(pid: int) -> list[int]:
    """Children of all threads of a process."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in lists for child in path.read_text().split()]


@pytest.fixture
def tiny() -> str:
    """A scenario of 20 simulated seconds: 200 rows, 100 blocks."""
    return TINY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A real server for one file of tests: workers, queue and runs are global to a server."""
    embedded = EmbeddedServer(tmp_path_factory.mktemp("redis"))
    embedded.start()
    yield embedded
    embedded.stop()


@pytest.fixture
def client(server: EmbeddedServer) -> Iterator["redis.Redis"]:
    with connect(server.url) as connection:
        yield connection


class Workers:
    """Real workers on a real server; pids by looking at /proc."""

    pool: int

    def __init__(self, url: str, log_file: Path) -> None:
        self.url, self.log_file = url, log_file
        self.services: list[WorkerService] = []

    @staticmethod
    def until(condition: Callable[[], bool], timeout_s: float = 40.0) -> None:
        until(condition, timeout_s)

    def start(self, count: int = 1) -> int:
        """Returns the pid of the new pool."""
        service = WorkerService(count, self.url, self.log_file)
        service.start()
        self.services.append(service)
        pid = service.pid
        assert pid is not None
        return pid

    def horse_of(self, pool: int) -> int:
        """Waits for the one work-horse of the pool."""
        horses: list[int] = []

        def found() -> bool:
            horses[:] = [pid for worker in children(pool) for pid in children(worker)]
            return len(horses) == 1

        until(found)
        return horses[0]

    def stop(self) -> None:
        for service in self.services:
            service.stop()


@pytest.fixture(scope="session")
def make_workers() -> type[Workers]:
    return Workers


@pytest.fixture
def workers(server: EmbeddedServer, tmp_path: Path) -> Iterator[Workers]:
    started = Workers(server.url, tmp_path / "workers.log")
    yield started
    started.stop()


@pytest.fixture
def bus(client: "redis.Redis") -> RedisBus:
    return RedisBus(client)


@pytest.fixture
def jobs(bus: RedisBus, client: "redis.Redis") -> Jobs:
    return Jobs(bus, make_queue(client))
