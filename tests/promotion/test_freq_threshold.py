"""The rule by frequency, the rule that lets nobody rise, and oracle O4."""

import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out
from tiering.engine.folios import GRANULE
from tiering.engine.reports import UNCOUNTED, in_runs
from tiering.hotness.heat import Heat, Heats
from tiering.promotion.freq_threshold import FreqThreshold, FrequencyGate
from tiering.promotion.never import Never

MS = 1_000_000


def passed(knobs: FreqThreshold, heat: list[int], latency: list[int]) -> list[int]:
    """Which of folios 0, 1, ... rise."""
    one = FrequencyGate(knobs)
    hot = in_runs(np.arange(len(heat), dtype=np.uint32))
    chosen = one.choose(hot, np.array(latency, np.int64), 0, np.array(heat, np.int64))
    assert one.refused == len(heat) - chosen.folios.size
    return [int(folio) for folio in chosen.folios]


def test_whoever_has_the_heat_within_the_window_may_rise() -> None:
    assert passed(FreqThreshold(2, 3000), [1, 2, 3, 2, 9], [0, 0, 3000, 3001, 10**9]) == [1, 2]
    assert passed(FreqThreshold(3, 0), [1, 2, 3, 2, 9], [0, 0, 3000, 3001, 10**9]) == [2, 4]
    assert passed(FreqThreshold(2, 3000), [1, 2, 3], []) == [1, 2], "nobody knows how long ago"


def test_runs_keep_their_stamps_and_empty_ones_are_left_out() -> None:
    folios = np.array([1, 2, GRANULE, 2 * GRANULE, 2 * GRANULE + 1], np.uint32)
    hot = in_runs(folios)
    hot.stamps[:] = [10, 20, 30]
    one = FrequencyGate(FreqThreshold(2, 0))
    chosen = one.choose(hot, UNCOUNTED, 0, np.array([1, 2, 1, 2, 2], np.int64))
    assert chosen.folios.tolist() == [2, 2 * GRANULE, 2 * GRANULE + 1]
    assert (chosen.ends.tolist(), chosen.stamps.tolist()) == ([1, 3], [10, 30])
    one.retune("freq_threshold", 1)
    assert one.choose(hot, UNCOUNTED, 0, np.ones(5, np.int64)).folios.size == 5


def test_nothing_rises_where_nothing_may() -> None:
    hot = in_runs(np.arange(5, dtype=np.uint32))
    chosen = Never().choose(hot, UNCOUNTED, 0)
    assert (chosen.folios.size, chosen.ends.size) == (0, 0)


@pytest.mark.parametrize(
    ("x", "share"), [(0.5, 0.090204), (1.0, 0.264241), (2.0, 0.593994), (4.0, 0.908422)]
)
def test_o4_two_accesses_in_a_window_have_the_probability_of_two_or_more(
    x: float, share: float
) -> None:
    """Poisson accesses, each reported at its time; plain numbers as heat."""
    nr, window_ms = 4000, 3000
    rng = np.random.default_rng(7)
    memory = laid_out([Layout(nr)], [1 << 20, 1 << 20])
    heats = Heats(Heat(heat_max=1e6, heat_retention=1.0, hot_class=0), memory)
    gate = FrequencyGate(FreqThreshold(2, window_ms))
    times = rng.poisson(x, nr)
    when = np.sort(rng.integers(0, window_ms, int(times.sum())))
    folios = rng.permutation(np.repeat(np.arange(nr), times)).astype(np.uint32)
    rose = np.zeros(nr, np.bool_)
    for ms in np.unique(when // 100):
        for folio in folios[when // 100 == ms]:
            now = int(ms) * 100 * MS
            hot = heats.record(in_runs(np.array([folio], np.uint32), now), now, "one")
            rose[gate.choose(hot.folios, hot.latency_ms, now, hot.heat).folios] = True
    assert share == pytest.approx(1.0 - np.exp(-x) * (1.0 + x), abs=1e-6)
    assert abs(rose.mean() - share) < 4 * np.sqrt(share * (1.0 - share) / nr)
    once = 1.0 - np.exp(-x)
    assert abs(rose.mean() - once) > 4 * np.sqrt(once * (1.0 - once) / nr), "a law that is wrong"
