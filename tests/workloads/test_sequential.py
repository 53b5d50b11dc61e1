import pytest

from tiering.workloads.sequential import Sequential, build


@pytest.mark.parametrize(("stride", "taken"), [(1, 1), (7, 7), (1000, 100)])
def test_all_pages_are_alike_in_the_mean_and_the_stride_is_at_most_the_region(
    stride: int, taken: int
) -> None:
    region = build(Sequential(stride, 64), 100, 1)
    assert region.share.tolist() == [[0.01]]
    assert region.sweep == (taken, 64)
    assert region.classes.sum() == 0
