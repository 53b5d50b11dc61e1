from math import isqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.machines import Layout, pace
from tests.engine.reclaiming import COPY_NS, DEMOTE_NS, RMAP_NS, Patient, patient
from tiering.engine.folios import (
    ACCESSED,
    ACTIVE,
    AS_IT_IS,
    GRANULE,
    IDLE,
    INACTIVE,
    PINNED,
    REFERENCED,
    UNTOUCHED,
    YOUNG,
)
from tiering.engine.migrate import STAMP_NS, stamp_of
from tiering.engine.reclaim import ACTIVE_HAND, HAND, IDLE_STEPS, inactive_is_low

ROOM = [100, 1000, 1000]
GIB = 1024 * 256  # pages


def four(**changes: object) -> Patient:
    """Four folios on the top tier of 100 pages, in one granule."""
    one = patient([Layout(4, 0, nid=0)], ROOM, **changes)  # type: ignore[arg-type]
    one.memory.entry[:] = AS_IT_IS
    return one


def flags(one: Patient, index: int) -> int:
    return int(one.memory.folio[index]) & (ACCESSED | YOUNG | IDLE | REFERENCED | UNTOUCHED)


def test_unreferenced_folios_are_demoted_until_enough_is_free() -> None:
    one = four()
    clock = one.shrink(wanted=98)
    assert one.nids(0, 4) == [1, 1, 0, 0]
    assert one.memory.free.tolist() == [98, 998, 1000]
    assert one.sunk.scanned[0] == 2, "nobody looks at more than is needed"
    assert clock == 2 * (RMAP_NS + DEMOTE_NS + COPY_NS)
    assert one.sunk.dirty.tolist() == [True]
    assert one.shrink(wanted=98, clock=77) == 77, "enough is free"


def test_a_large_folio_is_demoted_whole_and_copied_whole() -> None:
    one = patient([Layout(3, 9, nid=0)], [2000, 2000, 2000])
    clock = one.shrink(wanted=2000 - 3 * 512 + 1)
    assert one.nids(0, 3) == [1, 0, 0]
    assert one.sunk.pages[0] == 512
    assert clock == RMAP_NS + DEMOTE_NS + 512 * COPY_NS


@pytest.mark.parametrize("seen", [ACCESSED, YOUNG, ACCESSED | IDLE, YOUNG | IDLE])
def test_a_folio_that_was_referenced_once_is_kept(seen: int) -> None:
    one = four()
    one.memory.folio[1] |= np.uint32(seen)
    assert one.round() == 4 * RMAP_NS + 3 * (DEMOTE_NS + COPY_NS)
    assert one.nids(0, 4) == [1, 0, 1, 1]
    idle = IDLE if seen & ACCESSED == 0 and seen & IDLE else 0
    assert flags(one, 1) == REFERENCED | idle, "idle goes with the accessed bit, not with young"
    assert one.lists(1, 1) == [INACTIVE]


def test_a_kept_folio_is_activated_at_the_second_reference_and_demoted_without() -> None:
    one = four()
    one.memory.folio[:2] |= np.uint32(ACCESSED)
    clock = one.round()
    one.memory.folio[1] |= np.uint32(ACCESSED)
    clock = one.shrink(wanted=99, clock=clock, until=clock + 1)
    assert one.nids(0, 2) == [1, 0]
    assert flags(one, 0) == 0, "demoted, nothing is left of the first reference"
    assert one.memory.free[0] == 99


def test_a_folio_referenced_twice_becomes_active() -> None:
    """Of twenty: one active among nineteen inactive ones is not too many."""
    one = patient([Layout(20, 0, nid=0)], ROOM)
    one.memory.folio[:20] |= np.uint32(ACCESSED)
    clock = one.round()
    assert [flags(one, i) for i in range(20)] == [REFERENCED] * 20
    one.memory.folio[:20] |= np.uint32(ACCESSED * np.eye(20, dtype=np.uint32)[3])
    one.memory.folio[:3] |= np.uint32(ACCESSED)
    one.sink = one.sink._replace(reserve=np.array([0, 1000, 1000], np.int64))  # nowhere to go
    one.round(clock)
    assert one.lists(0, 6) == [ACTIVE] * 4 + [INACTIVE] * 2
    assert flags(one, 3) == REFERENCED, "the flag of the second reference stays"
    assert one.memory.on_list[0].tolist() == [16, 4, 0, 0]


