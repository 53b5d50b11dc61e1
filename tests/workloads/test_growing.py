import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiering.workloads.growing import Growing, build


def test_a_quarter_and_three_steps_by_hand() -> None:
    region = build(Growing(25.0, 3, 1e6), 8, 1)
    assert region.populated.tolist() == [2, 4, 6, 8]
    assert region.classes.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert region.phase_accesses.tolist() == [1e6, 1e6, 1e6, np.inf]
    assert region.share.tolist() == pytest.approx(
        np.array([[1 / 2, 0, 0, 0], [1 / 4, 1 / 4, 0, 0], [1 / 6] * 3 + [0], [1 / 8] * 4])
    )


@given(st.integers(1, 3000), st.floats(0.01, 100), st.integers(1, 63))
def test_all_pages_that_are_there_are_alike_and_no_others_are_touched(
    nr: int, start: float, steps: int
) -> None:
    region = build(Growing(start, steps), nr, 1)
    assert region.populated.size == region.phase_accesses.size == steps + 1
    assert (np.diff(region.populated) >= 0).all()
    assert region.populated[0] >= 1
    assert region.populated[-1] == nr
    for phase, there in enumerate(region.populated):
        rates = region.share[phase][region.classes]
        np.testing.assert_allclose(rates[:there], 1 / there)
        assert not rates[there:].any()
