"""Heat as memories keep it beside the true touch rates."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.simulation.scenarios import composed, finished
from tiering.hotness.hotness import Counting
from tiering.simulation.temperature import rank_correlation

ZIPF = {"size_mib": 32.0, "node": "CXL", "pattern": "zipf", "zipf": {"exponent": 1.0}}
FIGURES = ("rank_correlation", "heat_of_hot", "heat_of_rest")


def observed(**changes: Any) -> tuple[Any, dict[str, Any]]:
    """A run in which nothing rises."""
    app = {"think_ns": 1000.0, "vmas": [ZIPF]}
    run = {
        "preset": "hw_sample", "rooms__promotion": "never", "rooms__hotness": "heat",
        "hw_sample__sample_period": 50, "until_s": 1.0, "nodes__0__capacity_mib": 8,
    }  # fmt: skip
    simulation, _, _ = finished(composed([app], None, **run | changes))
    return simulation, simulation.result()["metrics"]


@pytest.mark.parametrize("seed", range(5))
def test_ranks_correlate_as_spearman_says(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 9, 500).astype(np.float64)  # many ties
    y = x * rng.random(500) + rng.random(500)
    assert rank_correlation(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)


def test_ranks_of_what_is_all_alike_do_not_correlate() -> None:
    same, other = np.full(4, 2.0), np.arange(4.0)
    assert rank_correlation(same, other) is None
    assert rank_correlation(np.zeros(0), np.zeros(0)) is None
    assert rank_correlation(other, other * other) == pytest.approx(1.0)
    assert rank_correlation(other, -other) == pytest.approx(-1.0)


@pytest.mark.parametrize("hotness", ["heat", "counts", "pghot", "pghot_precise"])
def test_what_is_touched_more_often_is_warmer_in_every_record(hotness: str) -> None:
    _, figures = observed(rooms__hotness=hotness, counts__cooling_threshold=254)
    assert 0.3 < figures["rank_correlation"] < 1.0
    assert figures["heat_of_hot"] > 2 * figures["heat_of_rest"]


def test_heat_fades_between_the_last_report_and_the_end() -> None:
    """Half is kept over a second; nothing is reported after the first one."""
    simulation, _ = observed(heat__heat_retention=0.5)
    memory = simulation.filters.hotness
    assert isinstance(memory, Counting)
    warm = np.flatnonzero(memory.heat_of(np.arange(32 * 256), 1000) > 0)
    now, later = memory.heat_of(warm, 1000), memory.heat_of(warm, 3000)
    assert later == pytest.approx(now / 4, rel=1e-5)


def test_a_memory_that_does_not_count_has_no_temperature() -> None:
    _, figures = observed(rooms__hotness="exact")
    assert not set(FIGURES) & set(figures)


def test_a_sample_of_the_folios_is_made_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    _, whole = observed()
    monkeypatch.setattr("tiering.simulation.temperature.MOST_FOLIOS", 1000)
    _, part = observed()
    assert part["rank_correlation"] != whole["rank_correlation"]
    assert part["rank_correlation"] == pytest.approx(whole["rank_correlation"], abs=0.15)
