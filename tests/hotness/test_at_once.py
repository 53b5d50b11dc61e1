"""Memories that give back at once what a report makes hot, by hand and by their laws."""

from typing import Any

import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out
from tiering.engine.folios import GRANULE, Memory
from tiering.engine.reports import Reports, in_runs
from tiering.hotness.counts import CoolingCounts, Counts
from tiering.hotness.exact import NEVER_MS, ExactTimes
from tiering.hotness.heat import Heat, Heats
from tiering.hotness.hotness import Hot
from tiering.hotness.two_windows import TwoWindows, Windows

MS = 1_000_000


def machine(nr_folios: int = 100) -> Memory:
    """Two mms with folios on the slow tier, and one folio on the top tier behind them."""
    vmas = [Layout(nr_folios), Layout(10, mm=1), Layout(1, nid=0)]
    return laid_out(vmas, [1 << 20, 1 << 20])


def at(ms: int, folios: list[int], latencies: list[int] | None = None) -> Reports:
    some = in_runs(np.array(folios, np.uint32), ms * MS)
    known = np.array(latencies or [], np.int32)
    return some._replace(latency_ms=known)


def told(hot: Hot) -> tuple[list[int], list[int], list[int]]:
    """Folios, latencies, heat."""
    folios = hot.folios
    assert folios.ends.tolist()[-1:] == ([folios.folios.size] if folios.folios.size else [])
    return folios.folios.tolist(), hot.latency_ms.tolist(), hot.heat.tolist()


def history(memory: Any, times_ms: list[int]) -> list[bool]:
    """Whether folio 7 was hot at each of these reports of it."""
    return [7 in told(memory.record(at(ms, [7]), ms * MS, "one"))[0] for ms in times_ms]


@pytest.mark.parametrize(
    ("times_ms", "hot"),
    [
        ([0, 999], [False, False]),  # twice in the first window
        ([999, 1000], [False, True]),  # the first window and the second
        ([0, 1000, 1500, 2999], [False, True, True, True]),
        ([500, 2000, 3000], [False, False, True]),  # none in the second window
        ([500, 2000, 2100, 4000], [False, False, False, False]),
    ],
)
def test_two_windows_by_hand(times_ms: list[int], hot: list[bool]) -> None:
    assert history(Windows(TwoWindows(1000), machine()), times_ms) == hot


def test_a_round_more_is_asked_where_more_windows_are() -> None:
    """memtierd: active for 10 s at 5 s an interval is three rounds."""
    one = Windows(TwoWindows(5000, 3), machine())
    assert history(one, [4000, 5000, 14_999, 15_000]) == [False, False, True, True]
    assert told(one.record(at(20_000, [7, 8]), 0, "one")) == ([7], [], [5])
    one.retune("nr_windows", 6)
    assert history(one, [24_999, 25_000]) == [False, True]
    one.retune("window_ms", 1000)
    assert history(one, [26_000, 27_000]) == [False, False]


def test_the_exact_time_since_the_last_report_is_its_latency() -> None:
    one = ExactTimes(machine())
    assert told(one.record(at(0, [3, 5]), 0, "one")) == ([3, 5], [NEVER_MS] * 2, [])
    assert told(one.record(at(70_000, [4, 5]), 0, "one")) == ([4, 5], [NEVER_MS, 70_000], [])
    assert told(one.record(at(70_000, [4]), 0, "one")) == ([4], [0], [])


def test_what_the_source_knows_is_the_latency() -> None:
    for each in (ExactTimes(machine()), Heats(Heat(hot_class=0), machine())):
        folios, latencies, _ = told(each.record(at(10, [3, 5], [17, 4]), 0, "hint_fault"))
        assert (folios, latencies) == ([3, 5], [17, 4])
    one = Windows(TwoWindows(1000), machine())
    one.record(at(0, [4, 5], [9, 9]), 0, "hint_fault")
    assert told(one.record(at(1000, [3, 5], [17, 4]), 0, "hint_fault")) == ([5], [4], [2])


