"""Page cache that nobody maps: read twice it is active, else it sinks."""

import math

import numpy as np
import pytest
from scipy import stats

from tests.engine.machines import Layout, flat_memory, flat_rates, laid_out, pace, row_rates
from tiering.demotion.kswapd import Reclaim, first_lists, first_state, sink
from tiering.engine.folios import (
    ACCESSED,
    ACTIVE,
    INACTIVE,
    LIST_MASK,
    LIST_SHIFT,
    PINNED,
    REFERENCED,
    SLOW,
    UNTOUCHED,
    Memory,
)
from tiering.engine.generations import shrink_generations
from tiering.engine.invariants import check_books
from tiering.engine.look import latch
from tiering.engine.page_cache import mark_accessed
from tiering.engine.poisson import two_touches
from tiering.engine.reclaim import MAX_SEQ, MIN_SEQ, shrink
from tiering.engine.sink import Sink, Sunk, sunk
from tiering.engine.sweep import sweep_table
from tiering.engine.touch import scratch

P_THRESHOLD = 1e-4
ROOM = 1 << 20
TOP = np.array([True, False])
STATES = [(INACTIVE, 0), (INACTIVE, 1), (ACTIVE, 0), (ACTIVE, 1)]  # list, referenced


def page_cache(nr: int, nid: int = 0, seed: int = 1, lru: str = "active_inactive") -> Memory:
    """One unmapped VMA on node `nid`, kept by lists or by generations."""
    memory = flat_memory(nr, nid=nid, seed=seed, room=ROOM)
    memory.unmapped[:] = 1
    first_lists(Reclaim(lru=lru), memory)  # type: ignore[arg-type]
    return memory


def state_of(memory: Memory, nr: int) -> np.ndarray:
    """i64[nr] index into STATES of each folio."""
    words = memory.folio[:nr]
    lists = (words & np.uint32(LIST_MASK)) >> np.uint32(LIST_SHIFT)
    return np.asarray(2 * lists + ((words & np.uint32(REFERENCED)) != 0)).astype(np.int64)


def put(memory: Memory, index: int, state: tuple[int, int]) -> None:
    """Bring a new folio into a state by the reads that it takes."""
    for _ in range(STATES.index(state)):
        mark_accessed(memory, index)


def poisson_states(x: float, nr: int) -> np.ndarray:
    """Folios expected in each state after a window of x, new at its begin."""
    law = stats.poisson.pmf([0, 1, 2], x)
    return np.array([*law, 1 - law.sum()]) * nr


def kswapd(memory: Memory, lru: str = "active_inactive") -> tuple[Sink, Sunk]:
    knobs = Reclaim(lru=lru, rmap_ns=100.0, age_ns=10.0, demote_us=1.0)  # type: ignore[arg-type]
    terms = sink(knobs, np.array([0, 1]), np.zeros(2, np.int64), 4.096)
    return terms, sunk(2, np.zeros(1, np.bool_))


def test_reads_of_one_folio_by_hand() -> None:
    """As the comment above folio_mark_accessed has it."""
    memory = page_cache(1)
    seen = [0]
    for _ in range(4):
        mark_accessed(memory, 0)
        seen.append(int(state_of(memory, 1)[0]))
    assert [STATES[one] for one in seen] == [
        (INACTIVE, 0), (INACTIVE, 1), (ACTIVE, 0), (ACTIVE, 1), (ACTIVE, 1),
    ]  # fmt: skip
    assert memory.on_list[0, :2].tolist() == [0, 1]
    assert memory.lists[0, :2].tolist() == [0, 1]


@pytest.mark.parametrize("order", [4, 9])
def test_large_folios_count_with_their_pages_on_the_lists(order: int) -> None:
    memory = laid_out([Layout(20, order, nid=0), Layout(20, order, nid=1)], [ROOM, ROOM])
    memory.unmapped[:] = 1
    first_lists(Reclaim(), memory)
    for granule in range(memory.nr.size):
        latch(memory, row_rates([40.0, 40.0]), scratch(), granule, 1.0)
    check_books(memory, np.full(2, ROOM), TOP)
    assert memory.on_list[:, ACTIVE].tolist() == [20 << order, 20 << order]