def test_a_folio_that_was_active_becomes_so_again_at_one_reference() -> None:
    """Deactivation leaves the referenced flag, so what was activated once is half way back."""
    one = patient([Layout(20, 0, nid=0)], ROOM)
    one.memory.folio[:20] |= np.uint32(REFERENCED)
    one.put(list(range(20)), ACTIVE)
    clock = one.round()
    assert one.lists(0, 20) == [INACTIVE] * 20
    assert [flags(one, i) for i in range(20)] == [REFERENCED] * 20
    one.memory.folio[7] |= np.uint32(ACCESSED)
    one.sink = one.sink._replace(reserve=np.array([0, 1000, 1000], np.int64))  # nowhere to go
    one.round(clock)
    assert one.lists(0, 20) == [INACTIVE] * 7 + [ACTIVE] + [INACTIVE] * 12
    assert one.sunk.failed[0] == 19, "the flag alone saves nobody"


def test_an_idle_flag_alone_saves_nobody() -> None:
    one = four()
    one.memory.folio[:4] |= np.uint32(IDLE | REFERENCED)
    one.shrink(wanted=100)
    assert one.nids(0, 4) == [1] * 4


def test_an_active_folio_is_not_demoted_before_it_was_deactivated() -> None:
    """One active beside one inactive is in balance; without inactive ones it is not."""
    one = patient([Layout(2, 0, nid=0)], ROOM)
    one.put([0], ACTIVE)
    one.round()
    assert one.nids(0, 2) == [0, 1]
    assert one.lists(0, 1) == [INACTIVE], "deactivated, since no inactive one is left"
    one.round()
    assert one.nids(0, 2) == [1, 1]


def test_deactivation_clears_the_accessed_bit_and_gives_no_second_chance() -> None:
    one = four()
    one.memory.folio[:4] |= np.uint32(ACCESSED | YOUNG)
    one.put([0, 1, 2, 3], ACTIVE)
    assert one.round() == 4 * RMAP_NS
    assert one.lists(0, 4) == [INACTIVE] * 4
    assert [flags(one, i) for i in range(4)] == [0] * 4
    assert one.sunk.scanned[0] == 4


def test_deactivation_stops_with_the_granule_that_restores_the_balance() -> None:
    one = patient([Layout(3 * GRANULE, 0, nid=0)], [3 * GRANULE] * 3)
    one.put(list(range(3 * GRANULE)), ACTIVE)
    one.round()
    assert one.memory.lists[:, ACTIVE].tolist() == [0, 0, GRANULE]
    assert (one.state[HAND], one.state[ACTIVE_HAND]) == (1, 2)


@pytest.mark.parametrize(
    ("gib", "ratio"), [(0.5, 1), (1, 3), (2, 4), (10, 10), (64, 25), (100, 31), (1024, 101)]
)
@pytest.mark.parametrize("order", [0, 9])
def test_inactive_is_low_by_the_square_root_of_ten_gib(gib: float, ratio: int, order: int) -> None:
    """Pages count, not folios."""
    one = patient([Layout(1, order, nid=0)], [4096] * 3)
    total = round(gib * GIB)
    border = total // (ratio + 1)  # inactive ratio < active
    for inactive, low in ((border - 1, True), (border + 1, False)):
        one.memory.on_list[0] = [inactive, total - inactive, 0, 0]
        assert bool(inactive_is_low(one.memory, 0)) == low
    assert ratio == max(isqrt(10 * int(gib)), 1)


