import re

import numpy as np
import pytest

from tiering.workloads.moving_hot_set import MovingHotSet, build, segments
from tiering.workloads.pattern import PatternError


def test_a_window_of_half_the_range_worked_by_hand() -> None:
    """Four segments of two folios; the window of two moves by one and comes round after four."""
    region = build(MovingHotSet(50.0, 80.0, 25.0, 1000.0), 8, 1)
    hot, cold = 0.8 / 4, 0.2 / 4
    assert region.classes.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert region.phase_accesses.tolist() == [1000.0] * 4
    assert region.share == pytest.approx(
        np.array(
            [
                [hot, hot, cold, cold],
                [cold, hot, hot, cold],
                [cold, cold, hot, hot],
                [hot, cold, cold, hot],
            ]
        )
    )


@pytest.mark.parametrize(
    ("hot_size_pct", "step_pct", "expected"),
    [
        (10.0, 5.0, (20, 2, 1)),
        (12.5, 12.5, (8, 1, 1)),
        (98.4375, 1.5625, (64, 63, 1)),
        (33.333, 33.333, (3, 1, 1)),
        (10.0, 30.0, (10, 1, 3)),
    ],
)
def test_the_fewest_segments_are_chosen(
    hot_size_pct: float, step_pct: float, expected: tuple[int, int, int]
) -> None:
    assert segments(hot_size_pct, step_pct) == expected


def test_a_lap_ends_where_the_window_comes_back_to_its_begin() -> None:
    assert build(MovingHotSet(10.0, 90.0, 30.0), 1000, 1).phase_accesses.size == 10
    assert build(MovingHotSet(50.0, 90.0, 50.0), 1000, 1).phase_accesses.size == 2
    assert build(MovingHotSet(10.0, 90.0, 40.0), 1000, 1).phase_accesses.size == 5


def test_every_folio_is_hot_equally_long_in_a_lap() -> None:
    region = build(MovingHotSet(10.0, 90.0, 5.0), 100_000, 1)
    assert (region.share > 2e-5).sum(axis=0).tolist() == [2] * 20
    assert region.share.sum(axis=0).tolist() == pytest.approx([2 * 9e-5 + 18 * 0.1 / 9e4] * 20)


def test_a_window_takes_its_part_where_segments_differ_by_a_folio() -> None:
    region = build(MovingHotSet(25.0, 90.0, 25.0), 10, 1)
    folios = np.bincount(region.classes)
    assert sorted(folios.tolist()) == [2, 2, 3, 3]
    assert [float(region.share[k, k] * folios[k]) for k in range(4)] == pytest.approx([0.9] * 4)


def test_borders_that_no_segments_share_are_refused_with_the_nearest_that_fit() -> None:
    with pytest.raises(PatternError) as caught:
        build(MovingHotSet(13.0, 90.0, 5.0), 10_000, 1)
    assert str(caught.value).startswith(
        "moving_hot_set.hot_size_pct = 13 and step_pct = 5: allowed are two whole multiples of "
        "100 / n % with one n of 2 .. 64, the nearest are "
    )
    nearest = re.findall(r"[\d.]+", str(caught.value))[-2:]
    assert segments(*map(float, nearest))[0] <= 64, "what is proposed is allowed as written"


def test_a_vma_of_fewer_folios_than_segments_is_refused() -> None:
    with pytest.raises(PatternError, match="into 20 segments: 19 folios are too few"):
        build(MovingHotSet(), 19, 1)
    assert build(MovingHotSet(), 20, 1).nr_folios == 20


def test_a_scattered_window_covers_as_many_folios() -> None:
    region = build(MovingHotSet(layout="scattered"), 10_000, 5)
    assert np.bincount(region.classes).tolist() == [500] * 20
    assert 10 < (region.classes[:500] == 0).sum() < 50, "25 are expected anywhere"
