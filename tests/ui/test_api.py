from typing import Any

import pytest

from tests.ui.client import ask, split
from tests.ui.runs import DOWN, SHAPE, SwitchedBus, Worker
from tiering.model.metrics import schema

RUN = {"scenario": "kmmscand-v0-abench-8g", "seed": 7, "overrides": {}, "speed": 100}


def test_a_run_is_submitted_with_what_was_changed(address: str, bus: SwitchedBus) -> None:
    changed = {"pte_scan.scan_period_ms": 1000}
    answer = ask(address, "/api/runs", {**RUN, "overrides": changed})
    meta = bus.meta(answer.json["run"])
    assert answer.status == 200
    assert (meta["scenario"], meta["seed"], meta["speed"]) == (RUN["scenario"], "7", "100")
    assert meta["overrides"] == '{"pte_scan.scan_period_ms":1000}'


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({**RUN, "scenario": "../../etc/passwd"}, "no scenario '../../etc/passwd'"),
        ({**RUN, "seed": -1}, "seed"),
        ({**RUN, "speed": 7}, "speed"),
        ({**RUN, "overrides": {"pte_scan.scan_period_ms": 1}}, "10 .. 60_000 ms"),
        ({**RUN, "overrides": {"pte_scan.scan_peroid_ms": 1}}, "unknown key"),
        ({**RUN, "overrides": {"a": [1]}}, "overrides"),
        ({**RUN, "more": 1}, "more"),
        (b"not json", "JSON"),
        ([], "object"),
    ],
)
def test_a_bad_run_is_refused_with_a_sentence(
    address: str, bus: SwitchedBus, body: Any, told: str
) -> None:
    answer = ask(address, "/api/runs", body)
    assert answer.status == 400
    assert told in answer.json["error"]
    assert bus.runs() == []


def test_control_messages_reach_the_run(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    sent = [
        {"cmd": "pause"},
        {"cmd": "speed", "value": 100},
        {"cmd": "set", "knob": "pte_scan.scan_period_ms", "value": 1000},
        {"cmd": "set", "knob": "pte_scan.scan_enabled", "value": False},
        {"cmd": "stop"},
    ]
    for message in sent:
        assert ask(address, f"/api/runs/{worker.run_id}/control", message).status == 200
    assert [message for _, message in bus.receive(worker.run_id, "0", 0)] == sent


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ({"cmd": "explode"}, "cmd"),
        ({"cmd": "pause", "value": 1}, "value"),
        ({"cmd": "speed", "value": 11}, "value"),
        ({"cmd": "set", "knob": "pte_scan.scan_period_ms", "value": 9}, "10 .. 60_000 ms"),
        ({"cmd": "set", "knob": "pte_scan.scan_period_ms", "value": 1.5}, "a whole number"),
        ({"cmd": "set", "knob": "pte_scan.scan_enabled", "value": 1}, "true or false"),
        ({"cmd": "set", "knob": "pte_scan.scan_period_min_ms", "value": 500}, "needs a restart"),
        ({"cmd": "set", "knob": "a.b", "value": 1}, "no such knob"),
        ({"cmd": "set", "knob": "a.b"}, "value"),
    ],
)
def test_a_bad_message_is_refused_with_a_sentence(
    address: str, bus: SwitchedBus, message: Any, told: str
) -> None:
    worker = Worker(bus)
    answer = ask(address, f"/api/runs/{worker.run_id}/control", message)
    assert answer.status == 400
    assert told in answer.json["error"]
    assert bus.receive(worker.run_id, "0", 0) == []


def test_a_run_that_has_ended_takes_no_messages(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.tell(status="done")
    answer = ask(address, f"/api/runs/{worker.run_id}/control", {"cmd": "pause"})
    assert (answer.status, answer.json["error"]) == (400, "The run tiny-1 has ended: done.")


def test_the_state_of_a_run_tells_how_to_draw_it(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    state = ask(address, f"/api/runs/{worker.run_id}").json
    assert state["status"] == "running"
    assert state["until_s"] == 20
    assert state["drawing"]["row_floats"] * 8 == schema(SHAPE)["row_bytes"]
    ids = [chart["id"] for chart in state["drawing"]["charts"]]
    assert ids[:4] == ["occupancy", "scan_period", "promotion", "access_mix"]


def test_blocks_are_read_on_from_a_step(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.publish(range(5))
    answer = ask(address, f"/api/runs/{worker.run_id}/blocks?after=2")
    assert [block.step for block in split(answer.body)] == [3, 4]
    assert ask(address, f"/api/runs/{worker.run_id}/blocks?after=4").body == b""


@pytest.mark.parametrize("path", ["nobody-1", "nobody-1/blocks?after=0", "..%2f..", "%3Cscript%3E"])
def test_an_unknown_run_is_a_sentence(address: str, bus: SwitchedBus, path: str) -> None:
    answer = ask(address, f"/api/runs/{path}")
    assert answer.status == 404


def test_a_step_that_is_no_number_is_refused(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    answer = ask(address, f"/api/runs/{worker.run_id}/blocks?after=later")
    assert (answer.status, answer.json["error"][:13]) == (400, "after = later")


def test_a_lost_redis_is_a_sentence(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    bus.down = True
    for path, body in [
        ("", None),
        ("/blocks", None),
        ("/control", {"cmd": "pause"}),
    ]:
        answer = ask(address, f"/api/runs/{worker.run_id}{path}", body)
        assert (answer.status, answer.json) == (503, {"error": DOWN})
