import socket
from pathlib import Path

import pytest

from tiering.stream.bus import BusUnavailable
from tiering.stream.embedded import EmbeddedServer
from tiering.stream.redis_bus import RedisBus, connect


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_a_closed_port_is_named_and_the_password_is_not() -> None:
    port = closed_port()
    with pytest.raises(BusUnavailable) as caught:
        connect(f"redis://user:secret@127.0.0.1:{port}/0")
    assert f"Redis at 127.0.0.1:{port} does not answer" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://localhost", "localhost:6379", "redis://host:port/0"])
def test_a_url_of_another_kind_is_answered_with_the_allowed_ones(url: str) -> None:
    with pytest.raises(BusUnavailable, match="write redis://HOST:PORT/0"):
        connect(url)


def test_no_url_at_all_is_answered_with_the_ways_to_name_one() -> None:
    with pytest.raises(BusUnavailable, match="use --redis URL or set REDIS_URL"):
        connect("")


def test_a_port_that_accepts_but_never_answers_fails_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        with pytest.raises(BusUnavailable, match=f"127.0.0.1:{port} does not answer"):
            connect(f"redis://127.0.0.1:{port}")


def test_a_wrong_password_is_refused_in_a_sentence(server: EmbeddedServer) -> None:
    with pytest.raises(BusUnavailable, match="refused") as caught:
        connect(server.url.replace("unix://", "unix://ghost:secret@"))
    assert "secret" not in str(caught.value)


def test_a_server_that_went_away_makes_every_call_unavailable(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    with connect(server.url) as client:
        bus = RedisBus(client)
        bus.create("run", {})
        attempt = bus.claim("run", "w")
        server.stop()
        for call in (
            lambda: bus.meta("run"),
            bus.runs,
            lambda: bus.append("run", attempt, [(0, b"")]),
            lambda: bus.receive("run", "0", 100),
            lambda: bus.create("other", {}),
        ):
            with pytest.raises(BusUnavailable, match="does not answer"):
                call()


def test_what_redis_refuses_is_said_in_its_words(server: EmbeddedServer) -> None:
    with connect(server.url) as client:
        client.set("tierscope:run:odd:meta", "not a hash")
        with pytest.raises(BusUnavailable, match="refused: WRONGTYPE"):
            RedisBus(client).meta("odd")
        client.delete("tierscope:run:odd:meta")
