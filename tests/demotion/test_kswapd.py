import numpy as np
import pytest

from tests.engine.machines import Layout, laid_out
from tiering.demotion.kswapd import Reclaim, first_lists, first_state, marks, sink
from tiering.engine.folios import AS_IT_IS
from tiering.engine.reclaim import AGE_HAND, MAX_SEQ, MIN_SEQ

GIB = 1024 * 256  # pages
TWO = np.array([64 * GIB, 64 * GIB])
TOP = np.array([True, False])
GAP = 64 * GIB // 1000


def test_kswapd_wakes_at_low_and_sleeps_at_high() -> None:
    found = marks(Reclaim(), TWO, TOP)
    assert found.wake.tolist() == found.low.tolist()
    assert found.wanted.tolist() == found.high.tolist()
    assert (found.high - found.low).tolist() == [GAP, GAP]


def test_in_tiering_mode_it_sleeps_at_promo() -> None:
    found = marks(Reclaim(tiering_mode=True), TWO, TOP)
    assert found.wake.tolist() == found.low.tolist()
    assert found.wanted.tolist() == found.promo.tolist()
    assert (found.promo - found.high).tolist() == [GAP, GAP]


@pytest.mark.parametrize("tiering_mode", [False, True])
def test_tpp_keeps_two_hundredths_of_the_top_tier_free(tiering_mode: bool) -> None:
    found = marks(Reclaim(demote_scale_factor=200, tiering_mode=tiering_mode), TWO, TOP)
    room = 64 * GIB * 2 // 100
    assert (found.wake[0], found.wanted[0]) == (room, room)
    usual = found.promo if tiering_mode else found.high
    assert (found.wake[1], found.wanted[1]) == (found.low[1], usual[1])


def test_a_head_room_below_the_watermarks_changes_nothing() -> None:
    plain, little = (marks(Reclaim(demote_scale_factor=n), TWO, TOP) for n in (0, 1))
    assert little.wake.tolist() == plain.wake.tolist()
    assert little.wanted.tolist() == plain.wanted.tolist()


def test_folios_sink_to_the_next_lower_tier_first_and_to_the_nearest_node_of_it() -> None:
    """Two sockets with a CXL card each, and a slow node for all."""
    tiers, reserve = np.array([0, 0, 1, 1, 2]), np.zeros(5, np.int64)
    found = sink(Reclaim(), tiers, reserve, 10.6)
    assert found.targets.tolist() == [
        [2, 3, 4, -1, -1],
        [2, 3, 4, -1, -1],
        [4, -1, -1, -1, -1],
        [4, -1, -1, -1, -1],
        [-1] * 5,
    ]
    assert found.slow.tolist() == [0, 0, 1, 1, 1]


def test_distance_is_by_node_number() -> None:
    """Node 3 of the top tier is nearer to node 2 than to node 0."""
    found = sink(Reclaim(), np.array([1, 0, 1, 0]), np.zeros(4, np.int64), 10.6)
    assert found.targets[3].tolist() == [2, 0, -1, -1]
    assert found.targets[1].tolist() == [0, 2, -1, -1]


def test_units_of_the_knobs_become_those_of_the_loops() -> None:
    found = sink(
        Reclaim(demote_us=2.5, ping_pong_s=0.5), np.array([0, 1]), np.zeros(2, np.int64), 8.0
    )
    assert (found.folio_ns, found.again_ns, found.bytes_per_ns) == (2500.0, 500_000_000, 8.0)


def test_by_lists_a_folio_that_moves_stays_on_its_list() -> None:
    memory = laid_out([Layout(1)], [8192, 8192])
    first_lists(Reclaim(), memory)
    assert memory.entry.tolist() == [AS_IT_IS, AS_IT_IS]


def test_by_generations_folios_begin_in_the_youngest_on_every_node() -> None:
    """A middle tier has a kswapd too: what is first touched there is not its oldest."""
    memory = laid_out([Layout(1)], [8192, 8192, 8192])
    first_lists(Reclaim(lru="mglru"), memory)
    (state,) = first_state(1)
    assert (state[MIN_SEQ], state[MAX_SEQ], state[AGE_HAND]) == (0, 3, -1)
    assert memory.entry.tolist() == [state[MAX_SEQ]] * 3