def test_heat_fades_by_the_retention_and_has_a_most() -> None:
    """At 0.5 a second: 1, then 1.5, then 0.375 + 1; never more than 2."""
    one = Heats(Heat(heat_max=2.0, heat_retention=0.5, heat_classes=4, hot_class=0), machine())
    for ms, expected in ((1000, 1.0), (2000, 1.5), (4000, 1.375), (4000, 2.0), (4000, 2.0)):
        one.record(at(ms, [7]), 0, "one")
        assert one.heats[7] == pytest.approx(expected, abs=1e-7)
    assert told(one.record(at(5000, [7]), 0, "one")) == ([7], [1000], [2])


def test_a_folio_is_hot_from_its_class_on() -> None:
    """Classes of width 1: 1, 1.8, 2.44 at a report a second."""
    one = Heats(Heat(), machine())
    assert history(one, [0, 1000, 2000, 3000, 9000]) == [False, False, True, True, False]
    one.retune("hot_class", 3)
    assert history(one, [10_000, 10_000, 10_000]) == [False, True, True]
    one.retune("heat_retention", 1.0)
    assert history(one, [900_000]) == [True]


def test_counts_are_halved_by_coolings_that_another_folio_brought_about() -> None:
    """HeMem by hand: hot at 8; the 19th report of folio 7 cools all, itself when it is next."""
    one = CoolingCounts(Counts(), machine())
    assert history(one, [0] * 19) == [False] * 7 + [True] * 12
    assert one.clock[0] == 1
    one.record(at(0, [8] * 1), 0, "one")
    assert one.counts[8] & 255 == 0, "the report is halved too, as posted"
    assert told(one.record(at(0, [7]), 0, "one")) == ([7], [], [10])
    one.clock[0] += 2
    assert told(one.record(at(0, [7]), 0, "one"))[0] == []
    assert one.counts[7] & 255 == 2


def memories(memory: Memory) -> list[Any]:
    return [
        Windows(TwoWindows(1000), memory), ExactTimes(memory), Heats(Heat(), memory),
        CoolingCounts(Counts(hot_reads=1), memory),
    ]  # fmt: skip


@pytest.mark.parametrize("nr", range(4))
def test_reports_of_the_top_tier_and_of_a_life_before_do_not_count(nr: int) -> None:
    memory = machine()
    top, other = 2 * GRANULE, GRANULE + 3
    one, fresh = memories(memory)[nr], memories(memory)[nr]
    for ms in (0, 1000, 2000):
        assert top not in told(one.record(at(ms, [5, other, top]), 0, "one"))[0]
    one.forget(0)
    again, first = (m.record(at(3000, [5, other]), 0, "one") for m in (one, fresh))
    assert [told(again)[0], told(first)[0]] == [
        ([[other], [5, other], [other], [5, other]])[nr],
        ([[], [5, other], [], [5, other]])[nr],
    ]
    latency = dict(zip(told(again)[0], told(again)[1], strict=False))
    assert latency.get(5, NEVER_MS) == NEVER_MS


def test_o4_two_windows_with_a_report_have_the_probability_of_both() -> None:
    """(1 - exp(-x))^2 for Poisson reports with x in each window; two in one window are not enough,
    whose law is 1 - exp(-x) (1 + x)."""
    rng = np.random.default_rng(4)
    nr, x = 8000, 1.0
    one = Windows(TwoWindows(1000), machine(nr))
    hot = np.zeros(nr, np.bool_)
    both = (1.0 - np.exp(-x)) ** 2
    for window in range(2):
        for folios in np.array_split(np.flatnonzero(rng.poisson(x, nr)), 4):
            found = one.record(at(window * 1000 + 10, folios.tolist()), 0, "one")
            hot[found.folios.folios] = True
    assert abs(hot.mean() - both) < 4 * np.sqrt(both * (1 - both) / nr)
    assert abs(hot.mean() - (1.0 - np.exp(-x) * (1.0 + x))) > 0.05, "a law that is wrong"