def test_lists_of_large_folios_are_measured_in_pages() -> None:
    """4 inactive pages of order 0 against 2 active folios of 512: deactivation, though 4 > 2."""
    one = patient([Layout(4, 0, nid=0), Layout(2, 9, nid=0)], [2000] * 3)
    one.put([GRANULE, GRANULE + 1], ACTIVE)
    assert one.memory.on_list[0].tolist() == [4, 1024, 0, 0]
    assert inactive_is_low(one.memory, 0)


def test_without_room_below_a_demotion_fails_and_the_folio_stays() -> None:
    one = four(reserve=(0, 999, 999))
    one.memory.folio[0] |= np.uint32(REFERENCED | UNTOUCHED)
    one.shrink(wanted=100, until=1)
    assert one.nids(0, 4) == [1, 2, 0, 0]
    assert one.sunk.failed[0] == 2
    assert one.memory.free.tolist() == [98, 999, 999]
    one = four(reserve=(0, 1000, 1000))
    one.memory.folio[0] |= np.uint32(REFERENCED | UNTOUCHED)
    one.shrink(wanted=100, until=1)
    assert flags(one, 0) == UNTOUCHED, "its reference is used up by the look"
    assert one.sunk.untouched[0] == 0


def test_pinned_folios_are_never_demoted() -> None:
    one = four()
    one.memory.folio[1] |= np.uint32(PINNED)
    one.shrink(wanted=100)
    assert one.nids(0, 4) == [1, 0, 1, 1]
    assert one.sunk.failed[0] >= 1
    assert one.sunk.pages[0] == 3


@pytest.mark.parametrize("mglru", [False, True])
def test_pinned_folios_at_the_begin_of_a_granule_keep_nobody_behind_them(mglru: bool) -> None:
    """Two pages are wanted and the first three folios are pinned."""
    one = patient([Layout(8, 0, nid=0)], ROOM, mglru=mglru)
    one.memory.folio[:3] |= np.uint32(PINNED)
    one.shrink(wanted=94)
    assert one.nids(0, 8) == [0, 0, 0, 1, 1, 0, 0, 0]
    assert one.sunk.failed[0] == 3


def test_a_full_tier_is_passed_over_for_the_next_one_below() -> None:
    one = four(reserve=(0, 998, 0))
    one.shrink(wanted=100)
    assert one.nids(0, 4) == [1, 1, 2, 2]
    assert one.sunk.to_nid.tolist() == [0, 2, 2]


def test_a_middle_tier_sinks_to_the_lowest_and_leaves_the_top_tier_alone() -> None:
    one = patient([Layout(3, 0, nid=0), Layout(3, 0, nid=1)], ROOM, nid=1)
    one.shrink(wanted=1000)
    assert one.nids(0, 3) == [0] * 3
    assert one.nids(GRANULE, 3) == [2] * 3
    assert one.sunk.from_nid.tolist() == [0, 3, 0]


def test_two_nodes_of_the_top_tier_have_lists_of_their_own() -> None:
    one = patient([Layout(3, 0, nid=0), Layout(3, 0, nid=1)], ROOM, tiers=(0, 0, 1), nid=1)
    one.shrink(wanted=1000)
    assert one.nids(0, 3) == [0] * 3
    assert one.nids(GRANULE, 3) == [2] * 3


def test_the_lowest_tier_has_nowhere_to_sink_to() -> None:
    one = patient([Layout(3, 0, nid=2)], ROOM, nid=2)
    one.shrink(wanted=1000)
    assert one.nids(0, 3) == [2] * 3
    assert one.sunk.failed[0] == 6, "two rounds"


def test_two_rounds_without_a_demotion_end_the_search() -> None:
    one = patient([Layout(2 * GRANULE + 5, 0, nid=0)], [3 * GRANULE] * 3)
    one.memory.folio[:] |= np.uint32(PINNED)
    clock = one.shrink(wanted=3 * GRANULE)
    assert one.state[IDLE_STEPS] == 2 * 3
    nr = 2 * GRANULE + 5
    assert clock == 2 * nr * (RMAP_NS + DEMOTE_NS)
    assert one.sunk.failed[0] == 2 * nr
    assert one.shrink(wanted=3 * GRANULE, clock=5) == 5, "until somebody resets the count"