@pytest.mark.parametrize("nid", [0, 1])
@pytest.mark.parametrize("x", [0.5, 1.0, 2.0])
def test_states_after_a_window_follow_the_number_of_reads(x: float, nid: int) -> None:
    nr = 8192
    memory = page_cache(nr, nid=nid)
    latch(memory, flat_rates(x), scratch(), 0, 1.0)
    counts = np.bincount(state_of(memory, nr), minlength=4)
    assert stats.chisquare(counts, poisson_states(x, nr)).pvalue > P_THRESHOLD
    assert stats.chisquare(counts, poisson_states(1.1 * x, nr)).pvalue < P_THRESHOLD
    check_books(memory, np.full(2, ROOM), TOP)
    assert not (memory.folio & np.uint32(ACCESSED)).any()  # there is no PTE


@pytest.mark.parametrize(
    ("x", "p"), [(0.5, 0.090204), (1, 0.264241), (2, 0.593994), (4, 0.908422), (8, 0.996981)]
)
def test_o4_a_folio_is_active_after_two_reads_in_the_window(x: float, p: float) -> None:
    nr = 8192
    memory = page_cache(nr, seed=4)
    latch(memory, flat_rates(x), scratch(), 0, 1.0)
    active = int(memory.on_list[0, ACTIVE])
    assert two_touches(x) == pytest.approx(p, abs=5e-7)
    assert stats.binomtest(active, nr, p).pvalue > P_THRESHOLD
    once = -math.expm1(-x)  # negative control: as if one read were enough
    assert stats.binomtest(active, nr, once).pvalue < P_THRESHOLD


def test_many_looks_find_the_reads_of_one() -> None:
    nr = 8192
    memory, buffers = page_cache(nr), scratch()
    for tau in np.arange(0.125, 1.01, 0.125):
        latch(memory, flat_rates(1.5), buffers, 0, float(tau))
    counts = np.bincount(state_of(memory, nr), minlength=4)
    assert stats.chisquare(counts, poisson_states(1.5, nr)).pvalue > P_THRESHOLD


def test_who_was_read_is_who_would_have_been_touched() -> None:
    """Mapped or not, the touches are the same."""
    unmapped, mapped = page_cache(2000), page_cache(2000)
    mapped.unmapped[:] = 0
    for memory in (unmapped, mapped):
        memory.folio[:2000] |= np.uint32(UNTOUCHED)
        latch(memory, flat_rates(0.7), scratch(), 0, 1.0)
    touched = (mapped.folio & np.uint32(ACCESSED)) != 0
    assert np.array_equal(state_of(unmapped, 2000) > 0, touched[:2000])
    assert np.array_equal(
        (unmapped.folio & np.uint32(UNTOUCHED)) == 0, touched | (mapped.folio == 0)
    )
    assert mapped.on_list[0].tolist() == [2000, 0, 0, 0]


def test_files_read_from_begin_to_end_need_a_second_pass() -> None:
    """Four folios of 16 pages, a page read in 8 pieces: pieces and pages are no further reads."""
    passes = 4 * 16 * 8
    for nr_passes, state in ((1, (INACTIVE, 1)), (2, (ACTIVE, 0)), (3, (ACTIVE, 1))):
        memory = page_cache(4)
        memory.sweep[:] = 0
        rates = flat_rates(1 / 4)._replace(sweeps=sweep_table([(0, 512, 16, 64, 1, 8, 1.0)]))
        latch(memory, rates, scratch(), 0, float(nr_passes * passes - 300))
        latch(memory, rates, scratch(), 0, float(nr_passes * passes))
        assert [STATES[one] for one in state_of(memory, 4)] == [state] * 4


