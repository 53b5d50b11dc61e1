"""The engine and the naive twin are one stochastic process: same law, by KS over seeds."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from tests.naive.twin import Twin
from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

P_THRESHOLD = 1e-4
RUNS = 150

HOST = """
title = "twin"
question = "One law?"
topic = "tests"
preset = "kmmscand_v0"
until_s = 6.0
sample_ms = 1000
[[nodes]]
name = "DRAM"
tier = 0
capacity_mib = 1
latency_ns = 100.0
read_gb_s = 40.0
write_gb_s = 40.0
[[nodes]]
name = "CXL"
tier = 1
capacity_mib = 16
latency_ns = 250.0
read_gb_s = 20.0
write_gb_s = 20.0
[[processes]]
name = "filler"
threads = 1
think_ns = 1e9
[[processes.vmas]]
size_mib = 0.875  # leaves 32 folios of DRAM
node = "DRAM"
[[processes]]
name = "app"
threads = 1
think_ns = 1.2e7  # some 80 accesses a second over 64 folios
[[processes.vmas]]
size_mib = 0.25
node = "CXL"
pattern = "PATTERN"
[migration]
reserve = "none"
[pte_scan]
ignore_threshold = 6
scan_period_min_ms = 50
scan_period_max_ms = 1000
scan_period_ms = 200
scan_sleep_ms = 0
mms_to_scan = 1
skip_ns = 1
"""


TURNS = {"phase_accesses": 30.0}  # some ten phases in a run, of which a visit spans several
KNOBS: dict[str, dict[str, float]] = {"moving_hot_set": TURNS, "phases": TURNS}


def host(pattern: str) -> Scenario:
    knobs = KNOBS.get(pattern, {})
    changes = {f"processes.1.vmas.0.{pattern}.{name}": value for name, value in knobs.items()}
    return load_text(HOST.replace("PATTERN", pattern), "twin", changes)


def engine_figures(scenario: Scenario, seed: int) -> dict[str, float]:
    simulation = Simulation(scenario, seed)
    while not simulation.done:
        simulation.next_block()
    counters = simulation.result()["counters"]
    scanner = simulation.scanner
    assert scanner is not None
    return {
        "no_room": counters["migrate_no_room"],
        "promoted": counters["pgpromote_success"],
        "visits": int(scanner.mms.nr_visits[1]),
        "period": int(scanner.mms.period_ms[1]),
        "found": int(scanner.mms.found[1]),
    }


def twin_figures(
    scenario: Scenario, seed: int, error: float = 1.0, still: bool = False
) -> dict[str, float]:
    """error: factor on the rates; still: the first phase never ends."""
    twin = Twin(scenario, seed, error)
    if still:
        twin.mms[1].phases = [float("inf")]
    twin.run()
    app = twin.mms[1]
    return {
        "no_room": twin.no_room,
        "promoted": twin.promoted,
        "visits": len(app.found),
        "period": app.period,
        "found": app.found[-1],
    }


def sample(figures: Callable[[int], dict[str, float]]) -> dict[str, np.ndarray]:
    runs = [figures(seed) for seed in range(RUNS)]
    return {name: np.array([run[name] for run in runs]) for name in runs[0]}


@pytest.mark.parametrize(
    "pattern", ["uniform", "zipf", "hot_set", "gaussian", "moving_hot_set", "phases"]
)
def test_the_engine_agrees_with_the_twin_in_distribution(pattern: str) -> None:
    scenario = host(pattern)
    fast = sample(lambda seed: engine_figures(scenario, seed))
    slow = sample(lambda seed: twin_figures(scenario, 1000 + seed))
    assert fast["promoted"].tolist() == slow["promoted"].tolist() == [32] * RUNS
    for name in ("no_room", "visits", "period", "found"):
        assert stats.ks_2samp(fast[name], slow[name], method="asymp").pvalue > P_THRESHOLD, name
    assert fast["no_room"].std() > 0


def test_the_comparison_has_power_to_reject_a_wrong_rate() -> None:
    scenario = host("uniform")
    fast = sample(lambda seed: engine_figures(scenario, seed))
    slow = sample(lambda seed: twin_figures(scenario, 1000 + seed, error=0.7))
    assert stats.ks_2samp(fast["no_room"], slow["no_room"], method="asymp").pvalue < P_THRESHOLD


def test_the_comparison_has_power_to_reject_heat_that_stands_still() -> None:
    scenario = host("moving_hot_set")
    fast = sample(lambda seed: engine_figures(scenario, seed))
    slow = sample(lambda seed: twin_figures(scenario, 1000 + seed, still=True))
    assert stats.ks_2samp(fast["found"], slow["found"], method="asymp").pvalue < P_THRESHOLD


def test_fixed_work_ends_at_the_same_time_in_both() -> None:
    changes = {"processes.1.work_accesses": 300.0}
    scenario = load_text(HOST.replace("PATTERN", "uniform"), "twin", changes)
    simulation = Simulation(scenario, 1)
    while not simulation.done:
        simulation.next_block()
    twin = Twin(scenario, 1)
    twin.run()
    ended = twin.mms[1].finished_at
    assert ended is not None
    assert simulation.result()["elapsed_s"] == pytest.approx(ended / 1e9, rel=1e-3)
