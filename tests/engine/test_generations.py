import numpy as np
import pytest

from tests.engine.machines import Layout, pace
from tests.engine.reclaiming import AGE_NS, COPY_NS, DEMOTE_NS, FOREVER, RMAP_NS, Patient, patient
from tiering.engine.folios import (
    ACCESSED,
    GRANULE,
    IDLE,
    NR_LISTS,
    PINNED,
    REFERENCED,
    UNTOUCHED,
    YOUNG,
    move,
)
from tiering.engine.generations import AGINGS
from tiering.engine.reclaim import AGE_HAND, HAND, IDLE_STEPS, MAX_SEQ, MIN_SEQ

ROOM = [100, 1000, 1000]


def four(**changes: object) -> Patient:
    """Four folios on the top tier of 100 pages, in generation 3, the youngest."""
    return patient([Layout(4, 0, nid=0)], ROOM, mglru=True, **changes)  # type: ignore[arg-type]


def seqs(one: Patient) -> tuple[int, int]:
    return int(one.state[MIN_SEQ]), int(one.state[MAX_SEQ])


def test_new_folios_are_demoted_after_two_agings_and_not_before() -> None:
    """Generation 3 is the oldest of three when the youngest is 5."""
    one = four()
    clock = one.shrink(wanted=98)
    assert seqs(one) == (3, 5)
    assert one.nids(0, 4) == [1, 1, 0, 0]
    assert clock == 2 * 4 * AGE_NS + 2 * (RMAP_NS + DEMOTE_NS + COPY_NS)
    assert one.sunk.scanned[0] == 2 * 4 + 2


def test_a_granule_is_aged_in_one_step_and_a_generation_begins_after_the_last() -> None:
    one = patient([Layout(GRANULE + 3, 0, nid=0)], [2 * GRANULE] * 3, mglru=True)
    clock = one.round(wanted=2 * GRANULE)
    assert clock == GRANULE * AGE_NS
    assert (one.state[AGE_HAND], seqs(one)) == (1, (2, 3))
    assert one.memory.entry[0] == 3
    assert one.round(clock, wanted=2 * GRANULE) == clock + 3 * AGE_NS
    assert (one.state[AGE_HAND], seqs(one)) == (-1, (2, 4))
    assert one.memory.entry.tolist() == [4 % NR_LISTS, 3, 3], "of the node alone"


def test_what_aging_finds_accessed_joins_the_youngest_generation() -> None:
    one = four()
    one.put([0, 1], 2)
    one.memory.folio[[1, 2]] |= np.uint32(ACCESSED | IDLE)
    one.memory.folio[3] |= np.uint32(YOUNG)
    one.round()
    assert one.lists(0, 4) == [2, 3, 3, 3]
    assert not (one.memory.folio[:4] & np.uint32(ACCESSED | IDLE | YOUNG)).any()
    assert one.memory.on_list[0].tolist() == [0, 0, 1, 3]
    assert one.memory.lists[0].tolist() == [0, 0, 1, 3]


def test_no_aging_while_there_are_three_generations() -> None:
    one = four()
    one.state[[MIN_SEQ, MAX_SEQ]] = 4, 6
    one.put([0], 0)  # 4 mod 4: the oldest
    one.put([1, 2], 1)
    one.put([3], 2)
    one.shrink(wanted=97)
    assert one.nids(0, 4) == [1, 0, 0, 0]
    assert seqs(one) == (4, 6)
    assert one.state[AGE_HAND] == -1


def test_an_empty_oldest_generation_is_given_up() -> None:
    one = four()
    one.state[[MIN_SEQ, MAX_SEQ]] = 4, 7
    one.put([0, 1, 2, 3], 1)  # 5
    one.shrink(wanted=97)
    assert seqs(one) == (5, 7)
    assert one.nids(0, 4) == [1, 0, 0, 0]


def test_a_folio_of_the_oldest_generation_that_was_accessed_joins_the_youngest() -> None:
    one = four()
    one.state[[MIN_SEQ, MAX_SEQ]] = 4, 6
    one.put([0, 1], 0)
    one.put([2, 3], 1)
    one.memory.folio[0] |= np.uint32(ACCESSED | UNTOUCHED)
    clock = one.shrink(wanted=97)
    assert one.nids(0, 4) == [0, 1, 0, 0]
    assert one.lists(0, 1) == [6 % NR_LISTS]
    assert clock == 2 * RMAP_NS + DEMOTE_NS + COPY_NS


