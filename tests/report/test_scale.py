import numpy as np
import pytest

from tiering.report.plot import Axis
from tiering.report.scale import Scale


def test_a_logarithmic_axis_gives_every_factor_of_ten_the_same_length() -> None:
    scale = Scale(Axis("", log=True), [1.0, 1000.0], 0.0, 300.0)
    assert scale.at(np.array([1.0, 10.0, 100.0, 1000.0])).tolist() == pytest.approx(
        [0, 100, 200, 300]
    )
    assert np.isnan(scale.at(np.array([0.0, -1.0]))).all()


def test_an_axis_keeps_the_range_it_is_given() -> None:
    scale = Scale(Axis("", low=0.0, high=100.0), [3.0, 12.0], 0.0, 100.0)
    assert (scale.low, scale.high) == (0.0, 100.0)
