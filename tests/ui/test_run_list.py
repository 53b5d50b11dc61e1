from typing import Any

import orjson
import pytest

from tests.ui.client import ask
from tests.ui.runs import DOWN, SwitchedBus, Worker

KNOB, FIXED = "pte_scan.scan_period_ms", "pte_scan.scan_period_min_ms"


def test_a_row_tells_status_changes_and_figures(address: str, bus: SwitchedBus) -> None:
    worker = Worker(bus)
    summary = {"rows": 2, "figures": {"hit": 42.0}, "curve": [40, 44]}
    worker.tell(summary=orjson.dumps(summary).decode(), sim_ns="5000000000")
    worker.tell(overrides='{"a.b":1}', turned='{"c.d":2}')
    told = ask(address, "/api/runs").json
    (row,) = told["runs"]
    assert (row["run"], row["status"], row["scenario"]) == ("tiny-1", "running", "tiny")
    assert (row["figures"], row["curve"]) == ({"hit": 42.0}, [40, 44])
    assert (row["changed"], row["turned"]) == ({"a.b": 1}, {"c.d": 2})
    assert (row["now_s"], row["until_s"]) == (5, 20)
    assert told["total"] == 1
    assert told["words"] == {"waiting": "waiting for a worker", "lost": "worker lost, retrying"}


def test_only_what_changed_is_told_to_who_asks_again(address: str, bus: SwitchedBus) -> None:
    first, second = Worker(bus, "tiny-1"), Worker(bus, "tiny-2")
    revision = ask(address, "/api/runs").json["revision"]
    assert ask(address, f"/api/runs?after={revision}").json["runs"] == []
    second.tell(status="done")
    told = ask(address, f"/api/runs?after={revision}").json
    assert [(row["run"], row["status"]) for row in told["runs"]] == [("tiny-2", "done")]
    part = ask(address, "/api/runs?count=1").json["runs"]
    rest = ask(address, f"/api/runs?before={part[0]['revision']}").json["runs"]
    assert [row["run"] for row in part + rest] == ["tiny-2", first.run_id]


def test_a_run_is_named_tagged_and_noted(address: str, bus: SwitchedBus) -> None:
    Worker(bus)
    said = {"name": " my   run ", "note": "odd\n", "tags": ["paper", "v2", "paper"]}
    assert ask(address, "/api/runs/tiny-1/describe", said).status == 200
    (row,) = ask(address, "/api/runs").json["runs"]
    assert (row["name"], row["note"], row["tags"]) == ("my run", "odd", ["paper", "v2"])
    change = {"runs": ["tiny-1", "nobody-1"], "add": ["new"], "remove": ["v2"]}
    assert ask(address, "/api/runs/tag", change).json == {"tagged": ["tiny-1"]}
    assert ask(address, "/api/runs").json["runs"][0]["tags"] == ["paper", "new"]


def test_runs_are_deleted_together(address: str, bus: SwitchedBus) -> None:
    for run_id in ("tiny-1", "tiny-2", "tiny-3"):
        Worker(bus, run_id)
    answer = ask(address, "/api/runs/delete", {"runs": ["tiny-1", "tiny-3", "nobody-1"]})
    assert answer.json == {"deleted": ["tiny-1", "tiny-3"]}
    assert bus.runs() == ["tiny-2"]


@pytest.mark.parametrize(
    ("body", "overrides"),
    [
        ({}, {"until_s": 9, KNOB: 777}),
        ({"turned": False}, {"until_s": 9}),
        ({"change": {FIXED: 500}}, {"until_s": 9, KNOB: 777, FIXED: 500}),
    ],
)
def test_a_fork_begins_with_the_knobs_as_last_turned(
    address: str, bus: SwitchedBus, body: Any, overrides: Any
) -> None:
    worker = Worker(bus)
    worker.tell(overrides='{"until_s":9}', seed="7")
    for value in (500, 777):
        entry = {"t_ns": value, "knob": KNOB, "value": value}
        bus.log_control(worker.run_id, worker.attempt, entry, "1")
    run_id = ask(address, "/api/runs/tiny-1/fork", body).json["run"]
    meta = bus.meta(run_id)
    assert orjson.loads(meta["overrides"]) == overrides
    assert (meta["seed"], meta["speed"], meta["parent"]) == ("7", "10", "tiny-1")
    assert meta["scenario_toml"] == bus.meta("tiny-1")["scenario_toml"]


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("tiny-1/describe", {}, "name, note or tags"),
        ("tiny-1/describe", {"tags": ["two words"]}, "Tag 'two words'"),
        ("tiny-1/describe", {"name": "x" * 101}, "name"),
        ("tag", {"runs": [], "add": ["a"]}, "runs"),
        ("tag", {"runs": ["tiny-1"], "add": ["<b>"]}, "Tag '<b>'"),
        ("delete", {"runs": "all"}, "runs"),
        ("tiny-1/fork", {"change": {KNOB: 1}}, "10 .. 60_000 ms"),
        ("tiny-1/fork", {"change": {"a.b": 1}}, "unknown"),
    ],
)
def test_a_bad_wish_is_refused_with_a_sentence(
    address: str, bus: SwitchedBus, path: str, body: Any, told: str
) -> None:
    Worker(bus)
    answer = ask(address, f"/api/runs/{path}", body)
    assert answer.status == 400
    assert told in answer.json["error"]
    assert bus.runs() == ["tiny-1"]


@pytest.mark.parametrize("query", ["after=x", "before=-1", "count=1.5"])
def test_a_part_of_the_list_is_asked_by_whole_numbers(
    address: str, bus: SwitchedBus, query: str
) -> None:
    assert "a whole number" in ask(address, f"/api/runs?{query}").json["error"]


def test_an_unknown_run_cannot_be_forked_or_described(address: str, bus: SwitchedBus) -> None:
    assert ask(address, "/api/runs/nobody-1/fork", {}).status == 404
    assert ask(address, "/api/runs/nobody-1/describe", {"name": "x"}).status == 404


def test_without_redis_the_list_is_a_sentence(address: str, bus: SwitchedBus) -> None:
    bus.down = True
    answer = ask(address, "/api/runs")
    assert (answer.status, answer.json) == (503, {"error": DOWN})