def test_a_second_chance_by_the_lists_means_nothing_here() -> None:
    one = four()
    one.state[[MIN_SEQ, MAX_SEQ]] = 4, 6
    one.put([0, 1, 2, 3], 0)
    one.memory.folio[:4] |= np.uint32(REFERENCED | IDLE)
    one.shrink(wanted=100)
    assert one.nids(0, 4) == [1] * 4


def test_demoted_folios_are_in_the_generation_that_their_new_node_says() -> None:
    one = four()
    one.memory.entry[1] = 2
    one.shrink(wanted=100)
    assert one.lists(0, 4) == [2] * 4
    assert one.memory.on_list[1].tolist() == [0, 0, 4, 0]
    assert one.memory.on_list[0].sum() == 0


def test_large_folios_are_aged_page_by_page_and_demoted_whole() -> None:
    one = patient([Layout(3, 4, nid=0)], [64] * 3, mglru=True)
    clock = one.shrink(wanted=17)
    assert clock == 2 * 3 * 16 * AGE_NS + RMAP_NS + DEMOTE_NS + 16 * COPY_NS
    assert one.nids(0, 3) == [1, 0, 0]


def test_a_middle_tier_has_generations_of_its_own() -> None:
    vmas = [Layout(3, 0, nid=0), Layout(3, 0, nid=1), Layout(3, 0, nid=2)]
    one = patient(vmas, ROOM, mglru=True, nid=1)
    one.shrink(wanted=999)
    assert one.nids(0, 3) == [0] * 3
    assert one.nids(GRANULE, 3) == [2, 2, 1]
    assert one.memory.on_list[0].tolist() == [0, 0, 0, 3]


def test_the_hand_goes_on_where_it_stopped() -> None:
    one = patient([Layout(3 * GRANULE, 0, nid=0)], [3 * GRANULE] * 3, mglru=True)
    one.state[[MIN_SEQ, MAX_SEQ, HAND]] = 3, 5, 1
    one.shrink(wanted=GRANULE + 5)
    assert one.nids(GRANULE, GRANULE) == [1] * GRANULE
    assert one.nids(2 * GRANULE, 6) == [1] * 5 + [0]
    assert one.memory.lists[:, 3].tolist() == [GRANULE, 0, GRANULE - 5]


@pytest.mark.parametrize("nr_more", [0, 3])
def test_folios_that_are_always_accessed_end_the_search(nr_more: int) -> None:
    """Aging would go on for ever: whoever allocates waits for the end of it."""
    vmas = [Layout(4, 0, nid=0)] + [Layout(1, 0, nid=1)] * nr_more
    one = patient(vmas, ROOM, mglru=True, share=1e12)
    one.pace = pace(1e6)
    assert one.shrink(wanted=98, clock=1, until=FOREVER) == 1 + AGINGS * 4 * AGE_NS
    assert one.state[IDLE_STEPS] >= 2 * one.memory.nr.size
    assert one.nids(0, 4) == [0] * 4


def test_a_node_without_folios_ends_the_search() -> None:
    one = patient([Layout(4, 0, nid=1)], ROOM, mglru=True)
    assert one.shrink(wanted=101) == 0
    assert one.state[IDLE_STEPS] >= 2 * one.memory.nr.size


def test_pinned_folios_end_the_search() -> None:
    one = four()
    one.memory.folio[:4] |= np.uint32(PINNED)
    one.shrink(wanted=100)
    assert one.sunk.failed[0] == 2 * 4, "two rounds"
    assert one.state[IDLE_STEPS] >= 2


def test_a_search_that_was_given_up_can_begin_again() -> None:
    one = four(share=1e12)
    one.pace = pace(1e6)
    clock = one.shrink(wanted=98, clock=1)
    one.pace = pace(0.0)
    one.pace.tau[:] = 1e15
    one.state[IDLE_STEPS] = 0
    one.shrink(wanted=98, clock=clock)
    assert one.memory.free[0] == 98


def test_generations_never_number_more_than_four() -> None:
    one = patient([Layout(500, 0, nid=0)], [500] * 3, mglru=True, share=1e-4)
    one.pace = pace(1.0)
    random, clock, seen = np.random.default_rng(3), 0, set()
    for _ in range(200):
        clock = one.shrink(int(random.integers(1, 120)), clock, clock + 1000) + 1000
        lowest, highest = seqs(one)
        seen.add(highest - lowest + 1)
        if random.random() < 0.2:
            _back_to_the_top(one)
    assert seen <= {2, 3, 4}
    assert one.state[MAX_SEQ] > 6, "it aged again and again"


def _back_to_the_top(one: Patient) -> None:
    for index in np.flatnonzero(np.array(one.nids(0, 500)) == 1)[:50].tolist():
        move(one.memory, index, 0, 0)
    one.check()