def test_an_empty_node_ends_the_search_at_once() -> None:
    one = patient([Layout(3, 0, nid=1)], ROOM)
    assert one.shrink(wanted=101) == 0


@pytest.mark.parametrize("promoted", [0, 1, 65_534, 65_535, 65_536, 100_000])
@pytest.mark.parametrize(("later", "again"), [(0, 1), (1, 1), (100, 1), (101, 0), (5000, 0)])
def test_a_demotion_within_ten_seconds_of_the_promotion_is_ping_pong(
    promoted: int, later: int, again: int
) -> None:
    """In tenths of a second; stamps wrap after 6,553.5 s."""
    one = four(stamps=True)
    one.memory.stamp[2] = stamp_of(promoted * STAMP_NS + 1)
    one.shrink(wanted=100, clock=(promoted + later) * STAMP_NS + 2)
    assert one.sunk.again[0] == again
    assert one.memory.stamp[2] == 0
    assert one.sunk.pages[0] == 4


def test_pages_of_a_folio_that_rose_for_nothing_are_counted() -> None:
    one = patient([Layout(2, 4, nid=0)], [64] * 3, stamps=True)
    one.memory.folio[:2] |= np.uint32(UNTOUCHED)
    one.memory.folio[1] |= np.uint32(YOUNG)  # seen touched long ago, before its promotion
    one.memory.stamp[:2] = 1
    one.shrink(wanted=48)
    assert one.sunk.untouched[0] == one.sunk.again[0] == 16
    assert flags(one, 0) == 0


def test_what_was_touched_since_the_promotion_did_not_rise_for_nothing() -> None:
    one = four(share=1e9)
    one.pace = pace(1.0)
    one.memory.folio[:4] |= np.uint32(UNTOUCHED)
    one.shrink(wanted=1000, clock=10, until=11)
    assert [flags(one, i) for i in range(4)] == [REFERENCED] * 4
    assert one.sunk.pages[0] == 0


LAYOUT = [Layout(40, 0, nid=0), Layout(9, 4, nid=0), Layout(5, 9, nid=0), Layout(20, 0, nid=1)]
PLACES = np.concatenate([np.arange(vma.nr_folios) + i * GRANULE for i, vma in enumerate(LAYOUT)])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_books_balance_whatever_the_folios_are(seed: int, mglru: bool) -> None:
    """Random flags and lists, three nodes, touches that go on, pieces of random length."""
    random = np.random.default_rng(seed)
    room = [5000, int(random.integers(100, 3000)), int(random.integers(1, 3000))]
    one = patient(LAYOUT, room, mglru=mglru, stamps=True, share=float(random.choice([0, 1e-6])))
    one.pace = pace(0.01)
    for flag in (ACCESSED, YOUNG, IDLE, REFERENCED, PINNED, UNTOUCHED):
        chosen = PLACES[random.random(PLACES.size) < random.random()]
        one.memory.folio[chosen] |= np.uint32(flag)
    if not mglru:
        one.put(PLACES[random.random(PLACES.size) < random.random()].tolist(), ACTIVE)
    pinned = one.memory.folio[PLACES] & np.uint32(PINNED) != 0
    before = one.nids(0, one.memory.folio.size)
    clock, wanted, resident = 0, int(random.integers(1000, 5001)), one.memory.resident.copy()
    for _ in range(30):
        clock = one.shrink(wanted, clock, clock + int(random.integers(1, 10**7)))
        assert (one.memory.free >= 0).all()
        assert (one.memory.resident.sum(axis=1) == resident.sum(axis=1)).all()
    after = np.array(one.nids(0, one.memory.folio.size))[PLACES]
    assert (after >= np.array(before)[PLACES]).all(), "nothing rises"
    assert (after[pinned] == np.array(before)[PLACES][pinned]).all()
    assert one.memory.free[0] >= wanted or one.state[IDLE_STEPS] > 0
    assert one.sunk.pages[0] == (resident[:, 0] - one.memory.resident[:, 0]) @ one.memory.pages
