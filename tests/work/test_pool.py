import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

POOL = """
import signal, sys
from tiering.work.pool import Pool

def serve():
    {serve}

signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
Pool(2, serve).run()
print("ended", flush=True)
"""
Start = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    pools: list[subprocess.Popen[str]] = []

    def run(serve: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", POOL.format(serve=serve)]
        pools.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        return pools[-1]

    yield run
    for pool in pools:
        pool.kill()
        pool.communicate()


def children(pool: "subprocess.Popen[str]") -> set[int]:
    text = Path(f"/proc/{pool.pid}/task/{pool.pid}/children").read_text()
    return set(map(int, text.split()))


def until(condition: Callable[[], bool], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


def ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_a_dead_worker_is_replaced_until_the_pool_is_stopped(start: Start) -> None:
    pool = start("signal.pause()")
    until(lambda: len(children(pool)) == 2)
    first = children(pool)
    victim = min(first)
    os.kill(victim, signal.SIGKILL)
    until(lambda: len(children(pool)) == 2 and victim not in children(pool))
    last = children(pool)
    pool.send_signal(signal.SIGTERM)
    assert pool.communicate(timeout=10)[0] == "ended\n"
    assert all(ended(pid) for pid in first | last)


def test_workers_that_do_not_stop_are_killed(start: Start) -> None:
    pool = start("signal.signal(signal.SIGTERM, signal.SIG_IGN)\n    while True: signal.pause()")
    until(lambda: len(children(pool)) == 2)
    workers = children(pool)
    begin = time.monotonic()
    pool.send_signal(signal.SIGINT)
    assert pool.communicate(timeout=10)[0] == "ended\n"
    assert time.monotonic() - begin < 6
    assert all(ended(pid) for pid in workers)


def test_workers_that_die_at_once_are_not_forked_in_a_frenzy(start: Start, tmp_path: Path) -> None:
    births = tmp_path / "births"
    pool = start(f"open({str(births)!r}, 'a').write('x')")
    until(lambda: births.exists() and len(births.read_text()) >= 4)
    begin = time.monotonic()
    until(lambda: time.monotonic() - begin > 1.5)
    assert len(births.read_text()) <= 10
    pool.terminate()
    assert pool.communicate(timeout=10)[0] == "ended\n"


def test_nothing_is_left_of_a_killed_pool(start: Start) -> None:
    pool = start("signal.pause()")
    until(lambda: len(children(pool)) == 2)
    workers = children(pool)
    pool.kill()
    pool.wait()
    until(lambda: all(ended(pid) for pid in workers))
