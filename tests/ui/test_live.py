import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.ui.client import (
    code_at_close,
    live,
    next_frame,
    receive_state,
    receive_steps,
    split,
)
from tests.ui.runs import DOWN, SwitchedBus, Worker
from tiering.ui.feed import FRAME_BYTES


def test_history_comes_first_and_then_what_is_new(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(50))
    with live(address, worker.run_id) as socket:
        assert receive_steps(socket, 49) == list(range(50))
        worker.publish(range(50, 60))
        assert receive_steps(socket, 59) == list(range(50, 60))


def test_who_comes_back_gets_neither_a_gap_nor_a_repeat(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(10))
    with live(address, worker.run_id) as socket:
        receive_steps(socket, 9)
    worker.publish(range(10, 400))
    with live(address, worker.run_id, after=9) as socket:
        assert receive_steps(socket, 399) == list(range(10, 400))


def test_two_viewers_see_the_same(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    with live(address, worker.run_id) as first, live(address, worker.run_id) as second:
        worker.publish(range(5))
        assert receive_steps(first, 4) == receive_steps(second, 4) == list(range(5))


def test_the_next_frame_waits_for_the_answer_to_the_last(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(2000))
    with live(address, worker.run_id) as socket:
        frame = next_frame(socket)
        assert len(frame) <= FRAME_BYTES
        with pytest.raises(TimeoutError):
            next_frame(socket, timeout_s=0.3)
        last = split(frame)[-1].step
        socket.send(str(last))
        assert receive_steps(socket, 1999) == list(range(last + 1, 2000))


def test_the_viewer_is_told_when_the_status_changes(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    with live(address, worker.run_id) as socket:
        assert receive_state(socket, status="running")["words"] == "running"
        worker.tell(status="paused")
        receive_state(socket, status="paused")
        worker.tell(status="failed", error="no room")
        assert receive_state(socket, status="failed")["error"] == "no room"


def test_a_run_without_a_worker_waits_in_words(address: str, bus: SwitchedBus) -> None:
    bus.create("waits-1", {"scenario": "tiny"})
    with live(address, "waits-1") as socket:
        assert receive_state(socket, status="waiting")["words"] == "waiting for a worker"


def test_a_lost_redis_is_told_and_found_again(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(3))
    with live(address, worker.run_id) as socket:
        receive_steps(socket, 2)
        bus.down = True
        receive_state(socket, problem=DOWN)
        bus.down = False
        receive_state(socket, problem="", status="running")
        worker.publish(range(3, 6))
        assert receive_steps(socket, 5) == [3, 4, 5]


def test_a_finished_run_is_replayed_in_full(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(300))
    worker.tell(status="done", result='{"elapsed_s": 12.5}')
    with live(address, worker.run_id) as socket:
        assert receive_steps(socket, 299) == list(range(300))
    with live(address, worker.run_id) as socket:
        assert receive_state(socket, status="done")["result"] == {"elapsed_s": 12.5}


def test_the_history_of_a_finished_run_comes_in_full_frames(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(3000))
    worker.tell(status="done")
    frames: list[int] = []
    with live(address, worker.run_id) as socket:
        last = -1
        while last < 2999:
            frame = next_frame(socket)
            frames.append(len(frame))
            last = split(frame)[-1].step
            socket.send(str(last))
    first, *full, _ = frames
    assert first < FRAME_BYTES / 2, "nobody knows yet how large a block is"
    assert min(full) > 0.9 * FRAME_BYTES


def test_a_run_of_another_version_is_told_in_a_sentence(address: str, bus: SwitchedBus) -> None:
    bus.create("old-1", {"scenario": "old", "scenario_toml": "preset = 'gone'", "schema": "{}"})
    with live(address, "old-1") as socket:
        while "preset" not in receive_state(socket)["problem"]:
            pass


def test_a_run_that_does_not_exist_closes_with_its_own_code(address: str, bus: SwitchedBus) -> None:
    with live(address, "nobody-1") as socket:
        assert code_at_close(socket) == 4404


@pytest.mark.parametrize("path", ["tiny-1?after=x", "tiny-1?after=99999999999999", "a%20b"])
def test_a_malformed_address_is_refused(address: str, bus: SwitchedBus, path: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://{address}/live/{path}", origin=Origin(f"http://{address}")).close()


@pytest.mark.parametrize("origin", [None, "http://evil.example", "null"])
def test_a_socket_from_another_site_is_refused(
    address: str, bus: SwitchedBus, origin: Origin | None
) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://{address}/live/tiny-1", origin=origin).close()


def test_anything_but_a_step_ends_the_connection(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    with live(address, worker.run_id) as socket:
        socket.send('{"cmd": "stop"}')
        assert code_at_close(socket) == 4403
