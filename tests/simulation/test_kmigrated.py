"""kmigrated in a run: when it walks, what it moves, what it costs, and what is counted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out
from tests.simulation.scenarios import composed, finished, tiny
from tests.simulation.test_checkpoint import Told
from tiering.engine.movers import Movers
from tiering.engine.reports import in_runs
from tiering.hotness.pghot import PghotRecords
from tiering.hotness.pghot_knobs import Pghot
from tiering.migration.kmigrated import Kmigrated
from tiering.migration.queue import Migration, MigrationQueue
from tiering.promotion.every_report import EveryReport
from tiering.simulation.checkpoint import restore, save
from tiering.simulation.footprint import footprint
from tiering.simulation.kmigrated import KmigratedThread
from tiering.simulation.loop import Simulation
from tiering.simulation.threads import thread_names

MS = 1_000_000
GRANULE = 8192
PRESETS = ["chmu_pghot", "chmu_pghot_precise"]
BUSY: dict[str, Any] = {
    "preset": "chmu_pghot", "chmu__hotness_threshold": 1, "chmu__entry_ns": 0.0, "until_s": 2.0,
    "nodes__0__capacity_mib": 256, "processes__0__think_ns": 0.0, "kmigrated__record_ns": 0.0,
}  # fmt: skip
"""96 MiB of which nearly everything is on the hot list of every epoch of 100 ms."""


class Idle:
    """A kmigrated with records of its own, and nobody else."""

    def __init__(self, nr_folios: int, knobs: Kmigrated) -> None:
        self.memory = laid_out([Layout(nr_folios)], [1 << 22, 1 << 22])
        self.records = PghotRecords(Pghot(freq_threshold=1), self.memory, 2, np.zeros(9, np.int64))
        self.queue = MigrationQueue(Migration(), self.memory, np.zeros(2, np.int64), 1)
        whole, none = np.zeros(1, np.int64), np.zeros(2, np.int64)
        self.movers = Movers(
            whole.copy(), whole.copy(), whole - 1, np.zeros(1, np.bool_),
            np.zeros((1, 1), np.int64), np.full(1, 1024.0), none, none, whole.copy(),
            np.array([0, 1], np.int64), none,
        )  # fmt: skip
        self.thread = KmigratedThread(
            0, 1, knobs, self.records, EveryReport(), self.queue, self.movers
        )
        self.progress: Any = Simulation(tiny(), 1).progress

    def report(self, folios: list[int], at_ms: int) -> None:
        self.records.record(in_runs(np.array(folios, np.uint32), at_ms * MS), 0, "chmu")

    def run(self, until_ms: int) -> tuple[int, int]:
        """(stamp in ns or -1, candidates that wait)."""
        judge: Any = None
        stamp = self.thread.run(until_ms * MS, self.progress, judge, False)
        return stamp, len(self.queue)

    def migrated(self, clock: int) -> None:
        """All that waits has been moved at this clock."""
        self.queue.forget(0, clock)
        self.movers.awake[0] = False
        self.movers.clock[0] = clock
        self.thread.take_clock()


def test_it_sleeps_walks_and_sleeps_again() -> None:
    one = Idle(100, Kmigrated(record_ns=0.0))
    one.report([7], 20)
    assert one.run(99) == (-1, 0)
    assert one.run(101) == (100 * MS, 1)
    assert one.thread.draining
    one.migrated(102 * MS)
    one.report([8], 150)
    assert one.run(202) == (-1, 1 - 1)
    assert one.thread.clock == 202 * MS, "100 ms after it went to sleep, and not a walk before"
    assert one.run(203) == (202 * MS, 1)


def test_what_became_ready_while_it_walked_or_migrated_is_walked_at_once() -> None:
    one = Idle(100, Kmigrated(record_ns=0.0))
    one.report([7], 20)
    one.report([8], 110)
    assert one.run(101) == (100 * MS, 1)
    one.migrated(120 * MS)
    assert one.run(121) == (120 * MS, 1)


def test_a_batch_has_one_folio_more_than_the_knob_and_ends_with_its_section() -> None:
    one = Idle(5 * GRANULE, Kmigrated(record_ns=0.0, kmigrated_batch_nr=64))
    first = list(range(0, 400, 4))
    one.report([*first, 4 * GRANULE, 4 * GRANULE + 1], 20)
    batches = []
    for clock in (100, 110, 120):
        stamp, nr = one.run(clock + 1)
        assert stamp == clock * MS
        batches.append(nr)
        one.migrated((clock + 10) * MS)
    assert batches == [65, 35, 2]
    assert one.run(140) == (-1, 0)


def test_a_walk_takes_its_time_for_every_folio_of_a_hot_section() -> None:
    one = Idle(6 * GRANULE, Kmigrated(record_ns=10.0))
    one.report([5 * GRANULE], 20)
    stamp, _ = one.run(200)
    assert stamp == 100 * MS + 2 * GRANULE * 10
    assert one.thread.scan_ns == 2 * GRANULE * 10


def test_the_length_of_the_sleep_can_be_changed() -> None:
    one = Idle(10, Kmigrated())
    one.run(150)
    one.thread.retune("kmigrated_sleep_ms", 500)
    one.run(210)
    assert one.thread.due == 700 * MS


@pytest.mark.parametrize("preset", PRESETS)
def test_all_that_is_hot_rises_once_and_every_thread_is_named(preset: str) -> None:
    scenario = tiny(**BUSY | {"preset": preset})
    assert thread_names(scenario) == ("chmu", "kmigrated1")
    simulation, rows, _ = finished(scenario)
    counters = simulation.result()["counters"]
    assert counters["pgpromote_success"] == 96 * 256
    assert counters["pgpromote_candidate"] == 96 * 256
    assert counters["pgmigrate_fail"] == 0
    recorded = simulation.result()["metrics"]["recorded_reports"]["chmu"]
    assert 2 * 96 * 256 <= recorded == rows["pghot_recorded_accesses"][-1]
    assert rows["thread.busy_ns"][-1, 1] > 96 * 256 * 1000


def test_a_folio_needs_two_epochs_and_then_a_walk() -> None:
    """Lists are read at 100 and 200 ms; kmigrated looks at 200 and 300 ms, after or before them."""
    simulation, rows, _ = finished(tiny(**BUSY | {"sample_ms": 10, "until_s": 0.5}))
    rose = rows["time_ns"][np.flatnonzero(rows["pgpromote_success"])[0]] / MS
    assert 200 <= rose <= 320
    assert simulation.queue.books.age[1] < 2 * MS, "no batch waits"


def test_where_the_target_has_no_room_to_spare_the_rate_limits_what_rises() -> None:
    limits = {"hot_threshold__promote_rate_limit_mib_s": 8, "until_s": 2.0}
    simulation, rows, _ = finished(tiny(**BUSY | limits))
    assert rows["pgpromote_candidate_nrl"][-1] == 0, "1 GiB is never free"
    assert 8 * 256 <= rows["pgpromote_success"][-1] <= 3 * 8 * 256
    assert rows["promote_limited"][-1] > 0
    assert rows["hot_threshold_ms"][-1] == 3000
    free, rows, _ = finished(tiny(**BUSY | limits | {"hot_threshold__spare_mib": 64}))
    assert rows["pgpromote_candidate_nrl"][-1] > 64 * 256
    assert (
        free.queue.counters["pgpromote_success"]
        > 5 * simulation.queue.counters["pgpromote_success"]
    )


def test_every_lower_node_has_its_own_thread() -> None:
    nodes = [
        {"name": "DRAM", "tier": 0, "capacity_mib": 512},
        {"name": "CXL0", "tier": 1},
        {"name": "CXL1", "tier": 2},
    ]
    processes = [
        {"name": name, "think_ns": 0.0, "vmas": [{"size_mib": 16.0, "node": name}]}
        for name in ("CXL0", "CXL1")
    ]
    changes = {k: v for k, v in BUSY.items() if not k.startswith(("nodes", "processes"))}
    changes |= {"migration__reserve": "none", "kmigrated__record_ns": 10.0}
    scenario = composed(processes, nodes, **changes)
    assert thread_names(scenario) == ("chmu", "kmigrated1", "kmigrated2")
    _, rows, _ = finished(scenario)
    assert rows["pgpromote_success"][-1] == 32 * 256
    assert (rows["thread.busy_ns"][-1, 1:] > 0).all()


def test_knobs_of_records_gate_and_thread_are_live() -> None:
    simulation = Simulation(tiny(**BUSY), 1)
    simulation.next_block()
    for path, value in (
        ("pghot.promote_freq_window_ms", 1000), ("pghot.freq_threshold", 3),
        ("hot_threshold.promote_rate_limit_mib_s", 5), ("kmigrated.kmigrated_sleep_ms", 500),
    ):  # fmt: skip
        assert simulation.set_knob(path, value)["value"] == value
    assert simulation.filters.threshold_ms == 1000
    thread = simulation.threads[1]
    assert isinstance(thread, KmigratedThread)
    assert thread.knobs.kmigrated_sleep_ms == 500


def test_knobs_of_a_queue_that_kmigrated_does_not_have_are_noted() -> None:
    notes = tiny(preset="chmu_pghot").knob_notes()
    assert "kmigrated migrates" in notes["migration.owner"]
    assert "migration.owner" not in tiny(preset="chmu").knob_notes()


def test_a_process_that_begins_again_begins_without_records() -> None:
    again = {"start_s": 0.0, "lifetime_s": 0.35, "every_s": 0.4}
    process = {"name": "app", "think_ns": 0.0, "vmas": [{"size_mib": 8.0, "node": "CXL"}]} | again
    changes = {k: v for k, v in BUSY.items() if not k.startswith(("nodes", "processes"))}
    scenario = composed([process], sample_ms=10, **changes | {"until_s": 1.2})
    _, rows, _ = finished(scenario)
    starts = rows["time_ns"] / MS
    for life in (0, 400, 800):
        inside = (starts > life) & (starts <= life + 150)
        assert np.ptp(rows["pgpromote_success"][inside]) == 0, "two epochs are needed again"


@pytest.mark.parametrize(("preset", "nr_bytes"), [("chmu", 0), ("chmu_pghot", 1), (PRESETS[1], 4)])
def test_host_memory_of_the_records_is_counted(preset: str, nr_bytes: int) -> None:
    plain, needed = (footprint(tiny(preset=p), {}) for p in ("chmu", preset))
    assert needed.nr_bytes - plain.nr_bytes == nr_bytes * needed.nr_granules * GRANULE


@pytest.mark.parametrize("hotness", ["pghot", "pghot_precise"])
def test_records_take_the_reports_of_any_source(hotness: str) -> None:
    """The scanner of accessed bits: two visits within the window make a folio ready."""
    scenario = tiny(
        nodes__0__capacity_mib=256, processes__0__think_ns=0.0, pte_scan__scan_period_ms=500,
        rooms__hotness=hotness, rooms__promotion="hot_threshold", until_s=4.0,
    )  # fmt: skip
    assert thread_names(scenario) == ("kmmscand", "kmigrated1")
    simulation, rows, _ = finished(scenario)
    assert rows["pgpromote_success"][-1] == 96 * 256
    assert simulation.result()["metrics"]["recorded_reports"].keys() == {"pte_scan"}
    first = rows["time_ns"][np.flatnonzero(rows["pgpromote_success"])[0]] / MS
    assert rows["mm.nr_visits"][rows["time_ns"] < (first - 200) * MS, 0].max() <= 2


def test_a_run_stopped_at_every_block_says_the_same_bytes(tmp_path: Path) -> None:
    """Walks of 250 ns a folio and lists of 500 ns an entry go on beyond the end of blocks."""
    slow = {"kmigrated__record_ns": 250.0, "chmu__entry_ns": 500.0, "sample_ms": 10, "until_s": 0.6}
    scenario = tiny(**BUSY | slow)
    whole, parts = Told(), Told()
    end = whole.listen(Simulation(scenario, 1))
    simulation = Simulation(scenario, 1)
    walking = 0
    while not simulation.done:
        parts.listen(simulation, simulation.time_ns / 1e9 + 0.01)
        thread = simulation.threads[1]
        assert isinstance(thread, KmigratedThread)
        walking += thread.cursor is not None
        save(simulation, tmp_path / "x")
        simulation = restore(tmp_path / "x")
    assert walking > 0
    assert parts.rows == whole.rows
    assert parts.events == whole.events
    assert simulation.result() == end.result()
