"""The source that knows everything: what it names, how soon, and what it leaves alone."""

from typing import Any

import numpy as np
import pytest

from tests.simulation.scenarios import composed, finished
from tiering.engine.folios import CLASS_MASK, GRANULE, SLOW
from tiering.simulation.loop import Simulation
from tiering.sources.oracle import AllKnowing
from tiering.sources.source import Step

pytestmark = pytest.mark.compiled  # it lists whole machines folio by folio
MS = 1_000_000
NODES = [
    {"name": "DRAM", "tier": 0, "capacity_mib": 16},
    {"name": "CXL", "tier": 1, "capacity_mib": 256, "latency_ns": 300.0},
]
RUN: dict[str, Any] = {
    "preset": "kmmscand_v0", "until_s": 2.0, "rooms__sources": ["oracle"],
    "reclaim__demotion_enabled": True,
}  # fmt: skip
ZIPF = {"size_mib": 64.0, "node": "CXL", "pattern": "zipf", "zipf": {"exponent": 1.0}}


def all_knowing(*vmas: dict[str, Any], **changes: Any) -> tuple[AllKnowing, Simulation]:
    """The source of a run that has not begun; keys: dots are __."""
    app = {"think_ns": 1000.0, "vmas": list(vmas) or [ZIPF]}
    simulation = Simulation(composed([app], NODES, **RUN | changes), 1)
    source = simulation.sources["oracle"]
    assert isinstance(source, AllKnowing)
    return source, simulation


def told(source: AllKnowing, simulation: Simulation, clock: int = 0) -> Step:
    return source.run(0, clock, 10_000 * MS, simulation.progress.pace, True)


def rates_of(simulation: Simulation, folios: np.ndarray) -> np.ndarray:
    """Touches of each folio for each access of the process."""
    memory = simulation.world.memory
    row = memory.row0[folios // GRANULE] + (memory.folio[folios] & CLASS_MASK)
    share: np.ndarray = simulation.world.rates.share[row]
    return share


def test_it_reports_at_its_interval_and_takes_no_time() -> None:
    source, simulation = all_knowing(oracle__interval_ms=70)
    step = told(source, simulation)
    assert (step.clock, step.busy_ns, step.ended) == (70 * MS, 0, True)
    assert source.rest(0, step.clock, 1000 * MS) == (140 * MS, 0)
    assert told(source, simulation, step.clock).clock == 140 * MS
    source.retune("interval_ms", 10, 141 * MS)
    assert told(source, simulation, 141 * MS).clock == 151 * MS


def test_it_names_the_hottest_folios_that_fit_below_promo_and_no_other() -> None:
    source, simulation = all_knowing()
    told(source, simulation)
    world, found = simulation.world, source.reports.folios.astype(np.int64)
    room = int(world.capacity[0] - world.marks.promo[0])
    assert found.size == room
    assert np.unique(found).size == found.size
    assert (world.memory.folio[found] & np.uint32(SLOW) != 0).all()
    there = np.concatenate(
        [g * GRANULE + np.arange(nr) for g, nr in enumerate(world.memory.nr.tolist())]
    )
    least = rates_of(simulation, found).min()
    assert (rates_of(simulation, np.setdiff1d(there, found)) <= least).all()


def test_latencies_are_the_mean_times_between_two_touches() -> None:
    source, simulation = all_knowing()
    told(source, simulation)
    found = source.reports.folios.astype(np.int64)
    speed = float(simulation.progress.flow.speed[0])
    between_ms = 1 / (rates_of(simulation, found) * speed) / MS
    assert np.abs(source.reports.latency_ms - between_ms).max() <= 1.0


def test_a_batch_that_is_full_holds_the_hottest() -> None:
    source, simulation = all_knowing()
    told(source, simulation)
    whole = np.sort(rates_of(simulation, source.reports.folios.astype(np.int64)))
    source, simulation = all_knowing(oracle__batch_nr=100)
    told(source, simulation)
    part = np.sort(rates_of(simulation, source.reports.folios.astype(np.int64)))
    assert part.tolist() == whole[-100:].tolist()


def test_what_nobody_touches_is_never_wanted() -> None:
    hot = {"hot_size_pct": 10.0, "hot_access_pct": 100.0}
    vma = {"size_mib": 64.0, "node": "CXL", "pattern": "hot_set", "hot_set": hot}
    source, simulation = all_knowing(vma)
    told(source, simulation)
    assert source.reports.folios.size == round(64 * 256 * 0.1)


def test_in_closed_loop_the_top_tier_serves_all_it_could_and_nothing_moves_back() -> None:
    app = {"think_ns": 1000.0, "vmas": [ZIPF]}
    simulation, rows, _ = finished(composed([app], NODES, **RUN))
    figures = simulation.result()["metrics"]
    assert rows["top_tier_share"][-1] > 0.99 * rows["oracle_share"][-1]
    assert (rows["top_tier_share"] <= rows["oracle_share"] + 1e-9).all()
    assert figures["precision"] == 1.0
    assert figures["demoted_mib"] == 0.0
    assert figures["thread_busy_s"]["oracle"] > 0.0, "the thread migrates inline"


def test_after_a_phase_it_wants_the_other_set() -> None:
    """Turns of 200,000 accesses, all of them to one of two sets."""
    phases = {"hot_size_pct": 5.0, "hot_access_pct": 100.0, "phase_accesses": 200_000.0}
    vma = {"size_mib": 64.0, "node": "CXL", "pattern": "phases", "phases": phases}
    source, simulation = all_knowing(vma)
    pace = simulation.progress.pace
    turn_ns = round(200_000.0 / float(pace.speed[0]))
    size = round(64 * 256 * 0.05)
    assert source.missing(turn_ns // 2, pace).tolist() == [size, 0, 0]
    assert source.missing(turn_ns + turn_ns // 2, pace).tolist() == [0, size, 0]
    assert source.missing(2 * turn_ns + turn_ns // 2, pace).tolist() == [size, 0, 0]
