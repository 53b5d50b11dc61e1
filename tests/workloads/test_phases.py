import numpy as np
import pytest

from tiering.workloads.pattern import PatternError
from tiering.workloads.phases import Phases, build


def test_two_sets_worked_by_hand() -> None:
    """Ten folios, sets of two: 0.8 for the two in turn, 0.2 for the other eight."""
    region = build(Phases(2, 20.0, 80.0, 500.0, "contiguous"), 10, 1)
    assert region.classes.tolist() == [0, 0, 1, 1, 2, 2, 2, 2, 2, 2]
    assert region.phase_accesses.tolist() == [500.0, 500.0]
    assert region.share == pytest.approx(np.array([[0.4, 0.025, 0.025], [0.025, 0.4, 0.025]]))


def test_sets_that_fill_the_vma_leave_no_cold_row() -> None:
    region = build(Phases(4, 25.0, 70.0, 1.0, "contiguous"), 8, 1)
    assert region.share.shape == (4, 4)
    assert region.share[2].tolist() == pytest.approx([0.05, 0.05, 0.35, 0.05])


def test_each_set_is_hot_once_in_a_lap_and_sets_share_no_folio() -> None:
    region = build(Phases(8, 5.0), 10_000, 3)
    assert np.bincount(region.classes).tolist() == [500] * 8 + [6000]
    assert (region.share > 1e-3).tolist() == np.eye(8, 9, dtype=bool).tolist()


def test_a_set_is_never_rounded_to_nothing_nor_beyond_its_part() -> None:
    assert np.bincount(build(Phases(2, 0.001), 10, 1).classes).tolist() == [1, 1, 8]
    assert np.bincount(build(Phases(2, 50.0), 7, 1).classes).tolist() == [3, 3, 1]


def test_sets_that_would_overlap_are_refused() -> None:
    with pytest.raises(PatternError, match=r"hot_size_pct = 30 with nr_sets = 4: .* at most 25 %"):
        build(Phases(4, 30.0), 1000, 1)


def test_a_vma_of_fewer_folios_than_sets_is_refused() -> None:
    with pytest.raises(PatternError, match=r"phases\.nr_sets = 3: 2 folios are too few"):
        build(Phases(3), 2, 1)
