"""Pages as Dash components, without a browser."""

import time
from typing import Any

import pytest

from tests.ui.client import ask
from tests.ui.runs import DOWN, SomeJobs, SwitchedBus, Worker
from tiering.simulation.catalogue import scenario_names
from tiering.simulation.load import ScenarioError, load_file
from tiering.stream.bus import UnknownRun
from tiering.ui.components.scenario_card import length, size
from tiering.ui.pages import gallery, lab
from tiering.ui.run_view import view, why_empty
from tiering.work.listing import age, words


def text(component: Any) -> str:
    """All words of a component."""
    if isinstance(component, str | int | float):
        return f"{component} "
    if isinstance(component, list | tuple):
        return "".join(text(part) for part in component)
    return text(component.children) if getattr(component, "children", None) else ""


def find(component: Any, identity: Any) -> Any:
    """The component of that id."""
    found = [part for part in component._traverse() if getattr(part, "id", None) == identity]
    assert len(found) == 1, f"{identity}: {len(found)} found"
    return found[0]


def test_the_gallery_has_a_card_for_every_scenario() -> None:
    told = text(gallery.sections(""))
    for name in scenario_names():
        assert load_file(name).title in told


def test_the_search_keeps_what_holds_every_word() -> None:
    told = text(gallery.sections("ABENCH 32"))
    assert "32 GiB" in told
    assert "abench 8 GiB" not in told


def test_the_gallery_knows_the_size_of_a_recording() -> None:
    assert "9.91 GiB" in text(gallery.sections("redis hot"))


@pytest.mark.parametrize(
    ("mib", "told"),
    [
        (64, "64 MiB"),
        (2.5, "2.5 MiB"),
        (1023, "1,023 MiB"),
        (8192, "8 GiB"),
        (10_148, "9.91 GiB"),
        (1000 * 1024, "1,000 GiB"),
        (20_000 * 1024, "19.5 TiB"),
        (5000 * 1024 * 1024, "5,000 TiB"),
    ],
)
def test_a_size_is_written_as_people_do(mib: float, told: str) -> None:
    assert size(mib) == told


def test_a_card_tells_a_length_from_a_limit() -> None:
    endless = load_file("first-light", {"until_s": 1_000_000})
    assert length(endless) == "1,000,000 s simulated"
    assert length(load_file("kmmscand-v0-abench-8g")).startswith("up to 400 s")
    assert length(load_file("redis-hot10")).startswith("up to 180 s")
    assert length(load_file("redis-hot10", {"processes.0.repeat": 0})).startswith("180 s")


def test_the_lab_lists_what_a_recording_does_not_know() -> None:
    page = text(lab.before_run("redis-hot10", "", "/p.js"))
    assert "3 assumptions" in page
    assert "a recording knows no processes" in page
    assert "assumptions" not in text(lab.before_run("first-light", "", "/p.js"))


def test_a_search_without_result_says_so() -> None:
    assert "No scenario holds these words." in text(gallery.sections("unicorn"))


def test_recent_runs_tell_their_status(bus: SwitchedBus) -> None:
    Worker(bus).tell(status="failed", error="no room")
    told = text(gallery.recent_runs(bus, SomeJobs(bus)))
    assert "tiny-1" in told
    assert "failed" in told
    assert "no room" in told


def test_without_redis_the_gallery_still_opens(bus: SwitchedBus) -> None:
    bus.down = True
    told = text(gallery.layout(bus, SomeJobs(bus)))
    assert DOWN in told
    assert "Gallery" in told


@pytest.mark.parametrize(
    ("age_s", "told"), [(5, "just now"), (125, "2 min ago"), (7300, "2 h ago"), (9e5, "10 d ago")]
)
def test_the_age_of_a_run_is_in_words(age_s: float, told: str) -> None:
    assert age(str(time.time() - age_s)) == told


def test_the_address_sets_knobs_seed_and_speed() -> None:
    wanted = lab.parse_query("?set=pte_scan.scan_period_ms=1000&set=a.b=true&seed=3&speed=0")
    assert wanted.overrides == {"pte_scan.scan_period_ms": 1000, "a.b": True}
    assert (wanted.seed, wanted.speed) == (3, 0)


@pytest.mark.parametrize("query", ["?set=x", "?seed=-1", "?seed=x", "?speed=11"])
def test_a_bad_address_is_a_sentence(query: str) -> None:
    with pytest.raises(ScenarioError, match=query[1:]):
        lab.parse_query(query)
    assert "cannot be opened" in text(lab.before_run(scenario_names()[0], query, "/p.js"))


def test_an_unknown_scenario_is_a_page_in_words() -> None:
    assert "There is no scenario nobody" in text(lab.before_run("nobody", "", "/p.js"))