def test_reclaim_takes_inactive_page_cache_referenced_or_not() -> None:
    memory = page_cache(8)
    for index, state in enumerate(STATES * 2):
        put(memory, index, state)
    free = int(memory.free[0])
    terms, books = kswapd(memory)
    clock = shrink(
        memory, flat_rates(0.0), scratch(), 0, first_state(1)[0], 0, 10**9, pace(), free + 4,
        terms, books,
    )  # fmt: skip
    sunken = (memory.folio[:8] & np.uint32(SLOW)) != 0
    assert sunken.tolist() == [True, True, False, False] * 2
    assert not (memory.folio[:8] & np.uint32(REFERENCED))[sunken].any()
    assert clock == 4 * (100 + 1000 + 1000) + 4 * 100  # look, folio, copy; 4 active ones looked at
    check_books(memory, np.full(2, ROOM), TOP)


def test_mapped_folios_that_were_referenced_are_spared_where_page_cache_is_not() -> None:
    """The negative control of the case above: with a PTE the same accesses keep all four."""
    memory = page_cache(4)
    memory.unmapped[:] = 0
    memory.folio[:4] |= np.uint32(ACCESSED)
    terms, books = kswapd(memory)
    shrink(
        memory, flat_rates(0.0), scratch(), 0, first_state(1)[0], 0, 250, pace(), ROOM, terms, books
    )
    assert books.pages[0] == 0
    assert [STATES[one] for one in state_of(memory, 4)] == [(INACTIVE, 1)] * 4


def test_a_deactivated_folio_that_was_read_again_is_one_read_from_active() -> None:
    """Deactivation leaves the referenced flag: shrink_active_list finds no PTE to ask."""
    memory = page_cache(2)
    put(memory, 0, (ACTIVE, 0))
    put(memory, 1, (ACTIVE, 1))
    terms, books = kswapd(memory)
    state = first_state(1)[0]
    shrink(
        memory, flat_rates(0.0), scratch(), 0, state, 0, 1, pace(), int(memory.free[0]) + 1,
        terms, books,
    )  # fmt: skip
    assert [STATES[one] for one in state_of(memory, 2)] == [(INACTIVE, 0), (INACTIVE, 1)]
    mark_accessed(memory, 0)
    mark_accessed(memory, 1)
    assert [STATES[one] for one in state_of(memory, 2)] == [(INACTIVE, 1), (ACTIVE, 0)]


def test_what_cannot_sink_has_lost_its_reference() -> None:
    memory = page_cache(1)
    memory.folio[0] |= np.uint32(PINNED)
    put(memory, 0, (INACTIVE, 1))
    terms, books = kswapd(memory)
    shrink(
        memory, flat_rates(0.0), scratch(), 0, first_state(1)[0], 0, 10**9, pace(), ROOM,
        terms, books,
    )  # fmt: skip
    assert books.failed[0] > 0
    assert STATES[state_of(memory, 1)[0]] == (INACTIVE, 0)


def test_generations_do_not_remember_reads() -> None:
    """No aging of what is in no page table, and its generation sinks however often it was read."""
    memory = page_cache(4, lru="mglru")
    memory.folio[:4] |= np.uint32(3 << LIST_SHIFT)
    memory.on_list[0] = memory.lists[0] = [0, 0, 0, 4]
    latch(memory, flat_rates(50.0), scratch(), 0, 1.0)
    check_books(memory, np.full(2, ROOM), TOP)
    assert memory.on_list[0].tolist() == [0, 0, 0, 4]
    terms, books = kswapd(memory, "mglru")
    state = first_state(1)[0]
    state[MIN_SEQ], state[MAX_SEQ] = 3, 3
    clock = shrink_generations(
        memory, flat_rates(50.0), scratch(), 0, state, 0, 10**9, pace(1.0), int(memory.free[0]) + 4,
        terms, books,
    )  # fmt: skip
    assert books.pages[0] == 4
    assert clock == 4 * (100 + 1000 + 1000)  # two agings cost nothing
