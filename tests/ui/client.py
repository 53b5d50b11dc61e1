"""A small client: HTTP by the standard library, the live socket by websockets."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tiering.stream.codec import HEADER, Block, decode


class Answer:
    """Status, headers and body of an HTTP answer."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


def ask(address: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """GET, or POST if there is a body (bytes as they are, anything else as JSON)."""
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        data = body if body is None or isinstance(body, bytes) else orjson.dumps(body)
        connection.request("GET" if body is None else "POST", path, data, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


@contextmanager
def live(address: str, run_id: str, after: int = -1) -> Iterator[ClientConnection]:
    """The live socket of a run."""
    url = f"ws://{address}/live/{run_id}?after={after}"
    with connect(url, origin=Origin(f"http://{address}"), open_timeout=20) as socket:
        yield socket


def receive_steps(socket: ClientConnection, last: int) -> list[int]:
    """Acknowledge frames until step `last` has come; the steps in order of arrival."""
    steps: list[int] = []
    while not steps or steps[-1] < last:
        message = socket.recv(timeout=20)
        if isinstance(message, bytes):
            steps += [found.step for found in split(message)]
            socket.send(str(steps[-1]))
    return steps


def receive_state(socket: ClientConnection, **wanted: Any) -> dict[str, Any]:
    """The first state in which all of that is so; frames in between are acknowledged."""
    while True:
        message = socket.recv(timeout=20)
        if isinstance(message, bytes):
            socket.send(str(split(message)[-1].step))
            continue
        state: dict[str, Any] = orjson.loads(message)
        if state["type"] == "meta" and all(state.get(k) == v for k, v in wanted.items()):
            return state


def next_frame(socket: ClientConnection, timeout_s: float = 20.0) -> bytes:
    """The next binary frame, not acknowledged; raises TimeoutError if none comes in time."""
    while True:
        message = socket.recv(timeout=timeout_s)
        if isinstance(message, bytes):
            return message


def code_at_close(socket: ClientConnection) -> int | None:
    """Listen until the server closes the connection; the code it gives."""
    try:
        while True:
            socket.recv(timeout=20)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def split(frame: bytes) -> list[Block]:
    """The blocks of a frame."""
    blocks = []
    while frame:
        _, _, nr_rows, row_bytes, event_bytes, _ = HEADER.unpack_from(frame)
        size = HEADER.size + nr_rows * row_bytes + event_bytes
        blocks.append(decode(frame[:size]))
        frame = frame[size:]
    return blocks
