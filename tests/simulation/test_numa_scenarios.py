"""What the scenarios of NUMA balancing show, in the words of their questions."""

from typing import Any

import pytest

from tests.simulation.scenarios import finished
from tiering.simulation.load import load_file


def run_of(name: str, **changes: Any) -> tuple[dict[str, Any], list[float]]:
    """(result, threshold of every row)."""
    overrides = {key.replace("__", "."): value for key, value in changes.items()}
    simulation, rows, _ = finished(load_file(name, overrides))
    return simulation.result(), rows["hot_threshold_ms"].tolist()


def test_marking_all_memory_costs_tasks_three_times_as_much_and_finds_no_more() -> None:
    """DRAM holds nearly all that is accessed, whichever mode fills it."""
    one, two, three = (
        run_of("numa-balancing-modes", preset=f"numa_balancing_{mode}")[0] for mode in "123"
    )
    spent = [run["metrics"]["thread_busy_s"]["numa_work"] for run in (one, two, three)]
    assert min(spent[0], spent[2]) > 2.5 * spent[1]
    for run in (one, two, three):
        assert run["metrics"]["top_tier_share"] > 0.99
        assert run["metrics"]["mean_throughput"] > 0.98 * two["metrics"]["mean_throughput"]
    assert two["counters"]["numa_hint_faults_local"] == 0
    assert one["counters"]["numa_hint_faults_local"] > one["counters"]["numa_hint_faults"] / 2


@pytest.mark.parametrize(("first", "seen"), [(1000, range(1000, 2001, 125)), (4000, None)])
def test_at_the_default_rate_the_threshold_only_climbs_to_twice_what_it_was(
    first: int, seen: range | None
) -> None:
    """Windows of 10 s instead of 60, so that eight of them fit."""
    result, thresholds = run_of(
        "numa-balancing-thresholds", hot_threshold__hot_threshold_ms=first,
        hot_threshold__threshold_window_ms=10_000,
    )  # fmt: skip
    assert thresholds == sorted(thresholds)
    assert thresholds[-1] == 2 * first
    assert seen is None or sorted(set(thresholds)) == list(seen)
    assert result["counters"]["promote_limited"] == 0


def test_a_lower_threshold_moves_less_for_as_many_hits_and_a_low_rate_loses_them() -> None:
    """A quarter of the default threshold, and two rates that bind."""
    name, short = "numa-balancing-thresholds", {"hot_threshold__threshold_window_ms": 10_000}
    default, _ = run_of(name, **short)
    strict, _ = run_of(name, hot_threshold__hot_threshold_ms=250, **short)
    tight, falling = run_of(name, hot_threshold__promote_rate_limit_mib_s=20, **short)
    assert strict["metrics"]["promoted_mib"] < 0.85 * default["metrics"]["promoted_mib"]
    assert strict["metrics"]["top_tier_share"] > default["metrics"]["top_tier_share"]
    assert tight["metrics"]["top_tier_share"] < 0.3 * default["metrics"]["top_tier_share"]
    assert min(falling) == 375
    assert max(falling) == 1000
