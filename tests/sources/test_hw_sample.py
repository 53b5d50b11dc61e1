"""Hardware samples: how many, of whom, what is lost, and who pays."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.simulation.scenarios import composed
from tiering.engine.folios import CLASS_MASK, GRANULE, SLOW
from tiering.engine.sweep import page_of, rank_of, sweep_table
from tiering.simulation.loop import Simulation
from tiering.sources.hw_draw import poisson
from tiering.sources.hw_sample import HwSampler

pytestmark = pytest.mark.compiled  # a sample in plain Python takes milliseconds
P_THRESHOLD = 1e-4
MS = 1_000_000
NODES = [
    {"name": "DRAM", "tier": 0, "capacity_mib": 256},
    {"name": "CXL", "tier": 1, "capacity_mib": 256, "latency_ns": 300.0},
]
RUN: dict[str, Any] = {
    "preset": "hw_sample", "until_s": 10.0, "hw_sample__drain_ms": 10_000,
    "migration__reserve": "none",
}  # fmt: skip


def sampler(**changes: Any) -> tuple[HwSampler, Simulation]:
    """The sampler of a run that has not begun; keys: dots are __."""
    app = {"think_ns": 1000.0, "vmas": [{"size_mib": 40.0, "node": "CXL"}]}
    simulation = Simulation(composed([app], NODES, **RUN | changes), 1)
    source = simulation.sources["hw_sample"]
    assert isinstance(source, HwSampler)
    return source, simulation


def drained(source: HwSampler, simulation: Simulation, seconds: float) -> np.ndarray:
    """All folios sampled in that time, with repeats, as the speed of time 0 goes on."""
    source._due = round(seconds * 1e9)
    _, taken = source._drain(simulation.progress.pace)
    return source._out[:taken].copy()


@pytest.mark.parametrize("mean", [0.3, 7.0, 32.0, 200.0])
def test_numbers_of_samples_are_poisson(mean: float) -> None:
    numbers = np.array([poisson(mean, np.uint64(key), 0)[0] for key in range(1, 4001)])
    assert abs(numbers.mean() - mean) < 5 * np.sqrt(mean / 4000)
    assert abs(numbers.var() / mean - 1.0) < 5 * np.sqrt(2 / 4000 + 1 / (4000 * mean))


def test_one_access_in_so_many_is_sampled() -> None:
    source, simulation = sampler(hw_sample__sample_period=50)
    speed = float(simulation.progress.flow.speed[0]) * 1e9
    nr = drained(source, simulation, 2.0).size
    assert abs(nr - 2.0 * speed / 50) < 5 * np.sqrt(2.0 * speed / 50)


def agreement(folios: np.ndarray, rates: np.ndarray) -> float:
    """p of the samples of folios with a rate, put together in the order of their rates."""
    known = np.flatnonzero(rates > 0.0)
    order = known[np.argsort(rates[known], kind="stable")]
    counts = np.bincount(folios, minlength=rates.size)
    bins = np.array_split(order, 40)
    seen = np.array([counts[one].sum() for one in bins], np.float64)
    expected = np.array([rates[one].sum() for one in bins])
    return float(stats.chisquare(seen, expected / expected.sum() * seen.sum()).pvalue)


PATTERNS: list[dict[str, Any]] = [
    {"pattern": "uniform"},
    {"pattern": "zipf", "zipf": {"exponent": 1.0}},
    {"pattern": "hot_set", "hot_set": {"hot_size_pct": 10.0}},
    {"pattern": "gaussian"},
]


@pytest.mark.parametrize("vma", PATTERNS, ids=[one["pattern"] for one in PATTERNS])
@pytest.mark.parametrize("order", [0, 4])
def test_folios_are_sampled_as_often_as_they_are_accessed(vma: dict[str, Any], order: int) -> None:
    changes = {f"processes__0__vmas__0__{key}": value for key, value in vma.items()}
    changes["processes__0__vmas__0__order"] = order
    source, simulation = sampler(hw_sample__sample_period=10, **changes)
    memory, rates = simulation.world.memory, simulation.world.rates
    rate = np.zeros(memory.folio.size)
    for granule, nr in enumerate(memory.nr.tolist()):
        at = granule * GRANULE
        rows = memory.row0[granule] + (memory.folio[at : at + nr] & np.uint32(CLASS_MASK))
        rate[at : at + nr] = rates.share[rates.share_at[0] + rows.astype(np.int64)]
    folios = drained(source, simulation, 0.5)
    assert folios.size > 20_000
    assert (rate[folios] > 0.0).all()
    assert agreement(folios, rate) > P_THRESHOLD
    if vma["pattern"] != "uniform":
        assert agreement(folios, np.sqrt(rate)) < P_THRESHOLD, "a law that is wrong"


def test_what_is_not_populated_is_never_hit() -> None:
    source, simulation = sampler(
        hw_sample__sample_period=10,
        processes__0__vmas__0__pattern="growing",
        processes__0__vmas__0__growing={"step_accesses": 1e12},
    )
    memory = simulation.world.memory
    folios = drained(source, simulation, 0.2)
    assert folios.size > 5000
    assert (folios % GRANULE < memory.nr[folios // GRANULE]).all()


@pytest.mark.parametrize(("nr_pages", "stride"), [(10, 1), (10, 3), (64, 8), (7, 7), (1001, 10)])
def test_a_place_in_a_sweep_leads_back_to_its_page(nr_pages: int, stride: int) -> None:
    sweeps = sweep_table([(0, GRANULE, 1, nr_pages, stride, 1, 1.0)])
    for page in range(nr_pages):
        rank = rank_of(sweeps, 0, page)
        assert page_of(sweeps, 0, float(rank)) == page
        assert page_of(sweeps, 0, float(rank + 3 * nr_pages)) == page


@pytest.mark.parametrize("split", [0.0, 32.0])
def test_a_sweep_is_sampled_where_it_is(split: float) -> None:
    """A tenth of a lap: samples lie in the first tenth of the memory, evenly."""
    source, simulation = sampler(
        hw_sample__sample_period=10,
        processes__0__vmas__0__pattern="sequential",
        processes__0__vmas__0__sequential={"burst": 64},
        processes__0__vmas__0__split_mib=split,
    )
    speed = float(simulation.progress.flow.speed[0])
    part = 0.9 if split else 0.1
    folios = drained(source, simulation, part * 10240 * 64 / speed / 1e9)
    assert folios.size > 4000
    assert folios.max() < part * 10240
    assert stats.kstest(folios / (part * 10240), "uniform").pvalue > P_THRESHOLD


def test_the_filter_drops_what_is_fast_and_the_thread_what_is_on_the_top_tier() -> None:
    source, simulation = sampler(hw_sample__sample_period=10, hw_sample__latency_min_ns=400.0)
    assert drained(source, simulation, 0.2).size == 0
    source, simulation = sampler(hw_sample__sample_period=10)
    memory = simulation.world.memory
    memory.folio[: 5 * 1024] &= np.uint32(~(SLOW | 0xF00) & 0xFFFFFFFF)
    source._due = 10 * MS * 20
    step = source.run(0, 0, source._due + 1, simulation.progress.pace, True)
    folios = source.reports.folios
    assert step.nr_reports == folios.size <= source.useful
    assert folios.min() >= 5 * 1024
    assert source.taken > 1.5 * source.useful, "about half were of the top tier"
    assert (np.diff(folios.astype(np.int64)) > 0).all(), "each once, in order"


def test_a_full_buffer_loses_samples_and_says_so() -> None:
    source, simulation = sampler(hw_sample__sample_period=10, hw_sample__buffer_nr=100)
    assert drained(source, simulation, 0.2).size == 100
    assert source.lost > 1000
    assert source.events[0]["text"] == f"hw_sample: buffer full, {source.lost} samples lost"


def test_the_task_pays_for_interrupts_and_the_thread_for_samples() -> None:
    source, simulation = sampler(
        hw_sample__sample_period=100, hw_sample__interrupt_ns=700.0, hw_sample__sample_ns=300.0
    )
    source._due = due = 100 * MS
    step = source.run(0, 0, 2 * due, simulation.progress.pace, True)
    assert source.taken > 500
    assert simulation.progress.flow.stall_ns[0] == source.taken * 700.0
    assert step.busy_ns == source.taken * 300
    assert step.clock == due + step.busy_ns
    assert set(source.reports.stamps.tolist()) == {step.clock}


def test_a_process_that_exited_is_not_sampled() -> None:
    source, simulation = sampler(hw_sample__sample_period=10)
    source.leave(0)
    assert drained(source, simulation, 0.2).size == 0
    source.enter(0, 0)
    assert drained(source, simulation, 0.4).size > 1000


def test_rates_are_those_of_the_present_phase() -> None:
    """The window moves on by half of the memory, and all accesses are in it."""
    window = {
        "hot_size_pct": 50.0,
        "step_pct": 50.0,
        "phase_accesses": 1e5,
        "hot_access_pct": 100.0,
    }
    source, simulation = sampler(
        hw_sample__sample_period=10,
        processes__0__vmas__0__pattern="moving_hot_set",
        processes__0__vmas__0__moving_hot_set=window,
    )
    first = drained(source, simulation, 0.05)
    simulation.progress.flow.tau[0] = source._tau[0] = 1.2e5
    second = drained(source, simulation, 0.05)
    assert min(first.size, second.size) > 1000
    assert first.max() < 5120 <= second.min() or second.max() < 5120 <= first.min()
