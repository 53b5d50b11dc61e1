from typing import Any

import orjson
import pytest

from tests.charts.rows import rows, shape
from tiering.model.block import Block
from tiering.model.metrics import row_dtype
from tiering.work import summary as summary_module
from tiering.work.summary import MOST_POINTS, Summary

SHAPE = shape("redis")


def told(shares: list[float], rows_per_block: int = 2, throughput: float = 0.0) -> dict[str, Any]:
    """The summary of a run whose rows have these shares of the top tier."""
    made = rows(SHAPE, len(shares))
    made["top_tier_share"] = shares
    made["throughput"] = throughput
    summary = Summary(row_dtype(SHAPE))
    for begin in range(0, len(shares), rows_per_block):
        part = made[begin : begin + rows_per_block]
        summary.take(Block(begin, len(part), part.tobytes()))
        summary.take(Block(begin, 0, b""))  # a change of a knob
    found: dict[str, Any] = orjson.loads(summary.json())
    return found


def test_figures_are_means_over_all_rows() -> None:
    found = told([0.1, 0.2, 0.6], throughput=2e6)
    assert found["rows"] == 3
    assert (found["figures"]["hit"], found["figures"]["throughput"]) == (30, 2)


def test_a_short_curve_has_a_point_for_every_row() -> None:
    assert told([0.1, 0.2, 0.6])["curve"] == [10, 20, 60]


@pytest.mark.parametrize("nr", [MOST_POINTS, 100, 1000, 5000])
def test_a_long_curve_stays_short_and_keeps_its_course(nr: int) -> None:
    curve = told([row / nr for row in range(nr)])["curve"]
    assert MOST_POINTS / 2 <= len(curve) <= MOST_POINTS
    assert curve == sorted(curve)
    assert curve[0] <= 2
    assert curve[-1] >= 96


def test_the_summary_is_the_same_however_rows_come(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [row % 7 / 10 for row in range(600)]
    whole = told(shares, 600)
    monkeypatch.setattr(summary_module, "BLOCKS_TOGETHER", 3)
    assert told(shares, 2) == whole


def test_without_rows_nothing_is_claimed() -> None:
    assert told([]) == {"rows": 0, "figures": {}, "curve": []}


def test_what_is_no_number_is_left_out() -> None:
    found = told([0.5, float("nan"), 0.5])
    assert "hit" not in found["figures"]
    assert found["curve"] == [50, 50]
