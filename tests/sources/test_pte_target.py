"""To which of several top-tier nodes the candidates of an mm go."""

import numpy as np
import pytest

from tests.engine.machines import flat_rates
from tests.sources.scanners import knobs_of, one_visit
from tiering.engine.books import books
from tiering.engine.folios import ACCESSED, GRANULE, IDLE, SHARED, YOUNG, empty_memory, place
from tiering.engine.touch import scratch
from tiering.sources.pte_scan import PteScanner
from tiering.sources.pte_state import ScannedMm

DEFAULT = 1


def machine(preset: str, nr_top: int = 2) -> PteScanner:
    """An mm of two granules: 10 folios on node 0, 30 on node 1, 20 on node 2, slow; and 12 on 0."""
    room = np.full(3, 1 << 20, np.int64)
    memory = empty_memory(2, 1, room)
    memory.rows[:] = 1
    for granule, nr, nid in ((0, 10, 0), (0, 30, 1), (0, 20, 2), (1, 12, 0)):
        place(memory, granule, nr, nid, int(nid == 2))
    migrated = books(3, 1)
    migrated.target[:] = DEFAULT
    knobs = knobs_of(preset)._replace(scan_delay_ms=0)
    mm = ScannedMm("mm", ((0, 2, 64.0),))
    return PteScanner(
        knobs, memory, flat_rates(0.0), scratch(), [mm], migrated=migrated, nr_top=nr_top
    )


def target_after_a_visit(scan: PteScanner) -> int:
    one_visit(scan, int(scan.mms.next_scan[0]))
    return int(scan.mms.target[0])


@pytest.mark.parametrize("preset", ["kmmscand_v1", "kscand_v2"])
def test_v1_and_v2_take_the_node_of_most_pages_walked(preset: str) -> None:
    scan = machine(preset)
    assert target_after_a_visit(scan) == 1, "30 against 10 + 12"
    scan.memory.folio[10:20] |= np.uint32(SHARED)
    assert target_after_a_visit(scan) == 0, "20 against 22: shared ones do not count"
    scan.memory.folio[: GRANULE + 12] |= np.uint32(SHARED)
    assert target_after_a_visit(scan) == DEFAULT


def test_v3_takes_the_node_of_most_pages_accessed_in_two_windows() -> None:
    scan = machine("kscand_v3")
    scan.memory.folio[:5] |= np.uint32(ACCESSED)
    assert target_after_a_visit(scan) == 0, "never walked: one window is enough"
    assert (scan.memory.folio[:5] & np.uint32(ACCESSED | IDLE | YOUNG) == np.uint32(YOUNG)).all()
    scan.memory.folio[:3] |= np.uint32(ACCESSED)
    scan.memory.folio[10:40] |= np.uint32(ACCESSED)
    assert target_after_a_visit(scan) == 0, "3, those on node 1 were idle before"
    scan.memory.folio[10:14] |= np.uint32(ACCESSED)
    assert target_after_a_visit(scan) == 1, "4 against none"
    assert target_after_a_visit(scan) == DEFAULT, "no memory between visits"


def test_with_one_top_tier_node_nothing_is_counted() -> None:
    scan = machine("kscand_v3", nr_top=1)
    scan.memory.folio[:5] |= np.uint32(ACCESSED)
    assert target_after_a_visit(scan) == DEFAULT
    assert (scan.memory.folio[:5] & np.uint32(ACCESSED)).all(), "passed over"


def test_the_target_of_an_mm_begins_anew_with_it() -> None:
    scan = machine("kmmscand_v1")
    scan.memory.folio[10:40] |= np.uint32(SHARED)
    assert target_after_a_visit(scan) == 0
    scan.enter(0, 0)
    assert scan.mms.target[0] == DEFAULT
