"""Patterns whose heat changes with work time, from scenario to touch clock and closed loop."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.simulation.scenarios import TINY, tiny
from tests.simulation.test_load import problem
from tiering.engine.touch import scratch, set_thresholds
from tiering.model.metrics import row_dtype
from tiering.simulation.build import World, build
from tiering.simulation.load import load_text
from tiering.simulation.loop import Simulation
from tiering.simulation.scenario import Scenario

THREE_VMAS = """
[processes.vmas.moving_hot_set]
hot_size_pct = 50.0
step_pct = 25.0
phase_accesses = 10_000
[[processes.vmas]]
name = "turns"
size_mib = 8.0
pattern = "phases"
[processes.vmas.phases]
phase_accesses = 10_000.0
[[processes.vmas]]
name = "still"
size_mib = 8.0
pattern = "gaussian"
"""


def three_vmas(**changes: Any) -> Scenario:
    """A moving hot set of lap 40,000, hot sets of lap 20,000 and a static pattern."""
    text = TINY.replace('pattern = "uniform"', 'pattern = "moving_hot_set"') + THREE_VMAS
    return load_text(text, "three", {k.replace("__", "."): v for k, v in changes.items()})


def turns(**changes: Any) -> Scenario:
    """Two sets of 48 MiB that take turns of 100,000 accesses; DRAM holds 64 MiB from the begin."""
    vma = "processes__0__vmas__0__"
    knobs = {"hot_size_pct": 50.0, "phase_accesses": 1e5, "layout": "contiguous"}
    given = {f"{vma}phases__{name}": value for name, value in knobs.items()}
    return tiny(**{f"{vma}pattern": "phases", f"{vma}node": "first_touch"} | given | changes)


@cache
def world_of_three() -> World:
    return build(three_vmas(), 1)


def brute_force(world: World, tau0: float, tau1: float) -> NDArray[np.float64]:
    """f64[R] expected touches of a folio of each row, phase by phase as they come."""
    rates = world.rates
    nr, rows = int(rates.nr_phases[0]), int(rates.nr_rows[0])
    share = rates.share.reshape(nr, rows)
    length = np.diff([*rates.border, rates.lap[0]])
    expected, begin, phase = np.zeros(rows), 0.0, 0
    while begin < tau1:
        end = begin + length[phase % nr]
        expected += share[phase % nr] * max(0.0, min(end, tau1) - max(begin, tau0))
        begin, phase = end, phase + 1
    return expected


@settings(max_examples=100, deadline=None)
@given(st.floats(0, 200_000), st.floats(0, 200_000))
def test_a_window_over_phases_and_laps_is_the_sum_of_its_parts(tau0: float, window: float) -> None:
    world, buffers = world_of_three(), scratch()
    rows = int(world.rates.nr_rows[0])
    set_thresholds(world.rates, buffers, 0, 0, rows, tau0, tau0 + window)
    wanted = -np.expm1(-brute_force(world, tau0, tau0 + window))
    np.testing.assert_allclose(buffers.threshold[:rows] / 2**32, wanted, rtol=0, atol=1e-9)


def test_all_vmas_of_a_process_have_the_union_of_the_phases() -> None:
    rates = world_of_three().rates
    assert (rates.nr_phases.tolist(), rates.lap.tolist()) == ([4], [40_000.0])
    shares = rates.share.reshape(4, -1)
    folios = world_of_three().nr_folios
    assert (shares @ folios).tolist() == pytest.approx([1.0] * 4), "of all accesses in every phase"


def test_laps_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="lap") as caught:
        build(three_vmas(processes__0__vmas__1__phases__phase_accesses=15_000.0), 1)
    assert str(caught.value) == (
        "three: processes.0.vmas (process app): VMA heap has a lap of 40_000 accesses and VMA "
        "turns one of 30_000: the longest lap should be a whole number of each of the others"
    )


def test_a_window_that_fits_no_segments_is_refused_by_name() -> None:
    vma = "processes__0__vmas__0__"
    message = problem(**{f"{vma}pattern": "moving_hot_set", f"{vma}moving_hot_set__step_pct": 7.1})
    assert message.startswith(
        "tiny: processes.0.vmas.0 (process app, VMA heap): moving_hot_set.hot_size_pct = 10 and "
    )
    assert len(message.splitlines()) == 1


def rows_of(scenario: Scenario, seed: int = 1) -> tuple[Simulation, NDArray[Any]]:
    simulation = Simulation(scenario, seed)
    rows = []
    while not simulation.done:
        rows.append(simulation.next_block().array(row_dtype(simulation.shape)))
    return simulation, np.concatenate(rows)


def test_a_turn_of_the_hot_sets_moves_the_share_of_the_top_tier() -> None:
    """The first set is all on DRAM, 16 of 48 MiB of the second one are; low stays free."""
    _, rows = rows_of(turns(preset="none", until_s=2.0, sample_ms=10))
    first = np.floor(rows["accesses"] / 1e5) % 2 == 0
    assert np.abs(np.diff(first)).sum() > 5, "the sets took turns"
    wanted = np.where(first, 0.9 + 0.1 / 3, 0.9 / 3 + 0.1)
    np.testing.assert_allclose(rows["top_tier_share"], wanted, atol=0.02)


def test_the_optimum_follows_a_hot_window_that_a_fixed_placement_loses() -> None:
    vma = "processes__0__vmas__0__"
    knobs = {"hot_size_pct": 50.0, "step_pct": 12.5, "phase_accesses": 1e5}
    changes: dict[str, Any] = {
        f"{vma}moving_hot_set__{name}": value for name, value in knobs.items()
    }
    changes |= {f"{vma}pattern": "moving_hot_set", f"{vma}node": "first_touch", "until_s": 2.0}
    _, fixed = rows_of(tiny(preset="none", **changes))
    _, optimal = rows_of(tiny(preset="oracle", **changes))
    np.testing.assert_allclose(optimal["top_tier_share"], 0.9 + 0.1 / 3, rtol=1e-9)
    np.testing.assert_allclose(fixed["oracle_share"], 0.9 + 0.1 / 3, rtol=1e-9)
    # DRAM holds the first 64 of 96 MiB: all of the window of 48 MiB at best, 16 MiB at worst
    assert fixed["top_tier_share"].max() == pytest.approx(0.9 + 0.1 / 3, abs=0.002)
    assert fixed["top_tier_share"].min() == pytest.approx(0.9 / 3 + 0.1, abs=0.02)


def test_a_process_with_phases_goes_on_after_its_first_lap() -> None:
    simulation, rows = rows_of(turns(until_s=1.0))
    assert math.isinf(simulation.world.work[0])
    assert rows["accesses"][-1] > 2e5
    assert simulation.result()["ended"] == "time is up"


def test_the_same_seed_gives_the_same_bytes_with_phases() -> None:
    scenario = turns(until_s=3.0, processes__0__vmas__0__phases__layout="scattered")
    first, again, other = (rows_of(scenario, seed)[1].tobytes() for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_a_growing_set_comes_step_by_step_and_then_stays() -> None:
    """96 MiB in four steps, each at the first tick after its border: 16,000 accesses a tick."""
    vma, step = "processes__0__vmas__0__", 4e5
    knobs = {"start_pct": 25.0, "steps": 3, "step_accesses": step}
    given = {f"{vma}growing__{name}": value for name, value in knobs.items()}
    scenario = tiny(preset="none", until_s=1.5, **{f"{vma}pattern": "growing"} | given)
    simulation = Simulation(scenario, 1)
    rows = np.concatenate(
        [simulation.next_block().array(row_dtype(simulation.shape)) for _ in range(7)]
    )
    surely = rows["accesses"] % step > 20_000
    steps = np.minimum(1 + rows["accesses"] // step, 4)
    assert np.array_equal(rows["node.resident_mib"][surely, 1], 24.0 * steps[surely])
    assert rows["pgfault"][-1] == 72 * 256
