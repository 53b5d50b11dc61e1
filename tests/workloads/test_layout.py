import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tiering.workloads.layout import lay_out
from tiering.workloads.scatter import scattered_ranks


def test_contiguous_classes_follow_each_other() -> None:
    assert lay_out(np.array([2, 2, 5]), 1, "contiguous").tolist() == [0, 0, 2, 2, 2]


def test_scattered_classes_are_those_of_the_ranks() -> None:
    ((_, rank),) = scattered_ranks(10, 1)
    classes = lay_out(np.array([3, 4, 10]), 1, "scattered")
    assert classes.tolist() == [0 if r < 3 else 1 if r < 4 else 2 for r in rank.tolist()]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=64), st.integers(0, 2**64 - 1))
def test_both_layouts_give_every_class_its_folios(counts: list[int], seed: int) -> None:
    counts[-1] += 1
    ends = np.cumsum(counts)
    for layout in ("contiguous", "scattered"):
        classes = lay_out(ends, seed, layout)
        assert classes.dtype == np.uint8
        assert np.bincount(classes, minlength=len(counts)).tolist() == counts


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=200, max_size=255), st.integers(1, 60_000))
def test_many_narrow_classes_in_one_stretch_of_ranks_are_told_apart(
    counts: list[int], last: int
) -> None:
    ends = np.cumsum([*counts, last])
    ranks = np.concatenate([rank for _, rank in scattered_ranks(int(ends[-1]), 5)])
    classes = lay_out(ends, 5, "scattered")
    assert np.array_equal(classes, np.searchsorted(ends[:-1], ranks.astype(np.int64), "right"))
