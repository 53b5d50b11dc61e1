import numpy as np
import pytest

from tests.engine.machines import flat_memory
from tiering.engine.folios import SLOW
from tiering.migration.queue import Migration, MigrationQueue

FOREVER = 2**62
DEFAULTS = Migration()
V0_IN_SITU = Migration(batch_us=0.0, folio_us=5.34 - 4096 / 10.6e3, copy_gb_s=10.6)


def queue(nr: int, knobs: Migration = DEFAULTS, room: int = 1 << 30) -> MigrationQueue:
    migration = MigrationQueue(knobs, flat_memory(nr, room=max(room, nr)), 2)
    migration.memory.free[0] = room
    return migration


def folios(nr: int) -> np.ndarray:
    return np.arange(nr, dtype=np.uint32)


def test_every_candidate_with_room_is_moved() -> None:
    migration = queue(100)
    migration.add(folios(100))
    migration.drain(0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 100
    assert not (migration.memory.folio[:100] & np.uint32(SLOW)).any()
    assert migration.memory.resident.tolist() == [[100, 0]]
    assert migration.memory.nr_slow[0] == 0


def test_8_gib_at_5_34_us_a_folio_take_11_s_of_the_owners_clock() -> None:
    nr = 2_097_152
    migration = queue(nr, V0_IN_SITU)
    migration.add(folios(nr))
    assert migration.drain(0, FOREVER, 100.0) / 1e9 == pytest.approx(11.199, abs=0.01)


def test_the_cost_of_a_batch_is_a_plus_n_b_plus_copy() -> None:
    migration = queue(64, Migration(batch_nr=16, batch_us=5.0, folio_us=1.0, copy_gb_s=4.096))
    migration.add(folios(64))
    assert migration.drain(0, FOREVER, 100.0) == 4 * (5000 + 16 * (1000 + 1000))


def test_copies_are_no_faster_than_the_bandwidth_left() -> None:
    migration = queue(10, Migration(batch_us=0.0, folio_us=0.0, copy_gb_s=10.0))
    migration.add(folios(10))
    assert migration.drain(0, FOREVER, 0.4096) == 10 * 10_000


def test_a_drain_stops_at_the_time_it_is_given() -> None:
    migration = queue(100, Migration(batch_us=0.0, folio_us=1.0, copy_gb_s=1000.0))
    migration.add(folios(100))
    clock = migration.drain(0, 50_000, 1000.0)
    assert len(migration) == 100 - migration.counters["pgpromote_success"]
    assert 50_000 <= clock < 52_000
    migration.drain(clock, FOREVER, 1000.0)
    assert migration.counters["pgpromote_success"] == 100


def test_a_full_target_is_a_failure_and_not_a_success() -> None:
    migration = queue(100, room=60)
    migration.add(folios(100))
    migration.drain(0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 60
    assert migration.counters["migrate_no_room"] == 40
    assert migration.counters["pgmigrate_fail"] == 40
    assert migration.memory.free[0] == 0


def test_a_folio_queued_twice_is_stale_the_second_time() -> None:
    migration = queue(10)
    migration.add(folios(10))
    migration.add(folios(10))
    migration.drain(0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 10
    assert migration.counters["migrate_stale"] == 10


def test_a_bounded_queue_drops_and_counts_what_does_not_fit() -> None:
    migration = queue(100, Migration(queue_max=30))
    migration.add(folios(100))
    assert len(migration) == 30
    assert migration.counters["queue_dropped"] == 70
    assert migration.counters["pgpromote_candidate"] == 100


def test_candidates_keep_their_order_over_many_additions() -> None:
    migration = queue(6000)
    migration.add(folios(900))
    migration.drain(0, 100_000, 100.0)
    for first in range(900, 6000, 300):
        migration.add(np.arange(first, first + 300, dtype=np.uint32))
    migration.drain(0, FOREVER, 100.0)
    assert migration.counters["pgpromote_success"] == 6000
    assert migration.counters["migrate_stale"] == 0
