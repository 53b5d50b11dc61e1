"""Page cache that nobody maps asks for promotion by the reads that find it hot."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from tests.engine.machines import flat_memory, flat_rates, pace
from tiering.demotion.kswapd import Reclaim, first_lists
from tiering.engine.folios import (
    ACTIVE,
    LIST_SHIFT,
    READ_AGAIN,
    READ_HOT,
    REFERENCED,
    TIMED,
    Memory,
)
from tiering.engine.look import latch
from tiering.engine.own_look import latch_one
from tiering.engine.page_cache import mark_accessed
from tiering.engine.sweep import sweep_table
from tiering.engine.touch import Rates, scratch
from tiering.sources.hint_fault import HintFaults
from tiering.sources.hint_knobs import HintFault
from tiering.sources.page_cache_access import PageCacheReads
from tiering.sources.page_cache_knobs import PageCacheAccess
from tiering.sources.page_cache_look import LONGEST_MS

MS = 1_000_000
S = 1000 * MS
ON = PageCacheAccess(pagecache_promotion_enabled=True)
P_THRESHOLD = 1e-4
READY = np.uint32((ACTIVE << LIST_SHIFT) | REFERENCED)


class Reader:
    """One mm, one file on the slow node (1) unless said; an access takes a ns."""

    def __init__(
        self,
        nr: int,
        rates: Rates,
        knobs: PageCacheAccess = ON,
        nid: int = 1,
        lru: str = "active_inactive",
        mapped: bool = False,
        swept: bool = False,
        sampled: bool = False,
    ) -> None:
        self.memory: Memory = flat_memory(nr, nid=nid, sampled=sampled)
        first_lists(Reclaim(lru=lru), self.memory)  # type: ignore[arg-type]
        self.memory.unmapped[:] = not mapped
        self.memory.sweep[:] = 0 if swept else -1
        self.rates, self.pace, self.scratch = rates, pace(1.0), scratch()
        self.charge = np.zeros(1)
        self.source = PageCacheReads(knobs, self.memory, rates, self.scratch, self.charge)
        self.source.enter(0, 0)
        self.clock = 0
        self.found: list[tuple[int, int, int]] = []  # stamp, folio, latency

    def run(self, until: int) -> None:
        """Go on to `until`, keeping what was reported."""
        while self.clock < until:
            step = self.source.run(0, self.clock, until, self.pace, True)
            self.clock = step.clock
            self.clock = self.source.rest(0, self.clock, until)[0]
            told = self.source.reports
            stamps = np.repeat(told.stamps, np.diff(told.ends, prepend=0))
            self.found += zip(
                stamps.tolist(), told.folios.tolist(), told.latency_ms.tolist(), strict=True
            )

    @property
    def folios(self) -> list[int]:
        return [folio for _, folio, _ in self.found]

    @property
    def asked(self) -> int:
        return self.source.counters["numa_hint_page_cache"]


def swept(nr_pages: int, access_ms: float, folio_pages: int = 1) -> Rates:
    """A file of so many pages, read from begin to end over and over, a page in `access_ms`."""
    table = sweep_table([(0, 8192, folio_pages, nr_pages, 1, 1, 1 / (access_ms * MS))])
    return flat_rates(1 / nr_pages)._replace(sweeps=table)


def is_hot(memory: Memory) -> tuple[bool, bool]:
    """Whether folio 0 was read hot, and again."""
    word = int(memory.folio[0])
    return bool(word & READ_HOT), bool(word & READ_AGAIN)


@pytest.mark.parametrize(("lru", "first"), [("active_inactive", 4), ("mglru", 6)])
def test_from_rest_the_fourth_read_is_hot_and_by_generations_the_sixth(
    lru: str, first: int
) -> None:
    memory = Reader(1, flat_rates(0.0), lru=lru).memory
    seen = []
    for _ in range(first + 2):
        mark_accessed(memory, 0)
        seen.append(is_hot(memory))
    assert seen == [(False, False)] * (first - 1) + [(True, False)] + [(True, True)] * 2


def test_of_a_folio_that_is_active_and_referenced_the_first_read_is_hot() -> None:
    memory = Reader(1, flat_rates(0.0)).memory
    memory.folio[0] |= READY
    mark_accessed(memory, 0)
    assert is_hot(memory) == (True, False)


@pytest.mark.parametrize("kwargs", [{"nid": 0}, {"mapped": True}])
def test_folios_of_the_top_tier_or_mapped_ones_never_ask(kwargs: dict[str, int]) -> None:
    reader = Reader(20, flat_rates(1e-6), **kwargs)  # type: ignore[arg-type]
    reader.run(S)
    assert (reader.found, reader.asked) == ([], 0)
    asks = Reader(20, flat_rates(1e-6))
    asks.run(S)
    assert asks.asked >= 20


def test_nobody_notes_hot_reads_where_no_source_watches() -> None:
    memory = Reader(1, flat_rates(0.0)).memory
    memory.unmapped[:] = 1
    for _ in range(8):
        mark_accessed(memory, 0)
    assert is_hot(memory) == (False, False)


def test_a_file_read_from_begin_to_end_asks_in_its_fourth_pass_with_the_time_since_the_last() -> (
    None
):
    """Four pages, 100 ms each: pass 4 begins at 1200 ms; a look every 50 ms notices."""
    reader = Reader(4, swept(4, 100.0), swept=True)
    reader.run(2400 * MS)
    assert reader.folios == [0, 1, 2, 3] * 3
    assert [late for *_, late in reader.found] == [LONGEST_MS] * 4 + [400] * 8
    stamps = [stamp // MS for stamp, *_ in reader.found]
    assert stamps == [1250 + 100 * k for k in range(12)]
    assert reader.asked == 12
    assert reader.charge[0] == pytest.approx(12 * 46.5)


def test_in_version_2_the_time_was_overwritten_before_it_was_asked_for() -> None:
    reader = Reader(4, swept(4, 100.0), ON._replace(version="v2"), swept=True)
    reader.run(2400 * MS)
    assert [late for *_, late in reader.found] == [0] * 12


def test_a_list_takes_no_more_when_it_is_full_until_the_read_returns() -> None:
    """64 pages in read()s of 16; four of each fit on a list. As many would in one call of all."""
    knobs = ON._replace(promo_list_pages=4, read_kib=64)
    reader = Reader(64, swept(64, 10.0), knobs, swept=True)
    reader.run(4 * 640 * MS)
    assert reader.folios == [call * 16 + page for call in range(4) for page in range(4)]
    whole = Reader(64, swept(64, 10.0), knobs._replace(read_kib=256), swept=True)
    whole.run(4 * 640 * MS)
    assert whole.folios == [0, 1, 2, 3]
    assert whole.asked == 4, "who finds it full does not ask"
    endless = Reader(64, swept(64, 10.0), knobs._replace(version="v2"), swept=True)
    endless.run(4 * 640 * MS)
    assert endless.folios == list(range(63)), "the last one, read at 2550 ms, is noticed later"


def test_a_list_of_no_pages_takes_nothing() -> None:
    reader = Reader(20, flat_rates(1e-6), ON._replace(promo_list_pages=0))
    reader.run(S)
    assert (reader.found, reader.asked) == ([], 0)


def test_what_was_read_while_the_switch_was_off_counts_for_the_state_only() -> None:
    """Pages of 100 ms, four a pass: by 1600 ms all are hot; the next read of page 0 is at 1600."""
    off = PageCacheAccess()
    reader = Reader(4, swept(4, 100.0), off, swept=True)
    reader.run(1600 * MS)
    assert (reader.found, int(reader.memory.looks[0])) == ([], 0), "it looks at nothing"
    reader.source.retune("pagecache_promotion_enabled", True, 1600 * MS)
    reader.run(1800 * MS)
    assert reader.folios == [0, 1]
    reader.source.retune("pagecache_promotion_enabled", False, 1800 * MS)
    reader.run(3000 * MS)
    assert reader.folios == [0, 1]


@pytest.mark.parametrize(
    ("mode", "asks"),
    [("off", False), ("normal", False), ("memory_tiering", True), ("both", True)],
)
def test_nothing_asks_where_numa_balancing_is_without_memory_tiering(mode: str, asks: bool) -> None:
    reader = Reader(4, swept(4, 100.0), swept=True)
    balancing = HintFault(numa_balancing=mode)  # type: ignore[arg-type]
    reader.source.beside = HintFaults(
        balancing, reader.memory, reader.rates, reader.scratch, [], [], reader.charge,
        np.zeros(1, np.int64), np.zeros(1, np.int64),
    )  # fmt: skip
    reader.run(2 * S)
    assert bool(reader.found) == asks


def _by_all(reader: Reader, tau: float) -> None:
    latch(reader.memory, reader.rates, reader.scratch, 0, tau)


def _by_one(reader: Reader, tau: float) -> None:
    for index in range(8):
        latch_one(reader.memory, reader.rates, reader.scratch, index, tau)


@pytest.mark.parametrize("look", [_by_all, _by_one])
def test_who_else_looks_leaves_what_was_read_hot_to_be_noticed(
    look: Callable[[Reader, float], None],
) -> None:
    reader = Reader(8, flat_rates(1.0), sampled=True)
    look(reader, 40.0)  # forty reads each
    assert (reader.memory.folio[:8] & np.uint32(READ_AGAIN)).all()
    reader.source.state.at[:] = [-1, 40, 0, 0, 1]
    reader.run(41)
    assert reader.folios == list(range(8))
    assert not (reader.memory.folio[:8] & np.uint32(READ_HOT | READ_AGAIN)).any()
    assert (reader.memory.folio[:8] & np.uint32(TIMED)).all()


@pytest.mark.parametrize("x", [1.0, 2.0, 4.0])
def test_of_poisson_reads_from_rest_four_or_more_ask(x: float) -> None:
    """In a window of 40 ms in which x reads of a folio are expected."""
    nr = 4000
    reader = Reader(nr, flat_rates(x / (50 * MS)))
    reader.run(51 * MS)
    law = float(stats.poisson.sf(3, x))
    assert stats.binomtest(len(reader.found), nr, law).pvalue > P_THRESHOLD
    third = float(stats.poisson.sf(2, x))  # negative control: as if three were enough
    assert stats.binomtest(len(reader.found), nr, third).pvalue < P_THRESHOLD


def test_by_many_looks_as_many_ask_as_by_one() -> None:
    nr, x = 4000, 3.0
    reader = Reader(nr, flat_rates(x / (400 * MS)), ON._replace(look_ms=20))
    reader.run(401 * MS)
    who = len(set(reader.folios))
    assert stats.binomtest(who, nr, float(stats.poisson.sf(3, x))).pvalue > P_THRESHOLD


@pytest.mark.compiled
@pytest.mark.parametrize(("look_ms", "per_s"), [(10, 2.0), (200, 2.0)])
def test_time_between_two_reads_that_ask_is_exponential(look_ms: int, per_s: float) -> None:
    """The second report of each folio, over ten times that mean; where a look finds two reads the
    report is of the shorter time, so with long looks the law is that of those that take longer."""
    nr = 2000
    reader = Reader(nr, flat_rates(per_s / S), ON._replace(look_ms=look_ms))
    reader.memory.folio[:nr] |= READY
    reader.run(10 * S)
    times: dict[int, list[int]] = {}
    for _, folio, late in reader.found:
        times.setdefault(folio, []).append(late)
    second = np.array([late[1] for late in times.values() if len(late) > 1], np.float64)
    longer = second[second > 2 * look_ms] - 2 * look_ms
    law = stats.expon(scale=1000 / per_s)
    wrong = stats.expon(scale=1300 / per_s)
    assert stats.kstest(longer, law.cdf).pvalue > P_THRESHOLD
    assert stats.kstest(longer, wrong.cdf).pvalue < P_THRESHOLD


def test_reads_that_ask_of_a_folio_that_stays_are_all_counted_in_the_mean() -> None:
    """Nobody migrates: each of some 25 reads a look asks, but in the first look one does."""
    nr, x, looks = 400, 25.0, 10
    reader = Reader(nr, flat_rates(x / (50 * MS)))
    reader.memory.folio[:nr] |= READY
    reader.run(50 * MS * looks + 1)
    each = (reader.asked - nr) / (nr * (looks - 1))
    error = math.sqrt(x / 12 / (nr * (looks - 1)))
    assert each == pytest.approx(x, abs=max(6 * error, 0.05))