def test_before_a_run_the_form_shows_what_the_address_set() -> None:
    query = "?set=pte_scan.scan_period_ms=1000"
    page = lab.before_run("kmmscand-v0-abench-8g", query, "/p.js")
    box = find(page, {"type": "knob-box", "path": "pte_scan.scan_period_ms"})
    assert (box.value, box.disabled) == (1000, False)
    config = find(page, "lab-config").data
    assert config["knobs"]["pte_scan.scan_period_ms"]["base"] == 2000
    assert config["run"] is None


def test_in_a_run_the_form_shows_the_value_in_force(bus: SwitchedBus) -> None:
    worker = Worker(bus)
    entry = {"t_ns": 5, "knob": "pte_scan.scan_period_ms", "value": 777}
    bus.log_control(worker.run_id, worker.attempt, entry, "1")
    page = lab.of_run(bus, worker.run_id, "/p.js")
    assert find(page, {"type": "knob-box", "path": "pte_scan.scan_period_ms"}).value == 777


def test_in_a_run_all_knobs_can_be_turned_and_some_need_a_restart(bus: SwitchedBus) -> None:
    page = lab.of_run(bus, Worker(bus).run_id, "/p.js")
    live = {"type": "knob-box", "path": "pte_scan.scan_period_ms"}
    fixed = {"type": "knob-box", "path": "pte_scan.scan_period_min_ms"}
    assert (find(page, live).disabled, find(page, fixed).disabled) == (False, False)
    assert "need a restart" in text(page)


def test_after_a_run_no_knob_can_be_turned(bus: SwitchedBus) -> None:
    worker = Worker(bus)
    worker.tell(status="done")
    page = lab.of_run(bus, worker.run_id, "/p.js")
    assert find(page, {"type": "knob-box", "path": "pte_scan.scan_period_ms"}).disabled


def test_a_knob_without_effect_says_so_beside_it(bus: SwitchedBus) -> None:
    assert "No effect here" in text(lab.of_run(bus, Worker(bus).run_id, "/p.js"))


@pytest.mark.parametrize("run_id", ["nobody-1", "../x", "a" * 200])
def test_an_unknown_run_is_known_as_such(bus: SwitchedBus, run_id: str) -> None:
    with pytest.raises(UnknownRun):
        lab.of_run(bus, run_id, "/p.js")


@pytest.mark.parametrize(
    ("status", "alive", "workers", "told"),
    [
        ("waiting", False, 4, "waiting for a worker"),
        ("waiting", False, 0, "waiting: no worker is up"),
        ("running", True, 4, "running"),
        ("running", False, 4, "worker lost, retrying"),
        ("paused", False, 4, "worker lost, retrying"),
        ("done", False, 4, "done"),
        ("failed", False, 4, "failed"),
    ],
)
def test_the_status_is_in_words(status: str, alive: bool, workers: int, told: str) -> None:
    assert words(status, alive, workers, starting=False) == told


@pytest.mark.parametrize(
    ("status", "workers", "idle", "told"),
    [
        ("waiting", 0, 0, "No worker is up. The run begins as soon as there is one."),
        ("waiting", 4, 0, "All workers are busy. The run begins as soon as one is free."),
        ("waiting", 4, 1, "Waiting for a worker."),
        ("running", 4, 0, "Waiting for the first rows."),
        ("stopped", 4, 4, "The run was stopped before its first row."),
        ("failed", 0, 0, "The run failed before its first row."),
    ],
)
def test_a_chart_without_rows_says_why(status: str, workers: int, idle: int, told: str) -> None:
    assert why_empty(status, workers, idle, starting=False) == told


def test_workers_that_are_on_their_way_are_told_from_none(bus: SwitchedBus) -> None:
    class Compiling(SomeJobs):
        def capacity(self) -> tuple[int, int]:
            return 0, 0

        def starting(self) -> bool:
            return True

    bus.create("early-1", {"scenario": "tiny"})
    state = view(bus, Compiling(bus), "early-1")
    assert state["words"] == "waiting: workers are starting"
    assert "compile the simulation" in state["why_empty"]


def test_the_first_page_says_its_language_and_title(address: str) -> None:
    body = ask(address, "/run/nobody-1").body
    assert b'<html lang="en">' in body
    assert b"<title>Tierscope</title>" in body


def test_a_page_that_raises_is_a_page_in_words(
    address: str, bus: SwitchedBus, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(gallery, "layout", fail)
    outputs = "..page.children...retry.disabled.."
    changed = {"id": "url", "property": "pathname", "value": "/"}
    body = {
        "output": outputs,
        "outputs": [
            {"id": "page", "property": "children"},
            {"id": "retry", "property": "disabled"},
        ],
        "inputs": [changed, {"id": "retry", "property": "n_intervals", "value": None}],
        "state": [{"id": "url", "property": "search", "value": ""}],
        "changedPropIds": ["url.pathname"],
    }
    headers = {"Content-Type": "application/json"}
    answer = ask(address, "/_dash-update-component", body, headers)
    assert answer.status == 200
    assert b"This page could not be made" in answer.body
    assert b"secret detail" not in answer.body
    assert "secret detail" in caplog.text
